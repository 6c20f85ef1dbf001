"""The Llama family against transformers: logits, and greedy text token for token."""

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, MistralConfig, Qwen2Config, Qwen3Config

from slipform.runtime.models.fallback import TransformersModel
from slipform.runtime.models.llama import LlamaModel
from slipform.runtime.models.loader import load_model
from tests.runtime.checkpoints import TINY, VOCAB_SIZE, generate, last_logits, prompts, save_random
from tests.runtime.running_models import Runner

ROOT = Path(__file__).resolve().parents[2]

LLAMA = {**TINY, "intermediate_size": 48, "num_key_value_heads": 2, "max_position_embeddings": 256}
QWEN = {key: value for key, value in LLAMA.items() if key != "pad_token_id"}


def rope(**parameters: Any) -> dict[str, Any]:
    return {"rope_parameters": {"rope_theta": 1000.0, **parameters}}


CONFIGS = {
    "llama": LlamaConfig(**LLAMA),
    "llama tied, biased, other head size": LlamaConfig(
        **{**LLAMA, "tie_word_embeddings": True, "attention_bias": True, "mlp_bias": True, "head_dim": 12}
    ),
    "llama linear": LlamaConfig(**LLAMA, **rope(rope_type="linear", factor=2.0)),
    "llama dynamic": LlamaConfig(**LLAMA, **rope(rope_type="dynamic", factor=2.0)),
    "llama llama3": LlamaConfig(
        **LLAMA,
        **rope(
            rope_type="llama3",
            factor=4.0,
            low_freq_factor=1.0,
            high_freq_factor=4.0,
            original_max_position_embeddings=32,
        ),
    ),
    "llama yarn": LlamaConfig(**LLAMA, **rope(rope_type="yarn", factor=4.0, original_max_position_embeddings=64)),
    "mistral window": MistralConfig(**LLAMA, sliding_window=9),
    "mistral no window": MistralConfig(**LLAMA, sliding_window=None),
    "qwen2": Qwen2Config(**QWEN),
    "qwen2 window in the upper layer": Qwen2Config(
        **QWEN, use_sliding_window=True, sliding_window=9, max_window_layers=1
    ),
    "qwen3": Qwen3Config(**QWEN, head_dim=16),
}


@pytest.fixture(scope="module", params=CONFIGS.values(), ids=CONFIGS.keys())
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """transformers' model, and its checkpoint."""
    path = tmp_path_factory.mktemp("checkpoint")
    return save_random(request.param, path), path


def test_logits_equal_transformers(pair: tuple[Any, Path]) -> None:
    theirs, path = pair
    model = load_model(path, dtype=torch.float32, device="cpu")
    assert isinstance(model, LlamaModel)
    runner = Runner(model)
    for prompt in prompts(5, 80):
        expected = last_logits(theirs, prompt)
        for chunk in (1 << 30, 64, 7):
            torch.testing.assert_close(runner.logits(prompt, chunk), expected, atol=2e-4, rtol=2e-4)


def test_greedy_text_equals_transformers(pair: tuple[Any, Path]) -> None:
    """Prompts of mixed lengths share a batch; streams are prefilled in chunks while others decode."""
    theirs, path = pair
    model = load_model(path, dtype=torch.float32, device="cpu")
    inputs = prompts(6, 70, seed=1)
    expected = [generate(theirs, prompt, 12) for prompt in inputs]
    for chunk in (1, 7, 64):
        assert Runner(model, seed=chunk).greedy(inputs, 12, chunk) == expected


def test_bfloat16_is_near_float32(pair: tuple[Any, Path]) -> None:
    """Our bfloat16 logits are about as near to the float32 ones as transformers' own bfloat16 logits are."""
    theirs, path = pair
    ours = Runner(load_model(path, dtype=torch.bfloat16, device="cpu"))
    rounded = type(theirs).from_pretrained(path, dtype=torch.bfloat16)
    errors, their_errors = [], []
    for prompt in prompts(5, 60, seed=2):
        exact = last_logits(theirs, prompt)
        errors.append((ours.logits(prompt, 16) - exact).square().mean())
        their_errors.append((last_logits(rounded, prompt) - exact).square().mean())
    assert torch.stack(errors).mean().sqrt() < 2 * torch.stack(their_errors).mean().sqrt() + 1e-3


def test_longrope_short_and_long(tmp_path: Path) -> None:
    """Frequencies are those of the longest sequence the caller asked for: short factors up to the original length."""
    factors = {"short_factor": [1.0, 1.5, 2.0, 3.0], "long_factor": [2.0, 4.0, 8.0, 16.0]}
    config = LlamaConfig(
        **LLAMA, **rope(rope_type="longrope", factor=8.0, original_max_position_embeddings=32, **factors)
    )
    theirs = save_random(config, tmp_path)
    short = Runner(load_model(tmp_path, dtype=torch.float32, device="cpu", max_position=32))
    long = Runner(load_model(tmp_path, dtype=torch.float32, device="cpu"))
    brief, extended = prompts(2, 30)[1], prompts(2, 60)[1]
    torch.testing.assert_close(short.logits(brief), last_logits(theirs, brief), atol=2e-4, rtol=2e-4)
    torch.testing.assert_close(long.logits(extended), last_logits(theirs, extended), atol=2e-4, rtol=2e-4)


def test_logits_only_of_the_rows_asked_for(pair: tuple[Any, Path]) -> None:
    _, path = pair
    runner = Runner(load_model(path, dtype=torch.float32, device="cpu"))
    assert runner.logits(prompts(2, 20)[1]).shape == (VOCAB_SIZE,)


def test_another_activation_is_not_taken_for_silu(tmp_path: Path) -> None:
    theirs = save_random(LlamaConfig(**LLAMA, hidden_act="gelu"), tmp_path)
    model = load_model(tmp_path, dtype=torch.float32, device="cpu")
    assert isinstance(model, TransformersModel)
    prompt = prompts(2, 20)[1]
    torch.testing.assert_close(Runner(model).logits(prompt), last_logits(theirs, prompt), atol=2e-4, rtol=2e-4)


def test_sharded_checkpoint(tmp_path: Path) -> None:
    theirs = save_random(LlamaConfig(**LLAMA), tmp_path, max_shard_size="20KB")
    assert len(list(tmp_path.glob("*.safetensors"))) > 1
    prompt = prompts(2, 20)[1]
    runner = Runner(load_model(tmp_path, dtype=torch.float32, device="cpu"))
    torch.testing.assert_close(runner.logits(prompt), last_logits(theirs, prompt), atol=2e-4, rtol=2e-4)


def test_runs_with_the_repository_root_as_working_directory(tmp_path: Path) -> None:
    """transformers probes for a public package called `kernels`, a folder of which name lies there."""
    save_random(LlamaConfig(**LLAMA), tmp_path / "native")
    save_random(LlamaConfig(**LLAMA, hidden_act="gelu"), tmp_path / "fallback")
    code = (
        "import sys, torch\n"
        "from tests.runtime.running_models import Runner\n"
        "from slipform.runtime.models.loader import load_model\n"
        "for path in sys.argv[1:]:\n"
        "    logits = Runner(load_model(path, dtype=torch.float32, device='cpu')).logits([5, 6, 7])\n"
        "    assert logits.isfinite().all()\n"
        "print('ran')\n"
    )
    arguments = [sys.executable, "-W", "error", "-c", code, str(tmp_path / "native"), str(tmp_path / "fallback")]
    done = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stdout == "ran\n", done.stderr
    shutil.rmtree(tmp_path)

"""Models that transformers runs with attention over our pool: against transformers alone."""

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    BloomConfig,
    FalconConfig,
    Gemma2Config,
    Gemma3TextConfig,
    GemmaConfig,
    GPT2Config,
    GptOssConfig,
    MambaConfig,
    MptConfig,
    Phi3Config,
    PhiConfig,
    T5Config,
    T5ForConditionalGeneration,
)

from slipform.errors import ConfigError
from slipform.runtime.models.fallback import TransformersModel
from slipform.runtime.models.loader import load_model
from tests.runtime.checkpoints import TINY, VOCAB_SIZE, generate, last_logits, prompts, save_random
from tests.runtime.running_models import Runner

GATED = {**TINY, "intermediate_size": 48, "num_key_value_heads": 2, "head_dim": 16}
GPT2 = {"vocab_size": VOCAB_SIZE, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 128, "initializer_range": 0.2}
LONG_ROPE = {
    "rope_type": "longrope",
    "rope_theta": 1000.0,
    "short_factor": [1.0] * 4,
    "long_factor": [2.0] * 4,
    "original_max_position_embeddings": 64,
}

CONFIGS = {
    "gpt2": GPT2Config(**GPT2),
    "gpt2 scaled by layer": GPT2Config(**GPT2, scale_attn_by_inverse_layer_idx=True),
    "falcon multi-query": FalconConfig(**TINY, multi_query=True, alibi=False, new_decoder_architecture=False),
    "falcon grouped": FalconConfig(**TINY, num_kv_heads=2, new_decoder_architecture=True),
    "falcon alibi": FalconConfig(
        **TINY, multi_query=False, alibi=True, new_decoder_architecture=False, parallel_attn=False, bias=True
    ),
    "bloom, heads no power of two": BloomConfig(
        vocab_size=VOCAB_SIZE, hidden_size=30, n_layer=2, n_head=6, initializer_range=0.2
    ),
    "phi": PhiConfig(**TINY, intermediate_size=48),
    "phi3 window": Phi3Config(**TINY, intermediate_size=48, num_key_value_heads=2, sliding_window=9),
    "gemma": GemmaConfig(**GATED),
    "gemma2 softcap, window": Gemma2Config(**GATED, sliding_window=9),
    "gemma3 two ropes, window": Gemma3TextConfig(**GATED, sliding_window=9),
}

KV_HEADS = {"falcon multi-query": 1, "falcon grouped": 2, "bloom, heads no power of two": 6, "gemma": 2}


@pytest.fixture(scope="module", params=CONFIGS.keys())
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Any, Path]:
    path = tmp_path_factory.mktemp("checkpoint")
    return request.param, save_random(CONFIGS[request.param], path), path


def test_greedy_text_equals_transformers(pair: tuple[str, Any, Path]) -> None:
    _, theirs, path = pair
    model = load_model(path, dtype=torch.float32, device="cpu")
    assert isinstance(model, TransformersModel)
    inputs = prompts(5, 50)
    for prompt in inputs[::2]:
        torch.testing.assert_close(Runner(model).logits(prompt, 7), last_logits(theirs, prompt), atol=2e-4, rtol=2e-4)
    expected = [generate(theirs, prompt, 10) for prompt in inputs]
    for chunk in (7, 64):
        assert Runner(model).greedy(inputs, 10, chunk) == expected


def test_kv_shapes_are_those_of_the_model(pair: tuple[str, Any, Path]) -> None:
    name, _, path = pair
    config = load_model(path, dtype=torch.float32, device="cpu").config
    assert len(config.kv_shapes) == 2
    if name in KV_HEADS:
        assert config.num_kv_heads == KV_HEADS[name]


def test_bfloat16(tmp_path: Path) -> None:
    theirs = save_random(GPT2Config(**GPT2), tmp_path)
    runner = Runner(load_model(tmp_path, dtype=torch.bfloat16, device="cpu"))
    prompt = prompts(2, 20)[1]
    torch.testing.assert_close(runner.logits(prompt), last_logits(theirs, prompt), atol=0.1, rtol=0.1)


def test_longrope_is_refused_past_its_original_length(tmp_path: Path) -> None:
    config = Phi3Config(
        **TINY,
        intermediate_size=48,
        max_position_embeddings=256,
        original_max_position_embeddings=64,
        rope_parameters=LONG_ROPE,
    )
    theirs = save_random(config, tmp_path)
    with pytest.raises(ConfigError, match="choose at most 64"):
        load_model(tmp_path, dtype=torch.float32, device="cpu")
    model = load_model(tmp_path, dtype=torch.float32, device="cpu", max_position=64)
    prompt = prompts(2, 60)[1]
    torch.testing.assert_close(Runner(model).logits(prompt), last_logits(theirs, prompt), atol=2e-4, rtol=2e-4)


@pytest.mark.parametrize(
    ("config", "reason"),
    [
        (
            GptOssConfig(**GATED, num_local_experts=2, num_experts_per_tok=1),
            "s_aux",
        ),
        (MptConfig(vocab_size=VOCAB_SIZE, d_model=32, n_heads=4, n_layers=2), "cannot be routed"),
        (MambaConfig(vocab_size=VOCAB_SIZE, hidden_size=32, num_hidden_layers=2), "num_attention_heads"),
    ],
    ids=["attention sinks", "own attention", "no attention"],
)
def test_what_cannot_be_routed_is_refused(config: Any, reason: str, tmp_path: Path) -> None:
    save_random(config, tmp_path)
    with pytest.raises(ConfigError, match=reason):
        load_model(tmp_path, dtype=torch.float32, device="cpu")


def test_encoder_decoder_is_refused(tmp_path: Path) -> None:
    config = T5Config(vocab_size=VOCAB_SIZE, d_model=32, num_layers=1, num_heads=4, d_ff=64, d_kv=8)
    T5ForConditionalGeneration(config).save_pretrained(tmp_path)
    with pytest.raises(ConfigError, match="encoder-decoder"):
        load_model(tmp_path, dtype=torch.float32, device="cpu")


def test_a_model_whose_attention_differs_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The probe compares numbers: a kernel that scales wrongly stands for any silent misunderstanding."""
    save_random(GPT2Config(**GPT2), tmp_path)
    from slipform.kernels import cpu

    honest = cpu.attention
    monkeypatch.setattr(cpu, "attention", lambda *a, **k: honest(*a, **{**k, "scale": k["scale"] * 1.5}))
    with pytest.raises(ConfigError, match="logits differ"):
        load_model(tmp_path, dtype=torch.float32, device="cpu")

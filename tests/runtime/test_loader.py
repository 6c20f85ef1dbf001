"""Reading checkpoints: what cannot be used is refused, by name."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import GenerationConfig, GPT2Config, LlamaConfig

from slipform.errors import ConfigError
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.kv_pool import KVPool
from slipform.runtime.model_runner import ModelRunner
from slipform.runtime.models.config import read_config
from slipform.runtime.models.interface import CausalModel
from slipform.runtime.models.loader import load_model
from tests.runtime.checkpoints import TINY, last_logits, save_random
from tests.runtime.running_models import make_pool

LLAMA = LlamaConfig(**TINY, intermediate_size=48, num_key_value_heads=2, max_position_embeddings=256)


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    save_random(LLAMA, tmp_path)
    return tmp_path


def load(path: Path) -> CausalModel:
    return load_model(path, dtype=torch.float32, device="cpu")


def rewrite(path: Path, change: dict[str, torch.Tensor | None]) -> None:
    """Replace weights by name; None removes."""
    weights = load_file(path / "model.safetensors")
    for name, weight in change.items():
        if weight is None:
            del weights[name]
        else:
            weights[name] = weight
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})


def test_missing_weight(checkpoint: Path) -> None:
    rewrite(checkpoint, {"model.layers.1.mlp.up_proj.weight": None})
    with pytest.raises(ConfigError, match=r"model\.layers\.1\.mlp\.up_proj\.weight is missing"):
        load(checkpoint)


def test_unexpected_weight(checkpoint: Path) -> None:
    rewrite(checkpoint, {"model.layers.0.self_attn.q_proj.bias": torch.zeros(32)})
    with pytest.raises(ConfigError, match=r"unexpected weights model\.layers\.0\.self_attn\.q_proj\.bias"):
        load(checkpoint)


def test_redundant_buffers_of_older_checkpoints(checkpoint: Path) -> None:
    rewrite(checkpoint, {"model.layers.0.self_attn.rotary_emb.inv_freq": torch.zeros(4)})
    assert load(checkpoint).config.num_layers == 2


def test_wrong_shape(checkpoint: Path) -> None:
    rewrite(checkpoint, {"model.norm.weight": torch.zeros(31)})
    with pytest.raises(ConfigError, match=r"model\.norm\.weight has shape \(31,\), and the configuration says \(32,\)"):
        load(checkpoint)


@pytest.mark.parametrize("name", ["wte", "h.1.attn.c_attn"])
def test_missing_weight_of_a_fallback_model(name: str, tmp_path: Path) -> None:
    save_random(GPT2Config(vocab_size=97, n_embd=32, n_layer=2, n_head=4), tmp_path)
    rewrite(tmp_path, {f"transformer.{name}.weight": None})
    with pytest.raises(ConfigError, match="missing keys"):
        load(tmp_path)


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no config\.json"):
        load(tmp_path / "nowhere")


def test_no_weights(checkpoint: Path) -> None:
    (checkpoint / "model.safetensors").unlink()
    with pytest.raises(ConfigError, match=r"no model\.safetensors"):
        load(checkpoint)


def test_truncated_weights(checkpoint: Path) -> None:
    file = checkpoint / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])
    with pytest.raises(ConfigError, match="cannot be read"):
        load(checkpoint)


def test_missing_shard(tmp_path: Path) -> None:
    save_random(LLAMA, tmp_path, max_shard_size="20KB")
    shard = sorted(tmp_path.glob("*.safetensors"))[0]
    shard.unlink()
    with pytest.raises(ConfigError, match=shard.name):
        load(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"model_type": "no-such-model"}, "cannot be read"),
        ({"architectures": []}, "0 architectures"),
        ({"num_attention_heads": 3, "head_dim": 8}, "not a multiple"),
        ({"num_key_value_heads": 3}, "no multiple"),
    ],
)
def test_unusable_configuration(checkpoint: Path, change: dict[str, object], message: str) -> None:
    file = checkpoint / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))
    with pytest.raises(ConfigError, match=message):
        load(checkpoint)


def test_configuration_that_is_no_json(checkpoint: Path) -> None:
    (checkpoint / "config.json").write_text("{")
    with pytest.raises(ConfigError, match="cannot be read"):
        load(checkpoint)


@pytest.mark.parametrize(
    ("options", "field"),
    [
        ({"dtype": torch.float16}, "dtype"),
        ({"device": "meta"}, "device"),
        ({"max_position": 257}, "max_position"),
        ({"max_position": 0}, "max_position"),
    ],
)
def test_unusable_options(checkpoint: Path, options: dict[str, object], field: str) -> None:
    arguments: dict[str, object] = {"dtype": torch.float32, "device": "cpu", **options}
    with pytest.raises(ConfigError, match=field) as caught:
        load_model(checkpoint, **arguments)  # type: ignore[arg-type]
    assert caught.value.field == field


def test_what_a_configuration_says(checkpoint: Path) -> None:
    config = read_config(checkpoint)
    assert (config.num_layers, config.num_heads, config.num_kv_heads, config.head_dim) == (2, 4, 2, 8)
    assert (config.vocab_size, config.max_position, config.eos_ids, config.bos_id) == (97, 256, (2,), 1)


def test_end_tokens_of_the_generation_config_win(checkpoint: Path) -> None:
    GenerationConfig(eos_token_id=[5, 9]).save_pretrained(checkpoint)
    assert read_config(checkpoint).eos_ids == (5, 9)


def one_token(slot: int) -> ForwardBatch:
    return ForwardBatch(
        input_ids=torch.tensor([5]),
        positions=torch.tensor([0]),
        out_slots=torch.tensor([slot]),
        cu_seqlens=torch.tensor([0, 1], dtype=torch.int32),
        seq_lens=torch.tensor([1], dtype=torch.int32),
        slot_table=torch.tensor([[slot]], dtype=torch.int32),
        logits_rows=torch.tensor([0]),
        max_extend_len=1,
        max_seq_len=1,
    )


def test_model_runner(tmp_path: Path) -> None:
    theirs = save_random(LLAMA, tmp_path)
    model = load(tmp_path)
    pool = KVPool(8, kv_shapes=model.config.kv_shapes, dtype=torch.float32)
    runner = ModelRunner(model, pool)
    runner.warm_up(torch.tensor([2, 6]))
    untouched = [slot for slot in range(8) if slot not in (2, 6)]
    assert all((tensor[untouched] == 0).all() for tensor in (*pool.keys, *pool.values))
    torch.testing.assert_close(runner.forward(one_token(3))[0], last_logits(theirs, [5]), atol=2e-4, rtol=2e-4)


def test_model_runner_refuses_another_pool(checkpoint: Path) -> None:
    model = load(checkpoint)
    pool = make_pool(model, 4)
    pool.values[1] = pool.values[1].bfloat16()
    with pytest.raises(ValueError, match="layer 1"):
        ModelRunner(model, pool)

"""Checkpoint folders of real geometry and no weights, for engines with `load_format="dummy"`."""

import json
from pathlib import Path
from typing import Any

GEOMETRIES: dict[str, dict[str, Any]] = {
    "8b": {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "num_hidden_layers": 32,
        "num_attention_heads": 32, "num_key_value_heads": 8, "intermediate_size": 14336, "head_dim": 128,
        "tie_word_embeddings": False, "rope_theta": 500000.0,
    },
    "0.6b": {
        "architectures": ["Qwen3ForCausalLM"], "model_type": "qwen3", "hidden_size": 1024, "num_hidden_layers": 28,
        "num_attention_heads": 16, "num_key_value_heads": 8, "intermediate_size": 3072, "head_dim": 128,
        "tie_word_embeddings": True, "rope_theta": 1000000.0,
    },
    "tiny": {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "intermediate_size": 128, "head_dim": 16,
        "tie_word_embeddings": True, "rope_theta": 10000.0,
    },
}  # fmt: skip


def vocab_size(tokenizer: Path) -> int:
    """Of a tokenizer's folder, which holds a `tokenizer.json`, and an `info.json` with `vocab_size`."""
    return int(json.loads((tokenizer / "info.json").read_text())["vocab_size"])


def write_checkpoint(folder: Path, geometry: str, tokenizer: Path) -> Path:
    """A folder with a model's configuration and links to a tokenizer's files. Returns `folder`."""
    for file in tokenizer.iterdir():
        (folder / file.name).symlink_to(file.resolve())
    config = {
        **GEOMETRIES[geometry], "vocab_size": vocab_size(tokenizer), "max_position_embeddings": 8192,
        "rms_norm_eps": 1e-5, "hidden_act": "silu", "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "bfloat16",
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    return folder


def weight_bytes(geometry: str, vocab: int) -> int:
    """Bytes of bfloat16 weights that a step reads: all layers and the head."""
    shape = GEOMETRIES[geometry]
    hidden, inner, dim = shape["hidden_size"], shape["intermediate_size"], shape["head_dim"]
    heads, kv_heads = shape["num_attention_heads"], shape["num_key_value_heads"]
    layer = hidden * dim * (2 * heads + 2 * kv_heads) + 3 * hidden * inner
    return int(2 * (shape["num_hidden_layers"] * layer + vocab * hidden))

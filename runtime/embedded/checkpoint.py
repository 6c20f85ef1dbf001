"""Writing the trained weights as a Hugging Face directory, in shards that stay below 16 MB."""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from torch import Tensor

from slipform.runtime.embedded.generate import END, PAD, SPECIAL_TOKENS
from slipform.runtime.embedded.network import Decoder, Shape, hugging_face_names
from slipform.runtime.embedded.packing import pack, quantization_config

MAX_SHARD_BYTES = 15_900_000


def model_config(shape: Shape, *, is_packed: bool) -> dict[str, object]:
    config: dict[str, object] = {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "vocab_size": shape.vocab_size,
        "hidden_size": shape.hidden_size,
        "intermediate_size": shape.intermediate_size,
        "num_hidden_layers": shape.num_layers,
        "num_attention_heads": shape.num_heads,
        "num_key_value_heads": shape.num_kv_heads,
        "head_dim": shape.head_dim,
        "hidden_act": "silu",
        "max_position_embeddings": shape.context,
        "rms_norm_eps": shape.norm_eps,
        "rope_theta": shape.rope_theta,
        "rope_parameters": {"rope_type": "default", "rope_theta": shape.rope_theta},
        "attention_bias": False,
        "mlp_bias": False,
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": SPECIAL_TOKENS.index(END),
        "pad_token_id": SPECIAL_TOKENS.index(PAD),
        "dtype": "bfloat16",
    }
    return config | {"quantization_config": quantization_config()} if is_packed else config


def save(model: Decoder, out: Path, *, in_8_bits: bool) -> None:
    """Write config, generation config, shards and their index into `out`.

    Args:
        in_8_bits: linear layers as `packing.py` packs them; the rest, or all, is bfloat16.
    """
    out.mkdir(parents=True, exist_ok=True)
    state: dict[str, Tensor] = {}
    for name, weight in hugging_face_names(model.state_dict()).items():
        weight = weight.detach().cpu()
        if in_8_bits and "_proj." in name:
            state |= {name + part: tensor for part, tensor in pack(weight).items()}
        else:
            state[name] = weight.to(torch.bfloat16).contiguous()
    shards: list[dict[str, Tensor]] = [{}]
    size = 0
    for name, tensor in state.items():
        if size + tensor.nbytes > MAX_SHARD_BYTES:
            shards.append({})
            size = 0
        shards[-1][name] = tensor
        size += tensor.nbytes
    where: dict[str, str] = {}
    for i, shard in enumerate(shards, 1):
        file = f"model-{i:05}-of-{len(shards):05}.safetensors"
        save_file(shard, out / file, metadata={"format": "pt"})
        where |= dict.fromkeys(shard, file)
    index = {"metadata": {"total_size": sum(t.nbytes for t in state.values())}, "weight_map": where}
    _write(out / "model.safetensors.index.json", index)
    _write(out / "config.json", model_config(model.shape, is_packed=in_8_bits))
    generation = {
        "eos_token_id": SPECIAL_TOKENS.index(END),
        "pad_token_id": SPECIAL_TOKENS.index(PAD),
        "do_sample": False,
    }
    _write(out / "generation_config.json", generation)


def _write(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")

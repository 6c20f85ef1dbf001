"""Weights in 4 and 8 bits: packed by compressed-tensors' own code, computed as transformers computes with them."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from compressed_tensors.compressors.pack_quantized.helpers import pack_to_int32
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, LlamaConfig

from slipform.errors import ConfigError
from slipform.runtime.models.interface import CausalModel
from slipform.runtime.models.loader import load_model
from slipform.runtime.models.packed_weights import packed_form
from tests.runtime.checkpoints import TINY, last_logits, prompts, save_random
from tests.runtime.running_models import Runner, Stream

LLAMA = LlamaConfig(**TINY, intermediate_size=48, num_key_value_heads=2, max_position_embeddings=256)


def quantization(num_bits: int = 8, group_size: int | None = 16, **changes: Any) -> dict[str, Any]:
    weights = {
        "num_bits": num_bits,
        "type": "int",
        "symmetric": True,
        "strategy": "channel" if group_size is None else "group",
        "group_size": group_size,
    }
    return {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "quantization_status": "compressed",
        "ignore": ["lm_head"],
        "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights | changes, "input_activations": None}},
    }


def write_packed(path: Path, num_bits: int, group_size: int | None) -> None:
    """A random checkpoint whose linear layers, but for the head, lie there in a few bits."""
    save_random(LLAMA, path)
    weights = load_file(path / "model.safetensors")
    for name in [name for name in weights if "proj" in name]:
        weight = weights.pop(name)
        grouped = weight.view(len(weight), -1, group_size or weight.shape[1])
        scale = grouped.abs().amax(-1) / ((1 << (num_bits - 1)) - 1)
        integers = (grouped / scale[:, :, None]).round().to(torch.int8).view_as(weight)
        weights[f"{name}_packed"] = pack_to_int32(integers, num_bits)
        weights[f"{name}_scale"] = scale
        weights[f"{name}_shape"] = torch.tensor(weight.shape)
    save_file(weights, path / "model.safetensors", metadata={"format": "pt"})
    describe(path, quantization(num_bits, group_size))


def describe(path: Path, form: dict[str, Any]) -> None:
    config = json.loads((path / "config.json").read_text())
    (path / "config.json").write_text(json.dumps({**config, "quantization_config": form}))


def load(path: Path) -> CausalModel:
    return load_model(path, dtype=torch.float32, device="cpu")


@pytest.mark.parametrize(("num_bits", "group_size"), [(8, 16), (8, None), (4, 16), (4, None)])
def test_logits_equal_those_of_transformers(tmp_path: Path, num_bits: int, group_size: int | None) -> None:
    write_packed(tmp_path, num_bits, group_size)
    reference: Any = AutoModelForCausalLM.from_pretrained(tmp_path, dtype=torch.float32).eval()
    ids = prompts(4, 40)
    found = Runner(load(tmp_path)).step([Stream(list(prompt)) for prompt in ids])
    expected = torch.stack([last_logits(reference, prompt) for prompt in ids])
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("form", "message"),
    [
        ({"quant_method": "awq", "bits": 4}, "quantized by 'awq'"),
        ({**quantization(), "config_groups": {}}, "0 groups"),
        ({**quantization(), "format": "int-quantized"}, "the form 'int-quantized'"),
        ({**quantization(), "kv_cache_scheme": {"num_bits": 8}}, "KV cache"),
        (quantization(3), "3 bits"),
        (quantization(type="float"), "type 'float'"),
        (quantization(symmetric=False), "asymmetric"),
        (quantization(strategy="block"), "scales by 'block'"),
    ],
)
def test_other_forms_are_refused_by_name(tmp_path: Path, form: dict[str, Any], message: str) -> None:
    save_random(LLAMA, tmp_path)
    describe(tmp_path, form)
    with pytest.raises(ConfigError, match=message):
        load(tmp_path)


def test_rounded_activations_are_refused() -> None:
    form = quantization()
    form["config_groups"]["group_0"]["input_activations"] = {"num_bits": 8}
    with pytest.raises(ConfigError, match="activations"):
        packed_form(form)


@pytest.mark.parametrize(
    ("part", "change", "message"),
    [
        ("packed", None, r"up_proj\.weight is missing"),
        ("packed", torch.zeros((48, 7), dtype=torch.int32), "packed elements"),
        ("packed", torch.zeros((48, 8)), "packed elements are torch.float32"),
        ("scale", torch.zeros((48, 3)), "scales have shape"),
        ("shape", torch.tensor([48, 24]), "groups of 16"),
        ("shape", torch.tensor([48, 64]), "packed elements"),
        ("shape", torch.tensor([48]), r"up_proj\.weight"),
    ],
)
def test_parts_that_do_not_fit(tmp_path: Path, part: str, change: torch.Tensor | None, message: str) -> None:
    write_packed(tmp_path, 8, 16)
    weights = load_file(tmp_path / "model.safetensors")
    del weights[name := f"model.layers.0.mlp.up_proj.weight_{part}"]
    if change is not None:
        weights[name] = change
    save_file(weights, tmp_path / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ConfigError, match=message):
        load(tmp_path)

"""Weights stored in a few bits: the `pack-quantized` form of compressed-tensors, unpacked when they are read.

Of a linear layer's weight the checkpoint holds `weight_packed` (rows of int32, elements of 4 or 8 bits side by side
from the lowest bit on, shifted to be unsigned), `weight_scale` (one of a row, or of each group of a row's elements) and
`weight_shape`. A weight is its integer times its scale. Other methods and forms are refused by name.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from slipform.errors import ConfigError

PARTS = ("_packed", "_scale", "_shape")


@dataclass(frozen=True, slots=True)
class PackedForm:
    """How the packed weights of a checkpoint are read.

    Attributes:
        num_bits: of an element, 4 or 8.
        group_size: elements of a row that share a scale; None stands for the whole row.
    """

    num_bits: int
    group_size: int | None

    def unpack(self, packed: Tensor, scale: Tensor, shape: tuple[int, ...]) -> Tensor:
        """The weight.

        Args:
            packed: (N, ceil(K * num_bits / 32)) int32. scale: (N, groups) of any floating dtype. shape: (N, K).

        Returns: (N, K) float32. Raises: ValueError where the parts do not fit each other.
        """
        rows, columns = shape
        groups = 1 if self.group_size is None else columns // self.group_size
        if self.group_size is not None and columns % self.group_size:
            raise ValueError(f"{columns} elements a row are no multiple of groups of {self.group_size}")
        words = -(-columns * self.num_bits // 32)
        if packed.dtype != torch.int32 or tuple(packed.shape) != (rows, words):
            raise ValueError(
                f"packed elements are {packed.dtype} of {tuple(packed.shape)}, not int32 of {(rows, words)}"
            )
        if tuple(scale.shape) != (rows, groups):
            raise ValueError(f"scales have shape {tuple(scale.shape)}, not {(rows, groups)}")
        shifts = torch.arange(0, 32, self.num_bits, dtype=torch.int32)
        elements = (packed[:, :, None] >> shifts) & ((1 << self.num_bits) - 1)
        integers = elements.view(rows, -1)[:, :columns] - (1 << (self.num_bits - 1))
        return (integers.view(rows, groups, -1) * scale.float()[:, :, None]).view(rows, columns)


def packed_form(quantization: dict[str, Any] | None) -> PackedForm | None:
    """What the `quantization_config` of a config.json says; None where there is none.

    Raises: ConfigError naming what is not read: another method, form, bit width, type of scale, or rounded activations.
    """
    if quantization is None:
        return None
    method = quantization.get("quant_method")
    if method != "compressed-tensors":
        raise _refusal(f"weights quantized by {method!r}")
    groups = list(quantization.get("config_groups", {}).values())
    if len(groups) != 1:
        raise _refusal(f"{len(groups)} groups of quantized layers")
    (group,) = groups
    form = group.get("format") or quantization.get("format")
    if form != "pack-quantized":
        raise _refusal(f"the form {form!r} of compressed-tensors")
    if group.get("input_activations") or group.get("output_activations"):
        raise _refusal("quantized activations")
    if quantization.get("kv_cache_scheme"):
        raise _refusal("a quantized KV cache")
    weights = group["weights"]
    if weights.get("num_bits") not in (4, 8) or weights.get("type", "int") != "int":
        raise _refusal(f"weights of {weights.get('num_bits')} bits of type {weights.get('type')!r}")
    if not weights.get("symmetric", True):
        raise _refusal("asymmetric weights")
    if weights.get("strategy") not in ("group", "channel"):
        raise _refusal(f"scales by {weights.get('strategy')!r}")
    group_size = weights["group_size"] if weights["strategy"] == "group" else None
    return PackedForm(weights["num_bits"], group_size)


def _refusal(what: str) -> ConfigError:
    return ConfigError(
        f"{what} cannot be read; weights may be in float32, bfloat16 or float16, or in 4 or 8 bits as "
        "compressed-tensors packs them (pack-quantized, symmetric, weights only)",
        field="model",
    )

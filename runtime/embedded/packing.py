"""Trained weights in 8 bits, so that twice as many fit into a repository: the form that `models/packed_weights.py` reads.

Scales are powers of two: an integer of 8 bits times one is exact in bfloat16, so that whoever reads the weights, in
whatever precision, computes with the same numbers, and CPU kernels keep them in two bytes. It costs up to one of the
8 bits.
"""

import torch
from torch import Tensor

NUM_BITS = 8
GROUP_SIZE = 64
_LARGEST = (1 << (NUM_BITS - 1)) - 1


def pack(weight: Tensor) -> dict[str, Tensor]:
    """A weight (N, K) as its parts under their suffixes. K must be a multiple of `GROUP_SIZE`.

    Each group of a row has the smallest power of two as its scale that keeps all its elements within the integers.
    """
    rows, columns = weight.shape
    groups = weight.float().view(rows, columns // GROUP_SIZE, GROUP_SIZE)
    largest = groups.abs().amax(-1).clamp_min(torch.finfo(torch.bfloat16).tiny)
    scale = torch.exp2(torch.ceil(torch.log2(largest / _LARGEST)))
    integers = (groups / scale[:, :, None]).round().clamp(-_LARGEST - 1, _LARGEST).to(torch.int32)
    unsigned = (integers + (_LARGEST + 1)).view(rows, columns // 4, 4)
    shifts = torch.arange(0, 32, NUM_BITS, dtype=torch.int32)
    # Four bytes side by side; the sum of 64 bits is cut to the 32 that are stored.
    words = (unsigned.long() << shifts).sum(-1)
    packed = torch.where(words >= 1 << 31, words - (1 << 32), words).to(torch.int32)
    return {
        "_packed": packed.contiguous(),
        "_scale": scale.to(torch.bfloat16),
        "_shape": torch.tensor(weight.shape),
    }


def quantization_config() -> dict[str, object]:
    """What config.json says of weights packed so: all linear layers but the head."""
    weights = {
        "num_bits": NUM_BITS,
        "type": "int",
        "symmetric": True,
        "strategy": "group",
        "group_size": GROUP_SIZE,
        "dynamic": False,
    }
    return {
        "quant_method": "compressed-tensors",
        "format": "pack-quantized",
        "quantization_status": "compressed",
        "ignore": ["lm_head"],
        "config_groups": {"group_0": {"targets": ["Linear"], "weights": weights, "input_activations": None}},
    }

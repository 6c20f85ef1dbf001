"""What a GPU's memory would hold, before anything is loaded."""

import re

import pytest
import torch

from slipform.cli_check import gpu_plan
from slipform.errors import ConfigError
from slipform.runtime.config import EMBEDDED_MODEL, resolve
from slipform.runtime.gpu_memory import RESERVE_BYTES, estimate, slot_bytes
from slipform.runtime.kv_pool import KVPool

GIB = 1 << 30


def test_slots_are_what_weights_and_reserve_leave() -> None:
    slot = slot_bytes([(8, 128)] * 32, torch.bfloat16)
    assert slot == 2 * 32 * 8 * 128 * 2
    plan = dict(estimate(total=80 * GIB, weights=15 * GIB, slot=slot, fraction=0.5))
    expected = (80 * GIB - 15 * GIB - RESERVE_BYTES) // 2 // slot
    assert plan["KV pool"].endswith(f"{expected} tokens of 128 KiB")
    assert plan["weights"] == "15.00 GiB"


def test_a_card_that_is_too_small_holds_nothing() -> None:
    plan = dict(estimate(total=GIB, weights=15 * GIB, slot=1024, fraction=0.9))
    assert plan["KV pool"].startswith("at most 0.00 GiB, 0 tokens")


def test_plan_of_a_checkpoint() -> None:
    names = [name for name, _ in gpu_plan(EMBEDDED_MODEL, 80 * GIB)]
    assert names == ["weights", "reserve", "KV pool"]


def test_8_bits_hold_nearly_twice_as_much() -> None:
    shapes = [(8, 128)] * 32
    assert slot_bytes(shapes, torch.bfloat16, in_float8=True) == 32 * 8 * 2 * (128 + 4)
    plans = [dict(gpu_plan(EMBEDDED_MODEL, 80 * GIB, kv_dtype=kind))["KV pool"] for kind in ("auto", "fp8")]
    tokens = [int(plan.split()[4]) for plan in plans]
    # The embedded model's heads are of 64: 128 bytes, or 64 and a scale of 4.
    assert tokens[1] / tokens[0] == pytest.approx(128 / 68, rel=1e-3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kv_dtype": "fp8"}, "kv_dtype: 'fp8' is for GPUs"),
        ({"deterministic": True}, "deterministic: True is for GPUs"),
        ({"kv_dtype": "int4"}, "kv_dtype: must be one of auto, fp8"),
        ({"deterministic": "yes"}, "deterministic: must be True or False"),
    ],
)
def test_options_of_gpus_are_refused_without_one(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        resolve(None, options, cuda=False)


def test_a_pool_in_8_bits_has_scales_and_models_get_it() -> None:
    pool = KVPool(6, kv_shapes=[(2, 4), (1, 8)], dtype=torch.bfloat16, in_float8=True)
    assert [tuple(keys.shape) for keys in pool.keys] == [(6, 2, 4), (6, 1, 8)]
    assert all(tensor.dtype is torch.float8_e4m3fn for tensor in (*pool.keys, *pool.values))
    assert pool.scales is not None
    assert [tuple(scales.shape) for scales in pool.scales] == [(2, 6, 2), (2, 6, 1)]

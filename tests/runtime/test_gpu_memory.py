"""What a GPU's memory would hold, before anything is loaded."""

import torch

from slipform.cli_check import gpu_plan
from slipform.runtime.config import EMBEDDED_MODEL
from slipform.runtime.gpu_memory import RESERVE_BYTES, estimate, slot_bytes

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

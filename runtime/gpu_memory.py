"""How a GPU's memory is divided: weights, what a step needs, a reserve, and KV slots in the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from slipform.errors import ConfigError
from slipform.kernels.attention_plan import AttentionSettings
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.models.interface import CausalModel

# The first GPUs with float8_e4m3fn: Ada and Hopper.
_FLOAT8_CAPABILITY = (8, 9)
# For recorded steps, libraries' workspaces and what allocators cannot use.
RESERVE_BYTES = 2 << 30
_PROBE_LEN = 512


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """Bytes of one GPU. `free`: when the weights are loaded; `step`: measured on the largest step.

    `slots`: tokens that the KV pool holds, `slot` bytes each.
    """

    free: int
    step: int
    reserve: int
    slot: int
    slots: int

    def lines(self) -> list[tuple[str, str]]:
        """(what, how much) for people."""
        return [
            ("free beside the weights", _gib(self.free)),
            ("largest step", _gib(self.step)),
            ("reserve", _gib(self.reserve)),
            ("KV pool", f"{_gib(self.slots * self.slot)}, {self.slots} tokens of {self.slot / 1024:.0f} KiB"),
        ]


def plan_memory(
    model: CausalModel,
    attention: AttentionSettings,
    *,
    fraction: float,
    token_budget: int,
    num_rows: int,
    max_slots: int,
    max_context: int,
    in_float8: bool = False,
) -> MemoryPlan:
    """Measure the largest step, and give `fraction` of what is free beside it and the reserve to KV slots.

    Args:
        token_budget, num_rows: tokens and rows of logits of the largest step.
        max_slots: what the running sequences could ever use.
        in_float8: whether keys and values are kept in 8 bits.

    Raises: ConfigError if not one slot is left, or the GPU has no such 8 bits.
    """
    device = model.device
    if in_float8 and torch.cuda.get_device_capability(device) < _FLOAT8_CAPABILITY:
        raise ConfigError(f"{torch.cuda.get_device_name(device)} has no float8", field="kv_dtype")
    step = _measure(device, lambda: _largest_step(model, attention, token_budget, num_rows, max_context, in_float8))
    torch.cuda.empty_cache()
    free = torch.cuda.mem_get_info(device)[0]
    slot = slot_bytes(model.config.kv_shapes, model.dtype, in_float8=in_float8)
    slots = min(int((free - step - RESERVE_BYTES) * fraction) // slot, max_slots)
    if slots < 1:
        raise ConfigError(
            f"{_gib(free)} are free beside the weights; the largest step takes {_gib(step)} and the reserve is "
            f"{_gib(RESERVE_BYTES)}: no room for the KV of one token",
            field="memory_fraction",
        )
    return MemoryPlan(free, step, RESERVE_BYTES, slot, slots)


def slot_bytes(kv_shapes: Sequence[tuple[int, int]], dtype: torch.dtype, *, in_float8: bool = False) -> int:
    """Keys and values of one token over all layers, with their scales in 8 bits; `kv_shapes`: per layer (Hkv, D)."""
    if in_float8:
        return sum(2 * heads * (dim + torch.float32.itemsize) for heads, dim in kv_shapes)
    return sum(2 * heads * dim * dtype.itemsize for heads, dim in kv_shapes)


def estimate(*, total: int, weights: int, slot: int, fraction: float) -> list[tuple[str, str]]:
    """(what, how much) of a GPU with `total` bytes before anything is loaded; the largest step is measured at start.

    Args:
        weights: bytes of the weights. slot: bytes of one KV slot. fraction: `EngineConfig.memory_fraction`.
    """
    slots = max(0, int((total - weights - RESERVE_BYTES) * fraction) // slot)
    return [
        ("weights", _gib(weights)),
        ("reserve", _gib(RESERVE_BYTES)),
        ("KV pool", f"at most {_gib(slots * slot)}, {slots} tokens of {slot / 1024:.0f} KiB"),
    ]


def _measure(device: torch.device, run: Callable[[], None]) -> int:
    """Most bytes that `run` holds at a time."""
    before = torch.cuda.memory_allocated(device)
    torch.cuda.reset_peak_memory_stats(device)
    run()
    torch.cuda.synchronize(device)
    return torch.cuda.max_memory_allocated(device) - before


@dataclass(frozen=True, slots=True)
class _OneLayerPool:
    """A pool whose layers share their memory: for a step whose result nobody reads."""

    keys: list[torch.Tensor]
    values: list[torch.Tensor]
    scales: list[torch.Tensor] | None


def _largest_step(
    model: CausalModel,
    attention: AttentionSettings,
    num_tokens: int,
    num_rows: int,
    max_context: int,
    in_float8: bool,
) -> None:
    device = model.device
    length = min(_PROBE_LEN, max_context, num_tokens)
    count = num_tokens // length
    total = count * length
    dtype = torch.float8_e4m3fn if in_float8 else model.dtype
    memory: dict[tuple[int, int], torch.Tensor] = {}
    for heads, dim in model.config.kv_shapes:
        memory.setdefault((heads, dim), torch.zeros((total, heads, dim), dtype=dtype, device=device))
    tensors = [memory[shape] for shape in model.config.kv_shapes]
    scales = None
    if in_float8:
        scales = [torch.ones((2, total, heads), device=device) for heads, _ in model.config.kv_shapes]
    rows = torch.linspace(0, total - 1, min(num_rows, total), device=device).to(torch.int32)
    batch = ForwardBatch(
        input_ids=torch.zeros(total, dtype=torch.int32, device=device),
        positions=torch.arange(length, dtype=torch.int32, device=device).repeat(count),
        out_slots=torch.arange(total, dtype=torch.int32, device=device),
        cu_seqlens=torch.arange(count + 1, dtype=torch.int32, device=device) * length,
        seq_lens=torch.full((count,), length, dtype=torch.int32, device=device),
        slot_table=torch.arange(total, dtype=torch.int32, device=device).view(count, length),
        logits_rows=rows,
        max_extend_len=length,
        max_seq_len=max_context,
        attention_plan=attention.plan_lens([length] * count, device),
    )
    model.forward(batch, _OneLayerPool(tensors, tensors, scales))


def _gib(size: int) -> str:
    return f"{size / 2**30:.2f} GiB"

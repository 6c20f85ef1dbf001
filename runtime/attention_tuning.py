"""How attention runs over one model's geometry: its division among programs, and the form of a program that is fastest
on this GPU, measured once and kept on disk."""

from collections.abc import Callable
from dataclasses import replace

import torch

from slipform.kernels.attention_plan import AttentionPlan, AttentionSettings, LaunchShape
from slipform.runtime.models.interface import CausalModel

# What is tried for tiles of few and of many rows, beside the usual shape.
FEW_SHAPES = (LaunchShape(128, 4, 2), LaunchShape(32, 4, 4), LaunchShape(64, 2, 4), LaunchShape(128, 8, 3))
MANY_SHAPES = (LaunchShape(64, 4, 2), LaunchShape(32, 4, 2))
# Counted up with a change of the kernels after which another form may win: what is kept on disk is measured anew then.
_REVISION = 2
# A decode step of sequences of this length, and prompts of this length.
_CONTEXT, _SEQUENCES = 1024, 32
_PROMPT, _PROMPTS = 1024, 4
# Less than this is noise, and the usual shape stays.
_GAIN = 0.97


def attention_settings(
    model: CausalModel, *, in_float8: bool, deterministic: bool, max_context: int
) -> AttentionSettings:
    """The settings for a model; see `EngineConfig.deterministic`. Measures on a GPU what is not known of it yet."""
    config = model.config
    limit = max_context if deterministic else 0
    settings = AttentionSettings.of_model(config.kv_shapes, config.num_heads, invariant_up_to=limit)
    if model.device.type != "cuda" or model.dtype is torch.float32:
        return settings
    from slipform.runtime.measured_choices import remembered

    kv_heads, dim = config.kv_shapes[0]
    key = f"{_REVISION}: {config.num_heads}/{kv_heads}x{dim} {model.dtype} float8={in_float8} {settings.sizes}"
    found = remembered("attention", key, lambda: _measure(model, settings, in_float8=in_float8))
    few, many = (None if shape is None else LaunchShape(*shape) for shape in found)
    return replace(settings, few_shape=few, many_shape=many)


def _measure(model: CausalModel, settings: AttentionSettings, *, in_float8: bool) -> list[list[int] | None]:
    """The fields of the fastest shapes for tiles of few and of many rows; None where the usual one is."""
    few = _Trial(model, [1] * _SEQUENCES, _CONTEXT, in_float8)
    found = [_fastest(FEW_SHAPES, lambda shape: few.run(replace(settings, few_shape=shape)))]
    if settings.sizes.many_queries > _PROMPT:
        return [*found, None]
    prompts = _Trial(model, [_PROMPT] * _PROMPTS, _PROMPT, in_float8)
    return [*found, _fastest(MANY_SHAPES, lambda shape: prompts.run(replace(settings, many_shape=shape)))]


def _fastest(shapes: tuple[LaunchShape, ...], run: Callable[[LaunchShape | None], object]) -> list[int] | None:
    from triton.runtime.errors import OutOfResources

    from slipform.runtime.measured_choices import milliseconds

    best, chosen = milliseconds(lambda: run(None)) * _GAIN, None
    for shape in shapes:
        try:
            taken = milliseconds(lambda shape=shape: run(shape))  # type: ignore[misc]
        except OutOfResources:
            continue  # heads of this size leave no room for it
        if taken < best:
            best, chosen = taken, [shape.keys, shape.num_warps, shape.num_stages]
    return chosen


class _Trial:
    """Attention of one layer over random keys in scattered slots."""

    def __init__(self, model: CausalModel, extend_lens: list[int], seq_len: int, in_float8: bool) -> None:
        from slipform.kernels import gpu

        device, count = model.device, len(extend_lens)
        heads, dim = model.config.kv_shapes[0]
        num_slots = count * seq_len
        self._kernels = gpu
        self._lens = extend_lens
        self._scale = dim**-0.5
        self._query = torch.randn((sum(extend_lens), model.config.num_heads, dim), device=device).to(model.dtype)
        dtype = torch.float8_e4m3fn if in_float8 else model.dtype
        self._keys, self._values = (torch.randn((num_slots, heads, dim), device=device).to(dtype) for _ in range(2))
        self._scales = torch.ones((2, num_slots, heads), device=device) if in_float8 else None
        self._table = torch.randperm(num_slots, device=device).int().view(count, seq_len)
        lens = torch.tensor([0, *extend_lens], dtype=torch.int32)
        self._cu_seqlens = lens.cumsum(0, dtype=torch.int32).to(device)
        self._seq_lens = torch.full((count,), seq_len, dtype=torch.int32, device=device)
        self._plans: dict[AttentionSettings, AttentionPlan] = {}

    def run(self, settings: AttentionSettings) -> torch.Tensor:
        if settings not in self._plans:  # made before a graph is recorded
            self._plans[settings] = settings.plan_lens(self._lens, self._query.device)
        return self._kernels.attention(
            self._query,
            self._keys,
            self._values,
            self._table,
            self._cu_seqlens,
            self._seq_lens,
            scale=self._scale,
            plan=self._plans[settings],
            kv_scales=self._scales,
        )

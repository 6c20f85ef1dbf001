"""Any other decoder-only model, run by transformers with attention over our KV pool.

The flat tokens of a batch go in as a batch of one with their position ids. transformers computes everything but
attention, which it looks up by name: a function registered under that name stores the new keys and values in the pool
and attends over slots. Two families that compute attention in their own modules (Falcon, Bloom) get these replaced.

Whether a model can be run this way is not taken on trust: when it is loaded, a short text is computed by its own
attention and, in chunks, by ours, and the logits must agree.
"""

import contextlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoModelForCausalLM
from transformers.utils import logging as transformers_logging

from slipform.errors import ConfigError
from slipform.kernels.interface import Kernels, kernels_for
from slipform.runtime.batch import ForwardBatch
from slipform.runtime.models.config import ModelConfig
from slipform.runtime.models.flat_attention import (
    IMPLEMENTATION,
    FlatAttention,
    register,
    replace_attention_modules,
)
from slipform.runtime.models.interface import KVTensors

_PROBE_LENGTHS = (5, 1, 2)
_PROBE_TOLERANCE = {torch.float32: 1e-3, torch.bfloat16: 0.1}


@dataclass(slots=True)
class _Tensors:
    """A pool for the probe."""

    keys: list[Tensor]
    values: list[Tensor]
    scales: None = None


class TransformersModel:
    """A transformers model behind `CausalModel`. `forward` is safe to call from one thread at a time."""

    def __init__(self, config: ModelConfig, path: Path, *, dtype: torch.dtype, device: torch.device) -> None:
        """Raises: ConfigError if transformers cannot load it, or its attention cannot be computed over the pool."""
        self.dtype = dtype
        self.device = device
        self._kernels: Kernels = kernels_for(device)
        self._model = _load(config, path, dtype, device)
        self._current: FlatAttention | None = None
        expected = self._own_logits()
        register()
        replace_attention_modules(self._model, self._running)
        self._model.config._attn_implementation = IMPLEMENTATION
        self.config = replace(config, kv_shapes=self._record_shapes(config))
        self._check(expected)

    @torch.inference_mode()
    def forward(self, batch: ForwardBatch, pool: KVTensors) -> Tensor:
        """See `CausalModel.forward`."""
        return self._run(FlatAttention(self._kernels, batch, pool), batch)

    @torch.inference_mode()
    def states(self, batch: ForwardBatch, pool: KVTensors) -> Tensor:
        """See `StatesModel.states`."""
        attention = FlatAttention(self._kernels, batch, pool)
        states: Tensor = self._call(self._model.base_model, attention, batch).last_hidden_state[0]
        return states[batch.logits_rows].float()

    def _run(self, attention: FlatAttention, batch: ForwardBatch) -> Tensor:
        logits: Tensor = self._call(self._model, attention, batch, logits_to_keep=batch.logits_rows).logits[0]
        return logits.float()

    def _call(self, module: Any, attention: FlatAttention, batch: ForwardBatch, **options: Any) -> Any:
        self._current = attention
        try:
            return module(
                input_ids=batch.input_ids.unsqueeze(0),
                position_ids=batch.positions.unsqueeze(0),
                use_cache=False,
                flat_attention=attention,
                **options,
            )
        finally:
            self._current = None

    def _running(self) -> FlatAttention:
        assert self._current is not None
        return self._current

    def _probe_ids(self) -> Tensor:
        vocab = int(self._model.config.get_text_config(decoder=True).vocab_size)
        return (torch.arange(sum(_PROBE_LENGTHS), device=self.device) * 7 + 3) % vocab

    @torch.inference_mode()
    def _own_logits(self) -> Tensor:
        """(T, V) float32, by the model's own attention."""
        logits: Tensor = self._model(input_ids=self._probe_ids().unsqueeze(0), use_cache=False).logits[0]
        return logits.float()

    @torch.inference_mode()
    def _record_shapes(self, config: ModelConfig) -> tuple[tuple[int, int], ...]:
        """Run the model once without a pool to see which layers attend, and with what."""
        attention = FlatAttention(self._kernels, None, None)
        ids = self._probe_ids()
        self._guarded_run(config, attention, _probe_batch(ids, 0, len(ids)))
        if sorted(attention.shapes) != list(range(config.num_layers)):
            raise ConfigError(
                f"{config.architecture}: of its {config.num_layers} layers, {sorted(attention.shapes)} attend in a way "
                "that can be routed to the KV pool",
                field="model",
            )
        return tuple(attention.shapes[layer] for layer in range(config.num_layers))

    @torch.inference_mode()
    def _check(self, expected: Tensor) -> None:
        """Compute the probe in chunks over a pool, and compare."""
        ids = self._probe_ids()
        shapes = [(len(ids), *shape) for shape in self.config.kv_shapes]
        pool = _Tensors(
            [torch.zeros(shape, dtype=self.dtype, device=self.device) for shape in shapes],
            [torch.zeros(shape, dtype=self.dtype, device=self.device) for shape in shapes],
        )
        rows = []
        for end, length in zip(itertools.accumulate(_PROBE_LENGTHS), _PROBE_LENGTHS, strict=True):
            batch = _probe_batch(ids, end - length, length)
            rows.append(self._guarded_run(self.config, FlatAttention(self._kernels, batch, pool), batch))
        difference = (torch.cat(rows) - expected).abs().max().item()
        allowed = _PROBE_TOLERANCE[self.dtype] * max(1.0, expected.abs().max().item())
        if not difference <= allowed:
            raise ConfigError(
                f"{self.config.architecture}: with attention over the KV pool its logits differ by {difference:.3g} "
                f"from its own (allowed: {allowed:.3g}); it computes attention in a way that is not supported",
                field="model",
            )

    def _guarded_run(self, config: ModelConfig, attention: FlatAttention, batch: ForwardBatch) -> Tensor:
        """A probe's pass: a model that cannot take our arguments fails in its own code, in its own way."""
        try:
            return self._run(attention, batch)
        except (TypeError, ValueError, KeyError, AttributeError, IndexError, RuntimeError) as error:
            raise ConfigError(
                f"{config.architecture}: attention cannot be routed to the KV pool: {error}", field="model"
            ) from error


def _load(config: ModelConfig, path: Path, dtype: torch.dtype, device: torch.device) -> Any:
    kinds = set(getattr(config.hf, "layer_types", None) or ()) - {"full_attention", "sliding_attention"}
    if kinds:
        raise ConfigError(f"{config.architecture}: layers of kind {', '.join(sorted(kinds))} are not supported")
    _refuse_rope_by_length(config)
    with _quiet():
        try:
            model, report = AutoModelForCausalLM.from_pretrained(
                path,
                dtype=dtype,
                use_safetensors=True,
                local_files_only=True,
                output_loading_info=True,
            )
        except (ValueError, OSError, RuntimeError) as error:
            raise ConfigError(f"{path} cannot be loaded by transformers: {error}", field="model") from error
    for kind in ("missing_keys", "unexpected_keys", "mismatched_keys"):
        if report.get(kind):
            names = sorted(str(name) for name in report[kind])
            raise ConfigError(f"{path}: {kind.replace('_', ' ')}: {', '.join(names[:5])}", field="model")
    return model.to(device).eval().requires_grad_(False)


def _refuse_rope_by_length(config: ModelConfig) -> None:
    """transformers picks longrope's frequencies by the longest sequence of a batch; here sequences must not touch."""
    rope = getattr(config.hf, "rope_parameters", None) or {}
    if rope.get("rope_type") != "longrope":
        return
    original: int = rope["original_max_position_embeddings"]
    if config.max_position > original:
        raise ConfigError(
            f"{config.architecture} rotates by the length of the text; choose at most {original}", field="max_position"
        )


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """No progress bars on a user's terminal while weights load."""
    shown = transformers_logging.is_progress_bar_enabled()
    transformers_logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            transformers_logging.enable_progress_bar()


def _probe_batch(ids: Tensor, start: int, length: int) -> ForwardBatch:
    """Tokens start:start+length of one sequence whose token i lives in slot i; logits of all of them."""
    end = start + length
    device = ids.device
    return ForwardBatch(
        input_ids=ids[start:end],
        positions=torch.arange(start, end, device=device),
        out_slots=torch.arange(start, end, device=device),
        cu_seqlens=torch.tensor([0, length], dtype=torch.int32, device=device),
        seq_lens=torch.tensor([end], dtype=torch.int32, device=device),
        slot_table=torch.arange(end, dtype=torch.int32, device=device).unsqueeze(0),
        logits_rows=torch.arange(length, device=device),
        max_extend_len=length,
        max_seq_len=end,
    )

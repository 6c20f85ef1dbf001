"""All layers of a Llama-like decoder in one call, on CPUs.

At batch 1 a step of a small model is over in a millisecond, and calling its nine operations a layer from Python costs
as much again. Here the loop over the layers is compiled: the kernels of this folder in their order, over a table of
addresses, each divided among the threads. What a captured graph is on a GPU, this is on a CPU.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numba import njit
from torch import Tensor

from slipform.kernels._numba import check_indices, int64_at, uint16_at
from slipform.kernels._team import parallel, team
from slipform.kernels.attention_cpu import attend, check_tables, run_attention, scratch_bytes
from slipform.kernels.linear_cpu import PackedWeight, pack, run_linear
from slipform.kernels.rms_norm_cpu import normalize
from slipform.kernels.rope_cpu import rotate_and_store
from slipform.kernels.silu_and_mul_cpu import multiply_by_silu


@dataclass(frozen=True, slots=True)
class DecoderLayer:
    """Weights of one layer, each contiguous; projections are (outputs, inputs), None stands for no bias or norm.

    Attributes:
        qkv: rows of all query heads, then key heads, then value heads.
        gate_up: rows of the gate, then of the up projection.
        window: tokens that a query sees; 0 is no bound.
    """

    input_norm: Tensor
    qkv: Tensor
    qkv_bias: Tensor | None
    query_norm: Tensor | None
    key_norm: Tensor | None
    window: int
    output: Tensor
    output_bias: Tensor | None
    mlp_norm: Tensor
    gate_up: Tensor
    gate_up_bias: Tensor | None
    down: Tensor
    down_bias: Tensor | None


class Decoder:
    """The layers, the last norm and the head."""

    def __init__(
        self,
        layers: Iterable[DecoderLayer],
        final_norm: Tensor,
        head: Tensor,
        *,
        num_heads: int,
        num_kv_heads: int,
        head_dim: int,
        eps: float,
    ) -> None:
        """Packs the projections layer by layer; nothing holds their plain form afterwards.

        Raises: ValueError if a weight is not contiguous or of another dtype than the rest.
        """
        self._dtype = final_norm.dtype
        self._vocab_size = head.shape[0]
        self._eps = eps
        self._keep: list[Tensor | PackedWeight] = [final_norm]  # the addresses below point into these
        inner = 0
        rows = []
        for layer in layers:
            inner = layer.down.shape[1]
            rows.append(self._addresses(layer))
        self._layers = np.array(rows, dtype=np.int64)
        self._geometry = (final_norm.shape[0], inner, num_heads, num_kv_heads, head_dim)
        self._tail = (self._address(final_norm), *self._packed(head))
        bodies = (normalize(), rotate_and_store(), attend(), multiply_by_silu())
        self._bodies = tuple(body.address for body in bodies)
        self._scratch_bytes = max(
            *(weight.scratch_bytes for weight in self._keep if isinstance(weight, PackedWeight)),
            scratch_bytes(head_dim),
        )
        self._workspace = torch.empty(0, dtype=self._dtype)
        self._scratch = torch.empty(0, dtype=torch.uint8)

    def __call__(
        self,
        residual: Tensor,
        positions: Tensor,
        cos_sin: Tensor,
        slots: Tensor,
        slot_table: Tensor,
        cu_seqlens: Tensor,
        seq_lens: Tensor,
        logits_rows: Tensor,
        key_pools: Sequence[Tensor],
        value_pools: Sequence[Tensor],
        *,
        states: bool = False,
    ) -> Tensor:
        """One step. residual: (T, H) embeddings of the tokens; logits_rows: ascending; the rest as in `interface.py`.

        Returns: (N, V) float32 logits of logits_rows; with `states` (N, H) float32, what the head would make them of.
        Raises: ValueError naming an argument of another dtype or layout.
        Mutates: residual and the pools.
        """
        check_indices(positions=positions, slots=slots, logits_rows=logits_rows)
        check_tables(slot_table, cu_seqlens, seq_lens)
        num_threads = torch.get_num_threads()
        self._reserve(residual.shape[0], num_threads)
        num_rows, hidden = logits_rows.shape[0], residual.shape[1]
        logits = torch.empty((num_rows, 0 if states else self._vocab_size), dtype=torch.float32)
        pools = np.array(
            [[key.data_ptr(), value.data_ptr()] for key, value in zip(key_pools, value_pools, strict=True)]
        )
        _run(
            team(),
            self._bodies,
            self._dtype is torch.bfloat16,
            self._layers,
            pools,
            self._tail,
            self._geometry,
            self._eps,
            self._workspace.data_ptr(),
            (self._scratch.data_ptr(), self._scratch_bytes),
            residual.data_ptr(),
            residual.shape[0],
            positions.data_ptr(),
            (cos_sin.data_ptr(), cos_sin.shape[1]),
            slots.data_ptr(),
            (slot_table.data_ptr(), slot_table.stride(0)),
            (cu_seqlens.data_ptr(), seq_lens.data_ptr(), seq_lens.shape[0]),
            (logits_rows.data_ptr(), num_rows),
            (0 if states else logits.data_ptr(), self._vocab_size),
            num_threads,
        )
        return self._workspace[: num_rows * hidden].view(num_rows, hidden).float().clone() if states else logits

    def _reserve(self, num_tokens: int, num_threads: int) -> None:
        """Make room for what lies between the operations. It grows to the largest step seen and stays."""
        hidden, inner, heads, kv_heads, dim = self._geometry
        size = num_tokens * (hidden + (2 * heads + 2 * kv_heads) * dim + 3 * inner)
        if self._workspace.numel() < size:
            self._workspace = torch.empty(size, dtype=self._dtype)
        if self._scratch.numel() < num_threads * self._scratch_bytes:
            self._scratch = torch.empty(num_threads * self._scratch_bytes, dtype=torch.uint8)

    def _address(self, tensor: Tensor | None) -> int:
        if tensor is None:
            return 0
        if tensor.dtype is not self._dtype or not tensor.is_contiguous():
            raise ValueError(f"layers: every weight must be contiguous and {self._dtype}")
        self._keep.append(tensor)
        return tensor.data_ptr()

    def _packed(self, weight: Tensor) -> tuple[int, int, int]:
        """A projection as (its share function, whether its panels are words, its data)."""
        if weight.dtype is not self._dtype:
            raise ValueError(f"layers: every weight must be contiguous and {self._dtype}")
        packed = pack(weight)
        self._keep.append(packed)
        return packed.share, packed.layout == "words", packed.data.data_ptr()

    def _addresses(self, layer: DecoderLayer) -> list[int]:
        """A row of the table that `_run` reads by the columns below."""
        return [
            self._address(layer.input_norm),
            self._address(layer.query_norm),
            self._address(layer.key_norm),
            self._address(layer.mlp_norm),
            layer.window,
            *self._packed(layer.qkv),
            self._address(layer.qkv_bias),
            *self._packed(layer.output),
            self._address(layer.output_bias),
            *self._packed(layer.gate_up),
            self._address(layer.gate_up_bias),
            *self._packed(layer.down),
            self._address(layer.down_bias),
        ]


# Columns of the table: single addresses, then four for each projection.
_INPUT_NORM, _QUERY_NORM, _KEY_NORM, _MLP_NORM, _WINDOW = range(5)
_QKV, _OUTPUT, _GATE_UP, _DOWN = range(5, 21, 4)

# A pass over this many elements takes as long as waking the other threads.
_ALONE = 4096


@njit(cache=True, nogil=True)
def _run(  # type: ignore[no-untyped-def]
    team,
    bodies,
    half,
    layers,
    pools,
    tail,
    geometry,
    eps,
    workspace,
    scratch,
    residual,
    tokens,
    positions,
    rotary,
    slots,
    table,
    sequences,
    rows,
    logits,
    num_threads,
):
    hidden, inner, heads, kv_heads, dim = geometry
    normalize_rows, rotate, attend_rows, activate = bodies
    item = 2 if half else 4
    query_size, kv_size = heads * dim, kv_heads * dim
    qkv_size = query_size + 2 * kv_size
    x = workspace
    projected = x + item * tokens * hidden
    attended = projected + item * tokens * qkv_size
    gate_up = attended + item * tokens * query_size
    activated = gate_up + item * tokens * 2 * inner
    for index in range(layers.shape[0]):
        layer = layers[index]
        keys, values = pools[index, 0], pools[index, 1]
        threads = num_threads if tokens * hidden > _ALONE else 1
        source, addend = (x, residual) if index else (residual, 0)
        parallel(team, normalize_rows, (source, addend, layer[_INPUT_NORM], x, half, tokens, hidden, eps), threads)
        _project(team, half, x, layer[_QKV : _QKV + 4], projected, tokens, qkv_size, hidden, scratch, num_threads)
        rotation = (
            projected,
            projected + item * query_size,
            projected + item * (query_size + kv_size),
            qkv_size,
            positions,
            rotary[0],
            rotary[1],
            keys,
            values,
            slots,
            layer[_QUERY_NORM],
            layer[_KEY_NORM],
            eps,
            half,
            tokens,
            heads,
            kv_heads,
            dim,
        )
        parallel(team, rotate, rotation, num_threads if tokens * qkv_size > _ALONE else 1)
        run_attention(
            team,
            attend_rows,
            (projected, qkv_size, attended),
            (keys, values, half),
            table,
            sequences,
            (heads, kv_heads, dim),
            (0, dim**-0.5, layer[_WINDOW], 0.0),
            scratch[0],
            num_threads,
        )
        if index == layers.shape[0] - 1 and rows[1] != tokens:
            # From here on the last layer works on single rows, and only some rows' logits are wanted.
            _keep_rows(attended, item * query_size, rows)
            _keep_rows(residual, item * hidden, rows)
            tokens = rows[1]
            threads = num_threads if tokens * hidden > _ALONE else 1
        _project(
            team, half, attended, layer[_OUTPUT : _OUTPUT + 4], x, tokens, hidden, query_size, scratch, num_threads
        )
        parallel(team, normalize_rows, (x, residual, layer[_MLP_NORM], x, half, tokens, hidden, eps), threads)
        _project(
            team, half, x, layer[_GATE_UP : _GATE_UP + 4], gate_up, tokens, 2 * inner, hidden, scratch, num_threads
        )
        parallel(
            team, activate, (gate_up, activated, half, tokens, inner), num_threads if tokens * inner > _ALONE else 1
        )
        _project(team, half, activated, layer[_DOWN : _DOWN + 4], x, tokens, hidden, inner, scratch, num_threads)
    parallel(team, normalize_rows, (x, residual, tail[0], x, half, tokens, hidden, eps), 1)
    if logits[0]:
        operands = (half, tail[2], x, tail[3])
        run_linear(team, tail[1], operands, 0, (logits[0], False), (tokens, logits[1], hidden), scratch, num_threads)


@njit(cache=True, nogil=True)
def _project(team, half, x, weight, out, rows, outputs, inputs, scratch, num_threads):  # type: ignore[no-untyped-def]
    """weight: a projection's four columns of the table."""
    operands = (half, weight[1], x, weight[2])
    run_linear(team, weight[0], operands, weight[3], (out, half), (rows, outputs, inputs), scratch, num_threads)


@njit(cache=True, nogil=True)
def _keep_rows(place, row_bytes, rows):  # type: ignore[no-untyped-def]
    """Move the wanted rows to the front; they ascend, so none is overwritten before it is read."""
    wanted = int64_at(rows[0], rows[1])
    for i in range(rows[1]):
        source = uint16_at(place + wanted[i] * row_bytes, row_bytes // 2)
        target = uint16_at(place + i * row_bytes, row_bytes // 2)
        for j in range(row_bytes // 2):
            target[j] = source[j]

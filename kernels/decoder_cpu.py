"""All layers of a Llama-like decoder for a few tokens in one call, on CPUs.

At batch 1 a step of a small model is over in a millisecond, and calling its nine operations a layer from Python costs
as much again. Here the loop over the layers is compiled: the same kernels in the same order, over a table of addresses.
What a captured graph is on a GPU, this is on a CPU.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numba import get_num_threads, njit
from torch import Tensor

from slipform.kernels._numba import call, check_indices, int64_at, narrow_row, widen_row
from slipform.kernels._simd import LANES
from slipform.kernels.attention_cpu import attend, attend_alone, attend_block, check_tables
from slipform.kernels.linear_cpu import linear, linear_share
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


class FewTokenDecoder:
    """The layers, the last norm and the head, for batches of at most `max_tokens` tokens.

    float32 up to 16 tokens, bfloat16 up to 8: beyond, a library's matrix product is faster (see `linear_cpu.py`).
    """

    def __init__(
        self,
        layers: Sequence[DecoderLayer],
        final_norm: Tensor,
        head: Tensor,
        *,
        num_heads: int,
        num_kv_heads: int,
        head_dim: int,
        eps: float,
    ) -> None:
        """Raises: ValueError if `takes` says no, or a weight is not contiguous or of another dtype."""
        self._keep = (layers, final_norm, head)  # the addresses below point into these
        dtype, hidden = final_norm.dtype, final_norm.shape[0]
        inner = layers[0].down.shape[1]
        if not self.takes(hidden, inner, num_heads * head_dim):
            raise ValueError(f"layers: widths must be multiples of {LANES}")
        self.max_tokens = 8
        self._dtype = dtype
        self._geometry = (hidden, inner, num_heads, num_kv_heads, head_dim)
        bodies = (normalize(), rotate_and_store(), attend_block(), multiply_by_silu(), linear_share())
        self._bodies = tuple(body.address for body in bodies)
        self._vocab_size = head.shape[0]
        self._eps = eps
        self._layers = np.array([_addresses(layer, dtype) for layer in layers], dtype=np.int64)
        self._tail = (final_norm.data_ptr(), head.data_ptr())
        widths = 2 * hidden + (num_heads + 2 * num_kv_heads) * head_dim + num_heads * head_dim + 3 * inner
        self._workspace = torch.empty(self.max_tokens * widths, dtype=dtype)

    @staticmethod
    def takes(*widths: int) -> bool:
        """Whether projections that read vectors of these widths can be computed."""
        return all(width % LANES == 0 for width in widths)

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
        max_extend_len: int,
    ) -> Tensor:
        """One step. residual: (T, H) embeddings of the tokens; the rest as in `interface.py`.

        Returns: (N, V) float32 logits of logits_rows.
        Raises: ValueError for more than max_tokens tokens, or naming an argument of another dtype or layout.
        Mutates: residual and the pools.
        """
        if residual.shape[0] > self.max_tokens:
            raise ValueError(f"residual: {residual.shape[0]} tokens, and the limit is {self.max_tokens}")
        check_indices(positions=positions, slots=slots, logits_rows=logits_rows)
        check_tables(slot_table, cu_seqlens, seq_lens)
        num_threads = min(torch.get_num_threads(), get_num_threads())
        logits = torch.empty((logits_rows.shape[0], self._vocab_size), dtype=torch.float32)
        pools = np.array(
            [[key.data_ptr(), value.data_ptr()] for key, value in zip(key_pools, value_pools, strict=True)]
        )
        _run(
            self._bodies,
            self._dtype is torch.bfloat16,
            self._layers,
            pools,
            self._tail,
            self._geometry,
            self._eps,
            self._workspace.data_ptr(),
            residual.data_ptr(),
            residual.shape[0],
            positions.data_ptr(),
            (cos_sin.data_ptr(), cos_sin.shape[1]),
            slots.data_ptr(),
            (slot_table.data_ptr(), slot_table.stride(0)),
            (cu_seqlens.data_ptr(), seq_lens.data_ptr(), seq_lens.shape[0], max_extend_len),
            (logits_rows.data_ptr(), logits_rows.shape[0]),
            (logits.data_ptr(), self._vocab_size),
            num_threads,
        )
        return logits


# Columns of the table of addresses.
_INPUT_NORM, _QKV, _QKV_BIAS, _QUERY_NORM, _KEY_NORM, _WINDOW, _OUTPUT, _OUTPUT_BIAS = range(8)
_MLP_NORM, _GATE_UP, _GATE_UP_BIAS, _DOWN, _DOWN_BIAS = range(8, 13)


def _addresses(layer: DecoderLayer, dtype: torch.dtype) -> list[int]:
    def address(tensor: Tensor | None) -> int:
        if tensor is None:
            return 0
        if tensor.dtype is not dtype or not tensor.is_contiguous():
            raise ValueError(f"layers: every weight must be contiguous and {dtype}")
        return tensor.data_ptr()

    return [
        address(layer.input_norm),
        address(layer.qkv),
        address(layer.qkv_bias),
        address(layer.query_norm),
        address(layer.key_norm),
        layer.window,
        address(layer.output),
        address(layer.output_bias),
        address(layer.mlp_norm),
        address(layer.gate_up),
        address(layer.gate_up_bias),
        address(layer.down),
        address(layer.down_bias),
    ]


@njit(cache=True, nogil=True)
def _run(  # type: ignore[no-untyped-def]
    bodies,
    half,
    layers,
    pools,
    tail,
    geometry,
    eps,
    workspace,
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
    cu_seqlens, seq_lens, num_sequences, max_extend_len = sequences
    normalize_rows, rotate, attend_rows, activate, share = bodies
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
        if index == 0:
            call(normalize_rows, (residual, 0, layer[_INPUT_NORM], x, half, tokens, hidden, eps))
        else:
            call(normalize_rows, (x, residual, layer[_INPUT_NORM], x, half, tokens, hidden, eps))
        _project(share, half, x, layer[_QKV], layer[_QKV_BIAS], projected, half, tokens, qkv_size, hidden, num_threads)
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
        call(rotate, rotation)
        attention = (
            attend_rows,
            projected,
            qkv_size,
            attended,
            keys,
            values,
            half,
            table[0],
            table[1],
            cu_seqlens,
            seq_lens,
            0,
            num_sequences,
            heads,
            kv_heads,
            dim,
            dim**-0.5,
            layer[_WINDOW],
            0.0,
            max_extend_len,
            1,
            num_threads,
        )
        if num_threads == 1:
            attend_alone(*attention)
        else:
            attend(*attention)
        _project(
            share, half, attended, layer[_OUTPUT], layer[_OUTPUT_BIAS], x, half, tokens, hidden, query_size, num_threads
        )
        call(normalize_rows, (x, residual, layer[_MLP_NORM], x, half, tokens, hidden, eps))
        _project(
            share, half, x, layer[_GATE_UP], layer[_GATE_UP_BIAS], gate_up, half, tokens, 2 * inner, hidden, num_threads
        )
        call(activate, (gate_up, activated, half, tokens, inner))
        _project(share, half, activated, layer[_DOWN], layer[_DOWN_BIAS], x, half, tokens, hidden, inner, num_threads)
    call(normalize_rows, (x, residual, tail[0], x, half, tokens, hidden, eps))
    # The rows whose logits are wanted move to the front; they ascend, so none is overwritten before it is read.
    wanted = int64_at(rows[0], rows[1])
    row = np.empty(hidden, np.float32)
    for i in range(rows[1]):
        widen_row(x, half, wanted[i] * hidden, row.ctypes.data, hidden)
        narrow_row(row.ctypes.data, x, half, i * hidden, hidden)
    _project(share, half, x, tail[1], 0, logits[0], False, rows[1], logits[1], hidden, num_threads)


@njit(cache=True, nogil=True)
def _project(share, is_bfloat16, x, weight, bias, out, out_is_bfloat16, rows, outputs, inputs, num_threads):  # type: ignore[no-untyped-def]
    if num_threads == 1:
        call(share, (is_bfloat16, x, weight, bias, out, out_is_bfloat16, rows, outputs, inputs, 1, 0))
    else:
        linear(share, is_bfloat16, x, weight, bias, out, out_is_bfloat16, rows, outputs, inputs, num_threads)

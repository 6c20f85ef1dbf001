"""Logits and mask rows to token ids: keeps the parameters of each table row and calls the sampling kernel."""

from collections.abc import Sequence as SequenceOf
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch

from slipform.kernels.masked_sampling import (
    HAS_BIAS,
    HAS_OUTPUT_PENALTY,
    HAS_REPETITION_PENALTY,
    SamplingTable,
    log_normalizers,
    sample_rows,
)
from slipform.runtime.params import SamplingParams
from slipform.runtime.radix_cache import IdArray
from slipform.runtime.request import TokenLogprob

LogitsArray = npt.NDArray[np.float32]

MIN_TEMPERATURE = 1e-5
MIN_REPETITION_PENALTY = 1e-5  # in float32 a smaller one could be 0, and logits are divided by it
MAX_BIAS = 1e9

_MASK_64 = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class SampledTokens:
    """One step's choices, on the host. `ids[i]` is -1 where the logits were no distribution."""

    ids: list[int]
    num_allowed: list[int]


def derive_seed(seed: int, index: int) -> int:
    """The seed of sequence `index` of a request with `seed`; sequence 0 keeps it (splitmix64, Steele et al. 2014)."""
    if index == 0:
        return seed & _MASK_64
    mixed = (seed + index * 0x9E3779B97F4A7C15) & _MASK_64
    mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & _MASK_64
    mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & _MASK_64
    return mixed ^ (mixed >> 31)


class Sampler:
    """Samples one token for each of a step's sequences, each independent of the others.

    Rows of its tables are rows of the slot table. Tables that few requests need (bias, penalties) come into being with
    the first request that does; the system backs their rows with memory as rows are used.
    """

    def __init__(self, *, num_rows: int, vocab_size: int, num_ids: int) -> None:
        """`vocab_size`: V of the logits. `num_ids`: ids that the tokenizer knows; ids beyond are never sampled."""
        self._num_rows = num_rows
        self._vocab_size = vocab_size
        self._num_ids = min(num_ids, vocab_size)
        self._table = SamplingTable(
            temperature=np.zeros(num_rows, np.float32),
            top_k=np.zeros(num_rows, np.int32),
            top_p=np.ones(num_rows, np.float64),
            min_p=np.zeros(num_rows, np.float32),
            frequency_penalty=np.zeros(num_rows, np.float32),
            presence_penalty=np.zeros(num_rows, np.float32),
            repetition_penalty=np.ones(num_rows, np.float32),
            seed=np.zeros(num_rows, np.uint64),
            flags=np.zeros(num_rows, np.int32),
            bias=np.zeros((1, 1), np.float32),
            counts=np.zeros((1, 1), np.int32),
            seen=np.zeros((1, 1), np.uint8),
        )
        self._flags = [0] * num_rows

    def bind(self, row: int, params: SamplingParams, seed: int, context: IdArray, output: SequenceOf[int]) -> None:
        """Set a row to a fill's parameters.

        Args:
            seed: 64 bits. context: all known tokens, `output` included. output: tokens of the fill so far.
        """
        table = self._table
        # Below this, logits divided by it would leave the range of float32; the outcome is the greedy one anyway.
        table.temperature[row] = params.temperature if params.temperature >= MIN_TEMPERATURE else 0.0
        table.top_k[row] = max(params.top_k, 0)
        table.top_p[row] = params.top_p
        table.min_p[row] = params.min_p
        table.frequency_penalty[row] = params.frequency_penalty
        table.presence_penalty[row] = params.presence_penalty
        table.repetition_penalty[row] = max(params.repetition_penalty, MIN_REPETITION_PENALTY)
        table.seed[row] = seed
        flags = 0
        if params.logit_bias:
            flags |= HAS_BIAS
            bias = self._allocated().bias[row]
            bias[:] = 0
            for token_id, value in params.logit_bias:
                bias[token_id] = min(max(value, -MAX_BIAS), MAX_BIAS)
        if params.frequency_penalty or params.presence_penalty:
            flags |= HAS_OUTPUT_PENALTY
            self._allocated().counts[row] = np.bincount(np.array(output, np.int64), minlength=self._vocab_size)
        if params.repetition_penalty != 1.0:
            flags |= HAS_REPETITION_PENALTY
            seen = self._allocated().seen[row]
            seen[:] = 0
            seen[context] = 1
        self._table.flags[row] = self._flags[row] = flags

    def note(self, row: int, token_id: int) -> None:
        """Count one more output token of the fill in `row`; needed only if it has penalties."""
        flags = self._flags[row]
        if flags & HAS_OUTPUT_PENALTY:
            self._table.counts[row, token_id] += 1
        if flags & HAS_REPETITION_PENALTY:
            self._table.seen[row, token_id] = 1

    def sample(
        self,
        logits: LogitsArray,
        logits_rows: npt.NDArray[np.int64],
        table_rows: npt.NDArray[np.int64],
        positions: npt.NDArray[np.int64],
        masks: npt.NDArray[np.int32],
        is_masked: npt.NDArray[np.uint8],
    ) -> SampledTokens:
        """Choose a token for each of S sequences; the arguments are those of `kernels.masked_sampling.sample_rows`."""
        ids = np.empty(len(table_rows), np.int64)
        allowed = np.empty(len(table_rows), np.int64)
        sample_rows(
            logits, logits_rows, self._table, table_rows, positions, masks, is_masked, self._num_ids, ids, allowed
        )  # fmt: skip
        return SampledTokens(ids.tolist(), allowed.tolist())

    def _allocated(self) -> SamplingTable:
        if self._table.bias.size == 1:
            shape = (self._num_rows, self._vocab_size)
            self._table = self._table._replace(
                bias=np.zeros(shape, np.float32), counts=np.zeros(shape, np.int32), seen=np.zeros(shape, np.uint8)
            )
        return self._table


def token_logprobs(
    logits: LogitsArray,
    rows: SequenceOf[int],
    ids: SequenceOf[int],
    num_top: SequenceOf[int],
    chosen: SequenceOf[SequenceOf[int]] | None = None,
) -> list[TokenLogprob]:
    """Log-probabilities of `ids[i]` under logits[rows[i]], with the `num_top[i]` likeliest tokens, likeliest first.

    Behind those come the tokens `chosen[i]` that are not among them.
    logits: (N, V) float32, before masks, penalties and temperature. Among equals the lower id comes first.
    """
    normalizers = np.empty(len(rows), np.float64)
    log_normalizers(logits, np.array(rows, np.int64), normalizers)
    entries = []
    also = chosen or [()] * len(rows)
    for row, token_id, count, extra, normalizer in zip(rows, ids, num_top, also, normalizers.tolist(), strict=True):
        scores = logits[row]
        top: tuple[tuple[int, float], ...] = ()
        if count:
            threshold = np.partition(scores, -count)[-count]
            candidates = np.flatnonzero(scores >= threshold)
            order = np.lexsort((candidates, -scores[candidates]))[:count]
            top = tuple((int(candidates[at]), float(scores[candidates[at]]) - normalizer) for at in order)
        if extra:
            known = {other for other, _ in top}
            top += tuple((other, float(scores[other]) - normalizer) for other in extra if other not in known)
        entries.append(TokenLogprob(token_id, float(scores[token_id]) - normalizer, top))
    return entries


def constrained_logprobs(
    logits: LogitsArray, rows: SequenceOf[int], ids: SequenceOf[int], masks: SequenceOf[npt.NDArray[np.int32] | None]
) -> list[float | None]:
    """Log-probability of `ids[i]` under logits[rows[i]] among the tokens whose bit is set in masks[i].

    logits: (N, V) float32, as for `token_logprobs`. masks[i]: (W,) int32, or None where every token counts, for which
    the result is None.
    """
    found: list[float | None] = []
    for row, token_id, mask in zip(rows, ids, masks, strict=True):
        if mask is None:
            found.append(None)
            continue
        scores = logits[row].astype(np.float64)
        bits = np.unpackbits(mask.view(np.uint8), bitorder="little")[: len(scores)].astype(bool)
        allowed = scores[: len(bits)][bits]
        top = allowed.max()
        found.append(float(scores[token_id] - top - np.log(np.exp(allowed - top).sum())))
    return found


def likeliest_allowed(
    logits: LogitsArray,
    rows: SequenceOf[int],
    masks: SequenceOf[npt.NDArray[np.int32] | None],
    num_top: SequenceOf[int],
) -> list[tuple[tuple[int, float], ...]]:
    """The `num_top[i]` likeliest tokens of those whose bit is set in masks[i], with their log-probabilities among them.

    The arguments are as for `constrained_logprobs`; nothing where a mask is None. Of equals the lower id is first.
    """
    found: list[tuple[tuple[int, float], ...]] = []
    for row, mask, count in zip(rows, masks, num_top, strict=True):
        if mask is None or not count:
            found.append(())
            continue
        bits = np.unpackbits(mask.view(np.uint8), bitorder="little")[: logits.shape[1]]
        ids = np.flatnonzero(bits)
        scores = logits[row][ids].astype(np.float64)
        normalizer = scores.max() + np.log(np.exp(scores - scores.max()).sum())
        order = np.lexsort((ids, -scores))[:count]
        found.append(tuple((int(ids[at]), float(scores[at] - normalizer)) for at in order))
    return found


def host_logits(logits: torch.Tensor) -> LogitsArray:
    """The logits as a (N, V) float32 array on the host."""
    array: LogitsArray = logits.detach().to("cpu", torch.float32).contiguous().numpy()
    return array

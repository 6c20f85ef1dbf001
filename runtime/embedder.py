"""Embeddings of texts: the last layer's states of the engine's own model, pooled into one vector a text.

Texts are computed between the engine's steps, a bounded number of tokens at a time, over a small KV pool of their own:
they neither wait for the sequences in flight nor take slots from them.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from slipform.runtime.batch import ForwardBatch
from slipform.runtime.kv_pool import KVPool

Pooling = Literal["mean", "last"]
States = Callable[[ForwardBatch, KVPool], torch.Tensor]
Vectors = npt.NDArray[np.float32]


class Embedder:
    """Makes one vector of length 1 of each text.

    Args:
        states: runs a batch of the model over a pool; (N, H) states of its logits_rows.
        new_pool: a pool of so many slots, of the model's shapes, dtype and device.
        token_budget: tokens of one batch, at most.
    """

    def __init__(self, states: States, new_pool: Callable[[int], KVPool], *, token_budget: int) -> None:
        self._states = states
        self._new_pool = new_pool
        self._token_budget = token_budget

    def embed(self, texts: Sequence[Sequence[int]], pooling: Pooling) -> list[list[float]]:
        """The vectors of texts of token ids, none of them empty.

        Args:
            pooling: "mean" of the states of all tokens, or the state of the "last" one.
        """
        vectors = [vector for group in self._groups(texts) for vector in self._pooled(group, pooling)]
        return [(vector / max(float(np.linalg.norm(vector)), 1e-12)).tolist() for vector in vectors]

    def _groups(self, texts: Sequence[Sequence[int]]) -> Iterator[list[Sequence[int]]]:
        """Texts in order, as many as one batch holds; one that is longer stands alone."""
        group: list[Sequence[int]] = []
        num_tokens = 0
        for text in texts:
            if group and num_tokens + len(text) > self._token_budget:
                yield group
                group, num_tokens = [], 0
            group.append(text)
            num_tokens += len(text)
        if group:
            yield group

    def _pooled(self, texts: Sequence[Sequence[int]], pooling: Pooling) -> Vectors:
        """(B, H): of the tokens' states, the mean or the last."""
        lens = np.array([len(text) for text in texts])
        pool = self._new_pool(int(lens.sum()))
        longest = int(lens.max())
        total: Vectors | None = None
        # Several texts fit one batch; the chunks of a text that does not are computed one after the other.
        for begin in range(0, longest, self._token_budget):
            batch = _batch(texts, lens, begin, min(begin + self._token_budget, longest), pool.device)
            states = self._states(batch, pool).cpu().numpy()
            first_rows = batch.cu_seqlens[:-1].cpu().numpy()
            if pooling == "mean":
                sums = np.add.reduceat(states, first_rows, axis=0)
                total = sums if total is None else total + sums
            else:
                total = states[batch.cu_seqlens[1:].cpu().numpy() - 1]
        assert total is not None
        return total / lens[:, None] if pooling == "mean" else total


def _batch(
    texts: Sequence[Sequence[int]], lens: npt.NDArray[np.int64], begin: int, end: int, device: torch.device
) -> ForwardBatch:
    """Tokens begin:end of each text. A text's slots follow each other, behind those of the texts before it."""
    ends = np.minimum(lens, end)
    counts = ends - begin
    positions = np.concatenate([np.arange(begin, stop) for stop in ends])
    first_slots = np.cumsum(lens) - lens
    slots = positions + np.repeat(first_slots, counts)
    longest = int(ends.max())
    table = np.minimum(first_slots[:, None] + np.arange(longest), lens.sum() - 1)
    index_type = torch.int64 if device.type == "cpu" else torch.int32

    def tensor(values: npt.NDArray[np.int64], dtype: torch.dtype) -> torch.Tensor:
        return torch.from_numpy(values).to(device, dtype)

    return ForwardBatch(
        input_ids=tensor(np.concatenate([np.array(text[begin:end], np.int64) for text in texts]), torch.int64),
        positions=tensor(positions, torch.int64),
        out_slots=tensor(slots, index_type),
        cu_seqlens=tensor(np.concatenate([[0], np.cumsum(counts)]), torch.int32),
        seq_lens=tensor(ends, torch.int32),
        slot_table=tensor(table, torch.int32),
        logits_rows=tensor(np.arange(len(positions)), index_type),
        max_extend_len=int(counts.max()),
        max_seq_len=longest,
    )

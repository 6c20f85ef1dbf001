"""Running a model without an engine: a pool with scattered slots, and batches built token by token."""

import itertools
from dataclasses import dataclass, field

import torch

from slipform.runtime.batch import ForwardBatch
from slipform.runtime.models.interface import CausalModel


@dataclass
class Pool:
    """KV tensors of a model, filled with NaN so that reading a slot nobody wrote shows."""

    keys: list[torch.Tensor]
    values: list[torch.Tensor]
    scales: None = None


def make_pool(model: CausalModel, num_slots: int) -> Pool:
    def tensors() -> list[torch.Tensor]:
        return [
            torch.full((num_slots, heads, dim), float("nan"), dtype=model.dtype)
            for heads, dim in model.config.kv_shapes
        ]

    return Pool(tensors(), tensors())


@dataclass
class Stream:
    """One sequence: its tokens, and how many of them were computed."""

    ids: list[int]
    computed: int = 0
    slots: list[int] = field(default_factory=list)


class Runner:
    """Feeds streams through a model; every stream gets its slots from a shuffled list, one by one."""

    def __init__(self, model: CausalModel, num_slots: int = 2048, seed: int = 0) -> None:
        self.model = model
        self.pool = make_pool(model, num_slots)
        self.free = torch.randperm(num_slots, generator=torch.Generator().manual_seed(seed)).tolist()

    def step(self, streams: list[Stream], chunk: int = 1 << 30) -> torch.Tensor:
        """Compute up to `chunk` pending tokens of each stream.

        Returns: (number of streams, V), logits of each stream's last computed token.
        """
        ids, positions, out_slots, rows, bounds = [], [], [], [], [0]
        for stream in streams:
            end = min(len(stream.ids), stream.computed + chunk)
            stream.slots += [self.free.pop() for _ in range(end - stream.computed)]
            ids += stream.ids[stream.computed : end]
            positions += range(stream.computed, end)
            out_slots += stream.slots[stream.computed : end]
            bounds.append(len(ids))
            rows.append(len(ids) - 1)
            stream.computed = end
        longest = max(stream.computed for stream in streams)
        # Entries past a sequence's length must not be read: they point outside the pool.
        table = torch.full((len(streams), longest + 3), 1 << 30, dtype=torch.int32)
        for index, stream in enumerate(streams):
            table[index, : stream.computed] = torch.tensor(stream.slots, dtype=torch.int32)
        batch = ForwardBatch(
            input_ids=torch.tensor(ids),
            positions=torch.tensor(positions),
            out_slots=torch.tensor(out_slots),
            cu_seqlens=torch.tensor(bounds, dtype=torch.int32),
            seq_lens=torch.tensor([stream.computed for stream in streams], dtype=torch.int32),
            slot_table=table,
            logits_rows=torch.tensor(rows),
            max_extend_len=max(end - begin for begin, end in itertools.pairwise(bounds)),
            max_seq_len=longest,
        )
        return self.model.forward(batch, self.pool)

    def logits(self, prompt: list[int], chunk: int = 1 << 30) -> torch.Tensor:
        """(V,), logits after the prompt, computed in chunks."""
        stream = Stream(list(prompt))
        while True:
            out = self.step([stream], chunk)
            if stream.computed == len(stream.ids):
                return out[0]

    def greedy(self, prompts: list[list[int]], num_tokens: int, chunk: int = 1 << 30) -> list[list[int]]:
        """`num_tokens` greedy tokens per prompt, all in one changing batch; a stream whose prompt is not through yet
        takes part with its next chunk while others decode."""
        streams = [Stream(list(prompt)) for prompt in prompts]
        lengths = [len(prompt) + num_tokens for prompt in prompts]
        while True:
            active = [s for s, length in zip(streams, lengths, strict=True) if len(s.ids) < length]
            if not active:
                break
            for stream, row in zip(active, self.step(active, chunk), strict=True):
                if stream.computed == len(stream.ids):
                    stream.ids.append(int(row.argmax()))
        return [s.ids[len(p) :] for s, p in zip(streams, prompts, strict=True)]

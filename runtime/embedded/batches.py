"""Training batches, made while training goes on: processes that generate, encode and pack examples."""

import multiprocessing as mp
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer

from slipform.runtime.embedded.augmentation import swapped, vocabulary_words
from slipform.runtime.embedded.generate import examples
from slipform.runtime.embedded.source import Source, Split

PROMPT_WEIGHT = 0.1
LEARNT_SHARE = 0.375
QUEUE_LENGTH = 6
# Entries of `borders` kept for what the sequences leave free.
TAIL = 8


@dataclass(frozen=True, slots=True)
class Batch:
    """One flat batch.

    Attributes:
        ids: (N,) int32 tokens of many sequences. positions: (N,) int32, counted from each sequence's start.
        borders: (S + 1,) int32 cumulative lengths, padded with N.
        learnt: (K,) int32 indices of tokens to predict. weights: (K,) float32; 0 for padding.
    """

    ids: npt.NDArray[np.int32]
    positions: npt.NDArray[np.int32]
    borders: npt.NDArray[np.int32]
    learnt: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32]


def encoded(tokenizer: Tokenizer, split: Split, seed: str, context: int) -> Iterator[tuple[list[int], list[float]]]:
    """An endless stream of (ids, weights of their losses; 0 for a prompt), none longer than `context`."""
    stream = examples(split, seed)
    swaps = Source(f"{seed}/swaps", split)
    words = vocabulary_words(tokenizer)
    while True:
        example = next(stream)
        parts = swapped(example, swaps, words)
        ids: list[int] = []
        weights: list[float] = []
        for text, wanted in parts:
            coded = tokenizer.encode(text).ids  # encode_batch would start a thread a core in every process
            ids += coded
            weights += [example.weight if wanted else 0.0] * len(coded)
        if len(ids) <= context and any(weights):
            yield ids, weights


def pack(
    stream: Iterator[tuple[list[int], list[float]]], num_tokens: int, max_sequences: int, rng: np.random.Generator
) -> Iterator[Batch]:
    """Fill flat batches of exactly `num_tokens`; a sequence that does not fit opens the next batch."""
    num_learnt = int(num_tokens * LEARNT_SHARE)
    waiting = next(stream)
    while True:
        ids = np.zeros(num_tokens, np.int32)
        positions = np.zeros(num_tokens, np.int32)
        learnt = np.zeros(num_tokens, np.float32)
        borders = [0]
        while borders[-1] + len(waiting[0]) <= num_tokens and len(borders) + TAIL < max_sequences:
            start, end = borders[-1], borders[-1] + len(waiting[0])
            ids[start:end], learnt[start:end] = waiting
            positions[start:end] = np.arange(end - start)
            learnt[start] = 0.0
            borders.append(end)
            waiting = next(stream)
        used = borders[-1]
        positions[used:] = np.arange(num_tokens - used) % 512
        first = np.zeros(num_tokens, bool)
        first[np.array(borders[:-1])] = True
        answers = np.flatnonzero(learnt)
        prompts = np.flatnonzero((learnt[:used] == 0) & ~first[:used])
        answers = answers[:num_learnt]
        prompts = rng.choice(prompts, min(len(prompts), num_learnt - len(answers)), replace=False)
        chosen = np.concatenate((answers, prompts))
        weights = np.concatenate((learnt[answers], np.full(len(prompts), PROMPT_WEIGHT)))
        missing = num_learnt - len(chosen)
        tail = np.arange(used, num_tokens, 512)[1:].tolist()
        padded = [*borders, *tail] + [num_tokens] * (max_sequences + 1 - len(borders) - len(tail))
        yield Batch(
            ids,
            positions,
            np.array(padded, np.int32),
            np.pad(chosen, (0, missing), constant_values=1).astype(np.int32),
            np.pad(weights, (0, missing)).astype(np.float32),
        )


def _produce(queue: "Queue[Batch]", tokenizer_file: str, worker: int, seed: int, sizes: tuple[int, int, int]) -> None:
    num_tokens, max_sequences, context = sizes
    tokenizer = Tokenizer.from_file(tokenizer_file)
    stream = encoded(tokenizer, "train", f"{seed}/{worker}", context)
    for batch in pack(stream, num_tokens, max_sequences, np.random.default_rng((seed, worker))):
        queue.put(batch)


class Batches:
    """Batches in an order that depends on the seed and the number of workers alone. Use as a context manager."""

    def __init__(
        self, tokenizer_file: Path, *, workers: int, seed: int, num_tokens: int, max_sequences: int, context: int
    ) -> None:
        context_ = mp.get_context("fork")
        self._queues: list[Queue[Batch]] = [context_.Queue(QUEUE_LENGTH) for _ in range(workers)]
        sizes = (num_tokens, max_sequences, context)
        self._processes = [
            context_.Process(target=_produce, args=(queue, str(tokenizer_file), worker, seed, sizes), daemon=True)
            for worker, queue in enumerate(self._queues)
        ]

    def __enter__(self) -> Iterator[Batch]:
        for process in self._processes:
            process.start()
        return self._rounds()

    def _rounds(self) -> Iterator[Batch]:
        while True:
            for queue in self._queues:
                yield queue.get()

    def __exit__(self, *exc: object) -> None:
        for process in self._processes:
            process.terminate()
        for process in self._processes:
            process.join()

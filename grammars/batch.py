"""One step of many matchers, over several automata: a call into compiled code each, however many there are."""

import functools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager

import numpy as np
import numpy.typing as npt

from slipform.grammars.pushdown import Automaton
from slipform.kernels import pushdown_batch as kernel
from slipform.kernels.pushdown_tables import NEED_WALK, OK

Int64 = npt.NDArray[np.int64]

_CHUNK = 4  # masks that a thread makes before it looks for more


def after_tokens(automata: Sequence[Automaton], configs: Sequence[int], token_ids: Sequence[int]) -> list[int]:
    """The configuration behind one token from each configuration; 0 if it cannot be read.

    Raises: what serving an automaton's needs raises.
    """
    heaps, places = _numbers([one.heap for one in automata]), _numbers(configs)
    tokens = _numbers(token_ids)
    after = np.empty(len(tokens), np.int64)
    if kernel.advance_tokens(heaps, places, tokens, 0, 0, after) < len(tokens):
        with _all_locks(automata):
            at = 0
            while (at := kernel.advance_tokens(heaps, places, tokens, at, 1, after)) < len(tokens):
                automata[at].serve(-int(after[at]))
    found: list[int] = after.tolist()
    return found


def fill_rows(
    automata: Sequence[Automaton], configs: Sequence[int], out: npt.NDArray[np.int32], rows: Sequence[int]
) -> None:
    """Write the mask of configs[i] to out[rows[i]]; a configuration below 0 allows nothing.

    Masks that are known, or soon made, are written at once. The others are made by several threads, an automaton by
    one of them, in rounds: after each, what they need of Python is served.

    Raises:
        ValueError: there are not as many rows as configurations, or they are too short.
        IndexError: `out` has no such row.
        VocabularyMismatch, or what serving an automaton's needs raises.
    """
    heaps, places, wanted = _numbers([one.heap for one in automata]), _numbers(configs), _numbers(rows)
    if len(wanted) != len(places):
        raise ValueError(f"{len(places)} matchers and {len(wanted)} rows")
    if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(out)):
        raise IndexError(f"rows are between 0 and {len(out) - 1}")
    if not out.flags.c_contiguous:
        whole = np.ascontiguousarray(out)
        fill_rows(automata, configs, whole, rows)
        out[wanted] = whole[wanted]
        return
    statuses = np.empty(len(places), np.int64)
    address, num_words = out.ctypes.data, out.shape[1]
    if not kernel.write_masks(heaps, places, 0, address, wanted, num_words, statuses):
        return
    missing = np.flatnonzero(statuses)
    with _all_locks([automata[index] for index in missing.tolist()]):
        _find_masks(automata, heaps, places, missing, statuses)
        heaps, places, wanted = heaps[missing], places[missing], wanted[missing]
        if kernel.write_masks(heaps, places, 1, address, wanted, num_words, statuses):
            # Rows of the pool can be forgotten while others are made.
            for index, row in zip(missing.tolist(), wanted.tolist(), strict=True):
                automata[index].fill_row(configs[index], out[row])


def _find_masks(automata: Sequence[Automaton], heaps: Int64, configs: Int64, missing: Int64, statuses: Int64) -> None:
    """Make the masks of configs[i] for i in `missing`. Mutates: statuses."""
    while len(missing):
        order = missing[np.argsort(heaps[missing], kind="stable")]
        _run_chunks(_chunks(heaps[order]), heaps, configs, order, statuses)
        missing = order[statuses[order] != OK]
        for index in missing[statuses[missing] != NEED_WALK].tolist():
            automata[index].serve(int(statuses[index]))


def _chunks(heaps: Int64) -> list[tuple[int, int]]:
    """Ranges of sorted `heaps`, all equal ones in the same range."""
    borders = [0]
    for border in (np.flatnonzero(heaps[1:] != heaps[:-1]) + 1).tolist():
        if border - borders[-1] >= _CHUNK:
            borders.append(border)
    return list(zip(borders, [*borders[1:], len(heaps)], strict=True))


def _run_chunks(chunks: list[tuple[int, int]], heaps: Int64, configs: Int64, order: Int64, statuses: Int64) -> None:
    left = iter(chunks)

    def work() -> None:
        for begin, end in left:
            kernel.find_masks(heaps, configs, order, begin, end, statuses)

    num_helpers = min(_num_cores(), len(chunks)) - 1
    helpers = [_helpers(os.getpid()).submit(work) for _ in range(num_helpers)]
    try:
        work()
    finally:
        for helper in helpers:
            helper.result()


def _num_cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@functools.cache
def _helpers(process_id: int) -> ThreadPoolExecutor:
    """Threads beside the caller's; those of a parent process are not there after a fork."""
    return ThreadPoolExecutor(max(1, _num_cores() - 1), thread_name_prefix="slipform-masks")


@contextmanager
def _all_locks(automata: Sequence[Automaton]) -> Iterator[None]:
    """Hold the locks of all these."""
    with ExitStack() as stack:
        for lock in sorted({automaton.lock for automaton in automata}, key=lambda lock: lock.order):
            stack.enter_context(lock)
        yield


def _numbers(values: Sequence[int]) -> Int64:
    return np.fromiter(values, np.int64, len(values))

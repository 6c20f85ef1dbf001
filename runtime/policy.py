"""The order in which waiting sequences are admitted. Pure functions; no state of the engine."""

from collections.abc import Callable, Iterable

from slipform.runtime.radix_cache import IdArray, common_len
from slipform.runtime.sequence import Sequence

# A sequence that was overtaken this often moves up one priority level, so that no stream of better matches or of more
# urgent requests holds it back forever.
PATIENCE = 64
# A common prefix shorter than this is computed twice rather than waited for.
MIN_COALESCED_LEN = 16


def admission_order(candidates: list[Sequence], cached_len: Callable[[Sequence], int]) -> list[Sequence]:
    """The sequences in the order of their admission: by priority, then longest cached prefix, then arrival.

    Starves nobody: `Sequence.times_overtaken` raises the priority by one for each `PATIENCE` admissions ahead of it.
    """
    if len(candidates) < 2:
        return candidates
    return sorted(candidates, key=lambda s: (-effective_priority(s), -cached_len(s), s.arrival))


def effective_priority(sequence: Sequence) -> int:
    return sequence.priority + sequence.times_overtaken // PATIENCE


def shared_prefill_len(ids: IdArray, cached_len: int, prefilling: Iterable[Sequence]) -> int:
    """How many tokens of `ids` beyond `cached_len` some running prefill of the namespace is about to share, or 0.

    A sequence for which this is large waits a step and then finds them in the cache, instead of computing them again.
    """
    best = 0
    for other in prefilling:
        limit = min(len(ids), other.seq_len)
        if limit - cached_len > best and ids[cached_len] == other.ids[cached_len]:
            best = max(best, common_len(ids[:limit], other.ids[:limit]) - cached_len)
    return best

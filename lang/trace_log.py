"""What a run notes of its requests while it runs: who sent each, when, and what the backend said of it.

A note costs one small object a request, so that every run takes them.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from slipform.lang.trace_record import RequestKind
from slipform.runtime.request import RequestFinished, RequestTimes

if TYPE_CHECKING:
    from slipform.lang.cells import HoleCell
    from slipform.lang.strand import Strand


@dataclass(slots=True, eq=False)
class RequestNote:
    """One request. Times are of `time.monotonic`.

    Attributes:
        holes: what it fills, in order. cached_ids: tokens found in the cache; only where the run is traced.
    """

    request_id: str
    kind: RequestKind
    strand: "Strand"
    holes: Sequence["HoleCell"]
    sent_s: float
    first_text_s: float | None = None
    ended_s: float | None = None
    times: RequestTimes | None = None
    prompt_len: int | None = None
    cached_len: int | None = None
    cached_ids: tuple[int, ...] = ()
    error: BaseException | None = None

    def note_text(self) -> None:
        if self.first_text_s is None:
            self.first_text_s = time.monotonic()

    def note_end(self, error: BaseException | None = None) -> None:
        self.ended_s = time.monotonic()
        self.error = error

    def note_finished(self, event: RequestFinished, *, keep_ids: bool) -> None:
        self.note_end()
        first = event.sequences[0]
        self.times = event.times
        self.note_prompt(first.prompt_len, first.cached_len)
        if keep_ids:
            self.cached_ids = first.token_ids[: first.cached_len]

    def note_prompt(self, prompt_len: int, cached_len: int) -> None:
        self.prompt_len, self.cached_len = prompt_len, cached_len

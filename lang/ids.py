"""Names of requests: readable, and unique among everything that one process sends to a backend."""

import itertools
import re
import uuid

from slipform.runtime.wire import PROGRAM_NAME

_REQUEST_ID = re.compile(r"(.+?)(?:-prefix)?-[0-9a-f]{12}-[0-9]+")


class RequestIds:
    """`ticket-3f2a9c-0`, `ticket-3f2a9c-1`, …: the program, a random run, a number."""

    def __init__(self, program: str) -> None:
        self._prefix = f"{program}-{uuid.uuid4().hex[:12]}"
        self._counter = itertools.count()

    def next(self) -> str:
        return f"{self._prefix}-{next(self._counter)}"


def program_of(request_id: str) -> str | None:
    """The program of an id that `RequestIds` made, if its name can be a label."""
    found = _REQUEST_ID.fullmatch(request_id)
    return found[1] if found is not None and re.fullmatch(PROGRAM_NAME, found[1]) else None

"""Names of requests: readable, and unique among everything that one process sends to a backend."""

import itertools
import uuid


class RequestIds:
    """`ticket-3f2a9c-0`, `ticket-3f2a9c-1`, …: the program, a random run, a number."""

    def __init__(self, program: str) -> None:
        self._prefix = f"{program}-{uuid.uuid4().hex[:12]}"
        self._counter = itertools.count()

    def next(self) -> str:
        return f"{self._prefix}-{next(self._counter)}"

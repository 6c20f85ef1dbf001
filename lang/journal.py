"""The journal of a job: an append-only file of JSON lines, one a finished row, from which a stopped job goes on.

A line is `{"row": index, "input": …, "output": …, "error": …}`. A row counts as finished when its line ends in a line
break; what a crash left of a torn last line is cut off when the journal is opened again. Where a row stands twice,
since it failed and was run anew, its last line holds, and `compact` drops the others.
"""

import json
import os
import sys
import time
from array import array
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from slipform.errors import ConfigError

_SYNC_S = 1.0


class Journal:
    """Open for appending, by one process at a time.

    Attributes:
        num_done: rows that need no run. num_failed: those of them that failed.
    """

    def __init__(self, path: Path, *, resume: bool, retry_failed: bool = False) -> None:
        """
        Args:
            resume: go on with what is there; otherwise begin anew. retry_failed: rows that failed count as not done.

        Raises: ConfigError when the file cannot be written, is in use, or holds what is no journal.
        """
        self.path = path
        self.num_done = 0
        self.num_failed = 0
        self._repeats = False
        # A digest of each finished row's input, at its index; 0 where the row is not done.
        self._digests = array("Q")
        try:
            self._file = path.open("r+b" if resume and path.exists() else "x+b")
        except FileExistsError as error:
            raise ConfigError(f"{path} exists; resume it or choose another file", field="--output") from error
        except OSError as error:
            raise ConfigError(f"{path} cannot be written: {error}", field="--output") from error
        try:
            _lock(self._file, path)
            self._read(retry_failed)
        except BaseException:
            self._file.close()
            raise
        self._synced = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def is_done(self, index: int, given: Any) -> bool:
        """Whether row `index` has a line already. Raises: ConfigError if that line is of another input."""
        digest = self._digests[index] if index < len(self._digests) else 0
        if digest and digest != _digest(given):
            raise ConfigError(
                f"row {index} of the input is not the row {index} that {self.path} holds; "
                "resume with the same input, or choose another file",
                field="--input",
            )
        return digest != 0

    def append(self, record: Mapping[str, Any]) -> None:
        """Add a finished row. The line survives this process at once, and the machine within a second."""
        self._file.write(json.dumps(record, ensure_ascii=False).encode() + b"\n")
        self._file.flush()
        now = time.monotonic()
        if now - self._synced > _SYNC_S:
            os.fsync(self._file.fileno())
            self._synced = now

    def compact(self) -> None:
        """Keep only the last line of each row. The file is replaced in one step."""
        if not self._repeats:
            return
        self._file.flush()
        last: dict[int, int] = {}
        for offset, line in _lines(self._file):
            last[json.loads(line)["row"]] = offset
        fresh = self.path.with_name(self.path.name + ".compacting")
        with fresh.open("wb") as out:
            out.writelines(line for offset, line in _lines(self._file) if last[json.loads(line)["row"]] == offset)
            out.flush()
            os.fsync(out.fileno())
        os.replace(fresh, self.path)
        self._repeats = False

    def _read(self, retry_failed: bool) -> None:
        end = 0
        failed: set[int] = set()
        for number, (offset, line) in enumerate(_lines(self._file), start=1):
            if not line.endswith(b"\n"):
                break
            try:
                record = json.loads(line)
                index, given, error = record["row"], record["input"], record["error"]
                if not isinstance(index, int) or index < 0:
                    raise ValueError(f"row {index!r}")
            except (ValueError, KeyError, TypeError) as problem:
                raise ConfigError(
                    f"line {number} of {self.path} is no line of a job's output: {problem!r}", field="--output"
                ) from problem
            end = offset + len(line)
            self._mark(index, _digest(given))
            failed.discard(index)
            if error is not None:
                failed.add(index)
        self._file.seek(end)
        self._file.truncate()
        if retry_failed:
            self._repeats = self._repeats or bool(failed)
            for index in failed:
                self._digests[index] = 0
            self.num_done -= len(failed)
        else:
            self.num_failed = len(failed)

    def _mark(self, index: int, digest: int) -> None:
        if index >= len(self._digests):
            self._digests.extend([0] * (index + 1 - len(self._digests)))
        if self._digests[index]:
            self._repeats = True
        else:
            self.num_done += 1
        self._digests[index] = digest


def records(path: Path) -> Iterator[dict[str, Any]]:
    """The lines of a finished journal, in the order in which they were written."""
    with path.open("rb") as file:
        for line in file:
            yield json.loads(line)


def _lines(file: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """(offset, line) from the beginning of the file."""
    file.seek(0)
    offset = 0
    for line in file:
        yield offset, line
        offset += len(line)


def _digest(given: Any) -> int:
    """Never 0, which stands for none."""
    text = json.dumps(given, sort_keys=True, ensure_ascii=True)
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big") or 1


def _lock(file: IO[bytes], path: Path) -> None:
    """Held until the file is closed; not on Windows. Raises: ConfigError where another process has it."""
    if sys.platform != "win32":
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ConfigError(f"{path} is in use by another job", field="--output") from error

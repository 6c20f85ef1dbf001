"""A program over the rows of a file, into a file: a job that may be stopped at any point and goes on where it was."""

from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic_core import PydanticSerializationError, to_jsonable_python

from slipform.errors import ConfigError, SlipformError
from slipform.lang.journal import Journal
from slipform.lang.progress import BatchProgress
from slipform.lang.rows import Row, UnreadableRow, count_rows, read_rows
from slipform.lang.state import ProgramState
from slipform.lang.tables import TABLE_SUFFIXES, write_table
from slipform.lang.usage import Prices, Usage

if TYPE_CHECKING:
    from slipform.lang.program import Program


@dataclass(frozen=True, slots=True)
class JobSummary:
    """How a job ended.

    Attributes:
        num_rows: rows in the output. num_resumed: those of them that were there already. num_failed: rows whose
            record holds an error. usage: tokens of the rows that were run now.
    """

    num_rows: int
    num_resumed: int
    num_failed: int
    usage: Usage


def run_job(
    program: "Program",
    rows: str | Path | Iterable[Row],
    output: str | Path,
    *,
    resume: bool = False,
    retry_failed: bool = False,
    ordered: bool = True,
    retries: int = 2,
    limit: int | None = None,
    num_threads: int | Literal["auto"] = "auto",
    progress_bar: bool = False,
    prices: Prices | None = None,
    backend: object | None = None,
    **options: Any,
) -> JobSummary:
    """Run a program once for each row and write one record a row: its index, its input, its variables, its error.

    Each record is on disk when its row is finished. A job that was stopped, however, goes on with `resume=True` and the
    same input: no row is lost, and none is written twice. Memory holds the rows in flight and eight bytes for each
    finished one.

    Args:
        rows: a file for `read_rows`, or rows. output: JSON Lines; `.csv` and `.parquet` are made of `OUTPUT.jsonl`
            when the last row is finished, and that file is kept to resume from.
        resume: go on with the rows that the output does not hold. retry_failed: and with those that failed.
        ordered: write records in the order of the rows, for which finished ones may wait; otherwise as they finish.
        retries: how often a row is begun anew that fails for a passing reason, after growing pauses.
        limit: take only the first rows. prices: shown as the cost so far. options: as for `run`.

    Raises: ConfigError naming what is wrong with a file, for example an output that exists and is not to be resumed.
    """
    program.check_options(options, "iter_batch")  # before there is an output
    target = Path(output)
    is_table = target.suffix in TABLE_SUFFIXES
    path = target.with_name(target.name + ".jsonl") if is_table else target
    if is_table and target.exists() and not path.exists():
        raise ConfigError(f"{target} exists, and {path.name} to resume it is gone", field="--output")
    total: int | None = None
    if isinstance(rows, str | Path):
        total = count_rows(rows) if progress_bar else None
        rows = read_rows(rows)
    elif isinstance(rows, Sized):
        total = len(rows)
    if limit is not None:
        total = min(limit, total) if total is not None else None
    with Journal(path, resume=resume, retry_failed=retry_failed) as journal:
        num_resumed, num_failed = journal.num_done, journal.num_failed
        open_rows = _OpenRows(rows, journal, limit)
        with BatchProgress(total, program.name, done=num_resumed, prices=prices, shown=progress_bar) as progress:
            for position, state in program.iter_batch(
                open_rows,
                num_threads=num_threads,
                ordered=ordered,
                retries=retries,
                backend=backend,
                **options,
            ):
                index, given = open_rows.take(position)
                record = record_of(index, given, state)
                journal.append(record)
                num_failed += record["error"] is not None
                progress.add(state)
        journal.compact()
        num_rows = open_rows.num_seen
    if is_table:
        write_table(path, target)
    return JobSummary(num_rows, num_resumed, num_failed, progress.usage)


class _OpenRows:
    """The rows that the journal does not hold; remembers those that are under way."""

    def __init__(self, rows: Iterable[Row], journal: Journal, limit: int | None) -> None:
        self.num_seen = 0
        self._rows = rows
        self._journal = journal
        self._limit = limit
        self._under_way: dict[int, tuple[int, Row]] = {}

    def __iter__(self) -> Iterator[Row]:
        position = 0
        for index, row in enumerate(self._rows):
            if index == self._limit:
                return
            self.num_seen += 1
            if self._journal.is_done(index, input_of(row)):
                continue
            self._under_way[position] = (index, row)
            position += 1
            yield row

    def take(self, position: int) -> tuple[int, Row]:
        """(index in the input, row) of the row that was given out as number `position`."""
        return self._under_way.pop(position)


def input_of(row: Row) -> Any:
    """A row as its record holds it."""
    return row.text if isinstance(row, UnreadableRow) else to_jsonable_python(row, fallback=str)


def record_of(index: int, row: Row, state: ProgramState) -> dict[str, Any]:
    """What the output says of one row."""
    values: dict[str, Any] = {}
    failure = state.error()
    for name in state.variables():
        try:
            values[name] = to_jsonable_python(state[name])
        except (SlipformError, PydanticSerializationError) as error:
            failure = failure or error
    described = None if failure is None else {"type": type(failure).__name__, "message": str(failure)}
    return {"row": index, "input": input_of(row), "output": values, "error": described}

"""`slipform run`: a program of a file over rows of a file."""

import importlib.util
import json
import sys
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slipform.errors import ConfigError, SlipformError
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend, resolve_backend
from slipform.lang.job import record_of, run_job
from slipform.lang.program import Program
from slipform.lang.progress import BatchProgress
from slipform.lang.rows import FileRow, UnreadableRow, read_rows
from slipform.lang.usage import Prices

_messages = Console(stderr=True, highlight=False)


def load_module(path: Path) -> ModuleType:
    """Import a Python file. Raises: ConfigError when there is none, or when importing it fails."""
    if not path.is_file():
        raise ConfigError(f"no such file: {path}", field="FILE")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise ConfigError(f"{path} is no Python file", field="FILE")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # so that its dataclasses and models can resolve their annotations
    sys.path.insert(0, str(path.resolve().parent))
    try:
        spec.loader.exec_module(module)
    except SlipformError:
        raise
    except Exception as error:  # whatever a user's file raises ends the command with one line
        raise ConfigError(f"importing {path} failed: {type(error).__name__}: {error}", field="FILE") from error
    return module


def find_program(module: ModuleType, name: str | None) -> Program:
    """The program to run: the named one, the only one, or the one named as the file.

    Raises: ConfigError listing the programs there are.
    """
    programs = {key: value for key, value in vars(module).items() if isinstance(value, Program)}
    if not programs:
        raise ConfigError(f"{module.__file__} holds no program; make one with @sf.function", field="FILE")
    wanted = name or (next(iter(programs)) if len(programs) == 1 else module.__name__)
    if wanted not in programs:
        raise ConfigError(f"{wanted!r} is none of the programs {', '.join(programs)}", field="--program")
    return programs[wanted]


def rows_of(source: str | None, module: ModuleType, program: Program) -> Iterable[FileRow]:
    """Rows from a file or the standard input, read as they are needed, or the module's ROWS.

    Raises: ConfigError when there are no rows to be had.
    """
    if source is not None:
        return read_rows(source)
    rows = getattr(module, "ROWS", None)
    if rows is None:
        raise ConfigError(
            f"{program.name} needs rows: give --input, or a list ROWS in {module.__file__}", field="--input"
        )
    return list(rows)


def open_backend(model: Path | None) -> Backend:
    """A backend on `model`; the default backend without one."""
    with _messages.status("loading the model"):
        if model is None:
            return resolve_backend(None)
        from slipform.runtime.engine import Engine

        return as_backend(Engine(model))


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What `slipform run` was asked for beside the program; see its help."""

    concurrency: int | None
    limit: int | None
    ordered: bool
    prices: Prices | None
    quiet: bool
    resume: bool
    retries: int
    retry_failed: bool
    sampling: Mapping[str, Any]


def parse_prices(text: str | None) -> Prices | None:
    """Prices from `IN,OUT`. Raises: ConfigError."""
    if text is None:
        return None
    try:
        prompt, completion = (float(part) for part in text.split(","))
    except ValueError as error:
        raise ConfigError(f"{text!r} is not two numbers with a comma between them", field="--price") from error
    return Prices(prompt, completion)


def run_file(
    file: Path, *, model: Path | None, rows: str | None, output: str | None, program: str | None, options: RunOptions
) -> int:
    """Run all rows, write or show the results; returns how many rows failed."""
    module = load_module(file)
    chosen = find_program(module, program)
    given = rows_of(rows, module, chosen)
    if options.resume and output in (None, "-"):
        raise ConfigError("needs an --output that is a file", field="--resume")
    backend = open_backend(model)
    before, began = _counters(backend), time.monotonic()
    if output is None or output == "-":
        num_rows, num_failed = _show(chosen, given, backend, options, as_lines=output == "-")
        resumed = 0
    else:
        try:
            summary = run_job(
                chosen,
                rows if rows is not None and rows != "-" else given,
                output,
                resume=options.resume,
                retry_failed=options.retry_failed,
                ordered=options.ordered,
                retries=options.retries,
                limit=options.limit,
                num_threads=options.concurrency or "auto",
                progress_bar=not options.quiet,
                prices=options.prices,
                backend=backend,
                **options.sampling,
            )
        except KeyboardInterrupt:
            if not options.quiet:
                _messages.print("stopped; the rows that are done are kept, and --resume goes on with the others")
            raise
        num_rows, num_failed, resumed = summary.num_rows, summary.num_failed, summary.num_resumed
    if not options.quiet:
        elapsed_s = time.monotonic() - began
        _messages.print(_summary(num_rows, resumed, num_failed, elapsed_s, before, _counters(backend)))
    return num_failed


def trace_row(
    file: Path,
    *,
    model: Path | None,
    rows: str | None,
    program: str | None,
    row: int,
    page: Path,
    sampling: Mapping[str, Any],
) -> int:
    """Run one row with a trace of everything, show its result and write the page; returns 1 if the row failed."""
    module = load_module(file)
    chosen = find_program(module, program)
    arguments = row_arguments(rows_of(rows, module, chosen), row)
    ((_, state),) = chosen.iter_batch([arguments], backend=open_backend(model), trace="full", **sampling)
    table = _table()
    record = record_of(row, arguments, state)
    _add_to_table(table, record)
    Console().print(table)
    try:
        state.trace.save(page)
    except OSError as error:
        raise ConfigError(f"{page} cannot be written: {error}", field="--trace") from error
    _messages.print(f"Wrote {page}.")
    return int(record["error"] is not None)


def _show(
    program: Program, rows: Iterable[FileRow], backend: Backend, options: RunOptions, *, as_lines: bool
) -> tuple[int, int]:
    """Run rows, and print a line or a table line of each; returns how many there were, and how many failed."""
    given = list(islice(rows, options.limit))
    table = None if as_lines else _table()
    num_failed = 0
    with BatchProgress(len(given), program.name, prices=options.prices, shown=not options.quiet) as progress:
        for index, state in program.iter_batch(
            given,
            num_threads=options.concurrency or "auto",
            ordered=options.ordered,
            retries=options.retries,
            backend=backend,
            **options.sampling,
        ):
            progress.add(state)
            record = record_of(index, given[index], state)
            num_failed += record["error"] is not None
            if table is None:
                print(json.dumps(record, ensure_ascii=False))
            else:
                _add_to_table(table, record)
    if table is not None:
        Console().print(table)
    return len(given), num_failed


def _table() -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=False, show_lines=True)
    table.add_column("row", justify="right", style="dim")
    table.add_column("input", max_width=48)
    table.add_column("output")
    return table


def _add_to_table(table: Table, record: Mapping[str, Any]) -> None:
    given = record["input"]
    shown = given if isinstance(given, str) else "\n".join(str(value) for value in given.values())
    result = Text()
    for name, value in record["output"].items():
        result.append(f"{name}: ", style="bold")
        result.append((value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, indent=1)) + "\n")
    if record["error"] is not None:
        result.append(f"{record['error']['type']}: {record['error']['message']}", style="red")
    result.rstrip()
    table.add_row(str(record["row"]), Text(shown), result)


def _counters(backend: Backend) -> dict[str, float]:
    return {key: value for key, value in backend.server_info().items() if isinstance(value, int | float)}


def _summary(
    num_rows: int,
    num_resumed: int,
    num_failed: int,
    elapsed_s: float,
    before: Mapping[str, float],
    after: Mapping[str, float],
) -> str:
    def gained(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    parts = [f"{num_rows} {'row' if num_rows == 1 else 'rows'} in {elapsed_s:.2f} s"]
    if num_resumed:
        parts.append(f"{num_resumed} of them were there already")
    if num_failed:
        parts.append(f"[red]{num_failed} failed[/red]")
    forced, sampled = gained("forced_tokens"), gained("sampled_tokens")
    if forced + sampled:
        parts.append(f"{forced + sampled:.0f} tokens written, {forced / (forced + sampled):.0%} of them forced")
    if gained("prompt_tokens"):
        parts.append(f"{gained('cached_tokens') / gained('prompt_tokens'):.0%} of the prompts came from the cache")
    return " · ".join(parts)


def row_arguments(rows: Iterable[FileRow], index: int) -> Mapping[str, Any]:
    """The arguments of row `index`. Raises: ConfigError when there is no such row or it cannot be read."""
    given = list(rows)
    if index >= len(given):
        raise ConfigError(f"there are {len(given)} rows, counted from 0", field="--row")
    row = given[index]
    if isinstance(row, UnreadableRow):
        raise ConfigError(row.reason, field="--row")
    return row

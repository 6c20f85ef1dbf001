"""`slipform run`: a program of a file over rows of a file."""

import importlib.util
import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import IO, Any

from pydantic_core import PydanticSerializationError, to_jsonable_python
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from slipform.errors import ConfigError, SlipformError
from slipform.lang.backend import Backend
from slipform.lang.config import as_backend, resolve_backend
from slipform.lang.program import Program
from slipform.lang.state import ProgramState

_messages = Console(stderr=True, highlight=False)


@dataclass(frozen=True, slots=True)
class RowError:
    """A row that could not be read: its line as it stands, and why."""

    line: str
    reason: str


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


def read_rows(source: str | None, module: ModuleType, program: Program) -> list[Mapping[str, Any] | RowError]:
    """Rows from a file, the standard input, or the module's ROWS. Lines that are no JSON objects become RowErrors.

    Raises: ConfigError when there are no rows to be had.
    """
    if source is None:
        rows = getattr(module, "ROWS", None)
        if rows is None:
            raise ConfigError(
                f"{program.name} needs rows: give --input, or a list ROWS in {module.__file__}", field="--input"
            )
        return list(rows)
    if source == "-":
        return [_parse_row(line) for line in sys.stdin if line.strip()]
    try:
        with open(source, encoding="utf-8") as lines:
            return [_parse_row(line) for line in lines if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source} cannot be read: {error}", field="--input") from error


def _parse_row(line: str) -> Mapping[str, Any] | RowError:
    try:
        row = json.loads(line)
    except json.JSONDecodeError as error:
        return RowError(line.rstrip("\n"), f"not JSON: {error}")
    return row if isinstance(row, dict) else RowError(line.rstrip("\n"), "not a JSON object")


def open_backend(model: Path | None) -> Backend:
    """A backend on `model`; the default backend without one."""
    with _messages.status("loading the model"):
        if model is None:
            return resolve_backend(None)
        from slipform.runtime.engine import Engine

        return as_backend(Engine(model))


def run_file(
    file: Path,
    *,
    model: Path | None,
    rows: str | None,
    output: str | None,
    program: str | None,
    limit: int | None,
    options: Mapping[str, Any],
    concurrency: int | None,
    quiet: bool,
) -> int:
    """Run all rows, write or show the results; returns how many rows failed."""
    module = load_module(file)
    chosen = find_program(module, program)
    given = read_rows(rows, module, chosen)[:limit]
    backend = open_backend(model)
    readable = [row for row in given if not isinstance(row, RowError)]
    before, began = _counters(backend), time.monotonic()
    states = chosen.run_batch(
        readable,
        backend=backend,
        num_threads=concurrency or "auto",
        progress_bar=not quiet,
        generator_style=True,
        **options,
    )
    num_failed = 0
    table = None if output is not None else _table()
    with _open_output(output) as out:
        for index, row in enumerate(given):
            record = _record(index, row, None if isinstance(row, RowError) else next(states))
            num_failed += record["error"] is not None
            if out is not None:
                print(json.dumps(record, ensure_ascii=False), file=out)
            if table is not None:
                _add_to_table(table, record)
    for _ in states:  # lets the progress bar finish
        pass
    if table is not None:
        Console().print(table)
    if not quiet:
        _messages.print(_summary(len(given), num_failed, time.monotonic() - began, before, _counters(backend)))
    return num_failed


@contextmanager
def _open_output(output: str | None) -> Iterator[IO[str] | None]:
    if output is None:
        yield None
    elif output == "-":
        yield sys.stdout
    else:
        try:
            out = open(output, "w", encoding="utf-8")  # noqa: SIM115  # closed below
        except OSError as error:
            raise ConfigError(f"{output} cannot be written: {error}", field="--output") from error
        with out:
            yield out


def _record(index: int, row: Mapping[str, Any] | RowError, state: ProgramState | None) -> dict[str, Any]:
    """What the output says of one row."""
    if isinstance(row, RowError):
        error = {"type": "RowError", "message": row.reason}
        return {"row": index, "input": row.line, "output": {}, "error": error}
    assert state is not None
    values: dict[str, Any] = {}
    failure = state.error()
    for name in state.variables():
        try:
            values[name] = to_jsonable_python(state[name])
        except (SlipformError, PydanticSerializationError) as error:
            failure = failure or error
    described = None if failure is None else {"type": type(failure).__name__, "message": str(failure)}
    return {"row": index, "input": to_jsonable_python(row, fallback=str), "output": values, "error": described}


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
    num_rows: int, num_failed: int, elapsed_s: float, before: Mapping[str, float], after: Mapping[str, float]
) -> str:
    def gained(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    parts = [f"{num_rows} rows in {elapsed_s:.2f} s"]
    if num_failed:
        parts.append(f"[red]{num_failed} failed[/red]")
    forced, sampled = gained("forced_tokens"), gained("sampled_tokens")
    if forced + sampled:
        parts.append(f"{forced + sampled:.0f} tokens written, {forced / (forced + sampled):.0%} of them forced")
    if gained("prompt_tokens"):
        parts.append(f"{gained('cached_tokens') / gained('prompt_tokens'):.0%} of the prompts came from the cache")
    return " · ".join(parts)


def row_arguments(rows: Sequence[Mapping[str, Any] | RowError], index: int) -> Mapping[str, Any]:
    """The arguments of row `index`. Raises: ConfigError when there is no such row or it cannot be read."""
    if index >= len(rows):
        raise ConfigError(f"there are {len(rows)} rows, counted from 0", field="--row")
    row = rows[index]
    if isinstance(row, RowError):
        raise ConfigError(row.reason, field="--row")
    return row

"""A job's records as a table: CSV or Parquet, one line a row.

Columns: `row`; the arguments of the program; its variables (`output.NAME` where an argument has that name); `error`.
A column whose values are all numbers, or all true or false, is of that type in Parquet; objects and lists are JSON
text.
"""

import csv
import json
import os
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

from slipform.lang.journal import records
from slipform.lang.rows import pyarrow_parquet

TABLE_SUFFIXES = (".csv", ".parquet")


def write_table(journal: Path, target: Path) -> None:
    """Make `target` of a finished journal, in the order of its lines; the file appears in one step.

    Raises: ConfigError where Parquet is asked for and pyarrow is missing.
    """
    kinds = _kinds(journal)
    fresh = target.with_name(target.name + ".writing")
    if target.suffix == ".csv":
        _write_csv(journal, fresh, list(kinds))
    else:
        _write_parquet(journal, fresh, kinds)
    os.replace(fresh, target)


def _kinds(journal: Path) -> dict[str, type]:
    """Every column in the order of first appearance, with the one type of its values, or str."""
    kinds: dict[str, type] = {}
    for record in records(journal):
        for name, value in _cells(record).items():
            kind = type(value) if isinstance(value, bool | int | float) else str
            if value is None:
                kinds.setdefault(name, type(None))
            elif kinds.get(name, type(None)) in (type(None), kind):
                kinds[name] = kind
            elif {kinds[name], kind} == {int, float}:
                kinds[name] = float
            else:
                kinds[name] = str
    error = kinds.pop("error", str)
    return {**kinds, "error": error}


def _cells(record: Mapping[str, Any]) -> dict[str, Any]:
    given = record["input"]
    arguments = given if isinstance(given, dict) else {"input": given}
    written = {(f"output.{key}" if key in arguments else key): value for key, value in record["output"].items()}
    error = record["error"] and f"{record['error']['type']}: {record['error']['message']}"
    return {"row": record["row"], **arguments, **written, "error": error}


def _as_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _write_csv(journal: Path, target: Path, columns: list[str]) -> None:
    with target.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        for record in records(journal):
            cells = _cells(record)
            writer.writerow([_as_text(cells.get(name)) for name in columns])


def _write_parquet(journal: Path, target: Path, kinds: Mapping[str, type]) -> None:
    parquet = pyarrow_parquet()
    import pyarrow

    types = {int: pyarrow.int64(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    schema = pyarrow.schema([(name, types.get(kind, pyarrow.string())) for name, kind in kinds.items()])
    with parquet.ParquetWriter(target, schema) as writer:
        rows = _table_rows(journal, kinds)
        while part := list(islice(rows, 1024)):
            writer.write_table(pyarrow.Table.from_pylist(part, schema=schema))


def _table_rows(journal: Path, kinds: Mapping[str, type]) -> Iterator[dict[str, Any]]:
    for record in records(journal):
        cells = _cells(record)
        yield {name: _as_kind(cells.get(name), kind) for name, kind in kinds.items()}


def _as_kind(value: Any, kind: type) -> Any:
    if value is None or kind in (bool, int):
        return value
    return float(value) if kind is float else _as_text(value)

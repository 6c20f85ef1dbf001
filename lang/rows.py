"""Rows of a batch, read from files one after the other: JSON Lines, CSV, Parquet."""

import csv
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from slipform.errors import ConfigError


@dataclass(frozen=True, slots=True)
class UnreadableRow:
    """A row that could not be read: its text as it stands, and why. In a batch it fails in its place."""

    text: str
    reason: str


Row = Mapping[str, Any] | Sequence[Any] | UnreadableRow
"""Arguments of a program by name or in order, or what stands in the place of such."""

FileRow = Mapping[str, Any] | UnreadableRow


def read_rows(source: str | Path) -> Iterator[FileRow]:
    """Rows of a file, by its ending: `.csv` (first line names the arguments, values are strings), `.parquet`, and
    otherwise JSON Lines, one object a line; `-` is JSON Lines from the standard input. Memory holds a few rows.

    Raises: ConfigError when the file cannot be read, at the first row; a single bad row is an UnreadableRow.
    """
    if str(source) == "-":
        yield from _json_lines(sys.stdin)
        return
    path = Path(source)
    try:
        if path.suffix == ".parquet":
            yield from _parquet(path)
        elif path.suffix == ".csv":
            with path.open(encoding="utf-8-sig", newline="") as file:
                yield from _csv(file)
        else:
            with path.open(encoding="utf-8") as file:
                yield from _json_lines(file)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{source} cannot be read: {error}", field="--input") from error


def count_rows(source: str | Path) -> int | None:
    """How many rows `read_rows` gives; None for the standard input. Raises: ConfigError as `read_rows`."""
    if str(source) == "-":
        return None
    path = Path(source)
    if path.suffix == ".parquet":
        try:
            return int(pyarrow_parquet().ParquetFile(path).metadata.num_rows)
        except (OSError, ValueError) as error:
            raise ConfigError(f"{source} cannot be read: {error}", field="--input") from error
    if path.suffix == ".csv":
        return sum(1 for _ in read_rows(path))
    try:
        with path.open("rb") as lines:
            return sum(1 for line in lines if line.strip())
    except OSError as error:
        raise ConfigError(f"{source} cannot be read: {error}", field="--input") from error


def _json_lines(file: IO[str]) -> Iterator[FileRow]:
    for line in file:
        if not line.strip():
            continue
        text = line.rstrip("\n")
        try:
            row = json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            yield UnreadableRow(text, f"not JSON: {error}")
            continue
        yield row if isinstance(row, dict) else UnreadableRow(text, "not a JSON object")


def _csv(file: IO[str]) -> Iterator[FileRow]:
    reader = csv.reader(file, strict=True)
    try:
        header = next(reader, None)
        if header is None:
            return
        if len(set(header)) < len(header):
            raise ConfigError(f"two columns have one name in {','.join(header)!r}", field="--input")
        for cells in reader:
            if not cells:
                continue
            if len(cells) == len(header):
                yield dict(zip(header, cells, strict=True))
            else:
                yield UnreadableRow(",".join(cells), f"{len(cells)} cells, and the header has {len(header)}")
    except csv.Error as error:
        # The reader has lost its place: what follows cannot be told apart into rows.
        raise ConfigError(f"line {reader.line_num} of the CSV file: {error}", field="--input") from error


def _parquet(path: Path) -> Iterator[FileRow]:
    try:
        file = pyarrow_parquet().ParquetFile(path)
    except ValueError as error:  # pyarrow.ArrowInvalid
        raise ConfigError(f"{path} cannot be read: {error}", field="--input") from error
    for part in file.iter_batches(batch_size=1024):
        yield from part.to_pylist()


def pyarrow_parquet() -> Any:
    """The module. Raises: ConfigError saying how to install it."""
    try:
        import pyarrow.parquet
    except ImportError as error:
        raise ConfigError("Parquet files need pyarrow: pip install 'slipform[parquet]'") from error
    return pyarrow.parquet

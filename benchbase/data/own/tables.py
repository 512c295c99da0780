"""Tables of images: CSV in any of its dialects, JSON lines, Parquet."""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbase.errors import DataError
from benchbase.options import unknown

DELIMITERS = ",;\t|"
JSON_ENDINGS = (".jsonl", ".ndjson", ".json")
ENDINGS = (".csv", ".tsv", ".tab", ".txt", *JSON_ENDINGS, ".parquet")


@dataclass(frozen=True)
class Table:
    """Columns of equal length."""

    path: Path
    columns: Mapping[str, Sequence[Any]]
    first_line: int
    """What the first row is called in messages."""

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def where(self, row: int) -> str:
        """Name a row for a message."""
        return f"{self.path}, row {row + self.first_line}"

    def column(self, name: str, option: str) -> Sequence[Any]:
        """Give a column by its name.

        Raises:
            DataError: there is none; the message names the nearest and the option that asked.
        """
        if name not in self.columns:
            raise DataError(f"{self.path}: {option}: {unknown('column', name, self.columns)}")
        return self.columns[name]

    def texts(self, name: str, option: str) -> list[str]:
        """Give a column's cells as texts without white space around them; nothing is empty.

        Raises:
            DataError: there is no such column, or one of its cells is a list or an object.
        """
        cells = self.column(name, option)
        for row, value in enumerate(cells):
            if isinstance(value, list | dict):
                raise DataError(
                    f"{self.where(row)}: expected one text or number in the column {name!r}, got "
                    f"{value!r:.80}"
                )
        return [_text(value) for value in cells]


def read_table(path: Path, ending: str = "") -> Table:
    """Read a table by its ending, or as if its name had ``ending``.

    Raises:
        DataError: it cannot be read, or is not what its ending says; the message names the line.
    """
    if path.is_dir():
        raise DataError(f"{path}: expected a table, this is a folder; for images below folders of "
                        f"their class write folder:{path}")  # fmt: skip
    ending = (ending or path.suffix).lower()
    if ending not in ENDINGS:
        raise DataError(f"{path}: expected a table, a file that ends in {', '.join(ENDINGS)}")
    if ending == ".parquet":
        table = _read_parquet(path)
    else:
        text = _read_text(path)
        table = _read_json_lines(path, text) if ending in JSON_ENDINGS else _read_csv(path, text)
    if not table.columns or not len(table):
        raise DataError(f"{path}: holds no rows; expected one for each image")
    return table


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    return str(value).strip()


def _read_text(path: Path) -> str:
    try:
        # `utf-8-sig` drops the mark that Excel puts first; line ends are for the CSV reader.
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: is not UTF-8 ({error}): save it as CSV in UTF-8") from error


def _read_csv(path: Path, text: str) -> Table:
    first = next((line for line in text.splitlines() if line.strip()), "")
    # The header decides: cells may hold any of these.
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(DELIMITERS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    csv.field_size_limit(1 << 24)
    rows: list[list[str]] = []
    try:
        rows.extend(row for row in reader if any(cell.strip() for cell in row))
    except csv.Error as error:
        raise DataError(f"{path}, line {reader.line_num}: is no CSV ({error})") from error
    header = [name.strip() for name in rows[0]] if rows else []
    twice = {name for name in header if header.count(name) > 1}
    if twice:
        raise DataError(f"{path}: several columns are called {min(twice)!r}: rename them")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != len(header):
            raise DataError(
                f"{path}, row {number}: expected {len(header)} cells, as in the header, found "
                f"{len(row)}; a cell that holds {delimiter!r} must be quoted"
            )
    columns = {name: [row[index] for row in rows[1:]] for index, name in enumerate(header)}
    return Table(path, columns, first_line=2)


def _read_json_lines(path: Path, text: str) -> Table:
    columns: dict[str, list[Any]] = {}
    lines = [(number, line) for number, line in enumerate(text.split("\n"), 1) if line.strip()]
    for index, (number, line) in enumerate(lines):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{path}, line {number}: is no JSON ({error})") from error
        if not isinstance(row, dict):
            raise DataError(f"{path}, line {number}: expected one JSON object a line, got {row!r}")
        for name, value in row.items():
            columns.setdefault(name, [None] * index).append(value)
        for column in columns.values():
            column.extend([None] * (index + 1 - len(column)))
    return Table(path, dict(columns), first_line=1)


def _read_parquet(path: Path) -> Table:
    import pyarrow as pa
    from pyarrow import parquet

    try:
        table = parquet.read_table(path)
    except (OSError, pa.ArrowInvalid) as error:
        raise DataError(f"{path}: is no Parquet file ({error})") from error
    return Table(path, {name: table[name].to_pylist() for name in table.column_names}, 1)

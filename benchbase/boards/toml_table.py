"""A table of a TOML file, read with types; every error names the file and the key."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from benchbase.errors import UsageError
from benchbase.options import unknown


@dataclass(frozen=True)
class TomlTable:
    """One table; ``where`` is its place in the file, such as ``scenarios[0].recipe``."""

    path: Path
    where: str
    values: Mapping[str, Any]

    @classmethod
    def read(cls, path: Path) -> TomlTable:
        """Read the whole file as one table.

        Raises:
            UsageError: the file cannot be read or is not TOML.
        """
        try:
            return cls(path, "", tomllib.loads(path.read_text(encoding="utf-8")))
        except OSError as error:
            raise UsageError(f"{path}: cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"{path}: not a TOML file: {error}") from error

    def fail(self, key: str, problem: str) -> NoReturn:
        """Raise UsageError about ``key``."""
        if problem.startswith(f"{self.path}: "):  # an error about a key within says it already
            raise UsageError(problem)
        place = f"{self.where}.{key}" if self.where and key else self.where or key
        raise UsageError(f"{self.path}: {place}: {problem}" if place else f"{self.path}: {problem}")

    def allow(self, names: Collection[str]) -> None:
        """Refuse keys other than ``names``; the error lists the nearest ones."""
        for key in self.values:
            if key not in names:
                self.fail(key, unknown("key", key, names))

    def text(self, key: str, default: str, choices: Collection[str] | None = None) -> str:
        """Give a string, one of ``choices`` where these are given."""
        value = self.values.get(key, default)
        if not isinstance(value, str):
            self.fail(key, f"expected a text, got {value!r}")
        if choices is not None and value not in choices:
            self.fail(key, f"expected one of {', '.join(choices)}, got {value!r}")
        return value

    def integer(self, key: str, minimum: int) -> int:
        """Give a whole number of at least ``minimum``."""
        value = self.values[key]
        if not isinstance(value, int) or isinstance(value, bool) or value < minimum:
            self.fail(key, f"expected a whole number of at least {minimum}, got {value!r}")
        return value

    def number(self, key: str, minimum: float, maximum: float) -> float:
        """Give a number from ``minimum`` to ``maximum``."""
        return self._number(key, self.values[key], minimum, maximum)

    def numbers(self, key: str, minimum: float, maximum: float) -> list[float]:
        """Give one number or a list of them, each from ``minimum`` to ``maximum``."""
        value = self.values[key]
        if isinstance(value, list) and not value:
            self.fail(key, "expected a number, or a list with at least one")
        items = value if isinstance(value, list) else [value]
        return [self._number(key, item, minimum, maximum) for item in items]

    def number_rows(self, key: str, minimum: float, maximum: float) -> list[list[float]]:
        """Give a list of lists of numbers, each from ``minimum`` to ``maximum``."""
        rows = self.values[key]
        if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
            self.fail(key, f"expected a list of rows of numbers, got {rows!r}")
        return [[self._number(key, item, minimum, maximum) for item in row] for row in rows]

    def _number(self, key: str, value: Any, minimum: float, maximum: float) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool):
            self.fail(key, f"expected a number, got {value!r}")
        if not minimum <= value <= maximum:
            self.fail(key, f"expected a number from {minimum:g} to {maximum:g}, got {value!r}")
        return float(value)

    def texts(self, key: str, default: list[str]) -> list[str]:
        """Give a list of strings (numbers are written out), at least one."""
        value = self.values.get(key, default)
        if not isinstance(value, list) or not value:
            self.fail(key, f"expected a list with at least one entry, got {value!r}")
        for item in value:
            if not isinstance(item, str | int | float) or isinstance(item, bool):
                self.fail(key, f"expected texts or numbers, got {item!r}")
        return [str(item) for item in value]

    def table(self, key: str) -> TomlTable:
        """Give a table; an absent one is empty."""
        value = self.values.get(key, {})
        if not isinstance(value, dict):
            self.fail(key, f"expected a table, got {value!r}")
        return TomlTable(self.path, f"{self.where}.{key}" if self.where else key, value)

    def tables(self, key: str) -> list[TomlTable]:
        """Give an array of tables (``[[key]]``), at least one."""
        value = self.values.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(v, dict) for v in value):
            self.fail(key, f"expected at least one table headed [[{key}]]")
        return [
            TomlTable(self.path, f"{key}[{index}]", values) for index, values in enumerate(value)
        ]

"""The words for data of one's own: ``folder:PATH``, ``csv:PATH[label=dx,size=64]``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchbase.boards.selectors import parse_selector, settle
from benchbase.data.own.csv_table import CsvTable
from benchbase.data.own.folder import Folder
from benchbase.data.own.npz_file import NpzFile
from benchbase.data.own.sources import SOURCES
from benchbase.data.own.tables import ENDINGS
from benchbase.errors import UsageError
from benchbase.options import options_of


def is_own(text: str) -> bool:
    """Tell data of one's own, with or without a path, from the name of a data set."""
    name, colon, _ = text.partition(":")
    return bool(colon) and name.strip() in SOURCES


def own_at(text: str) -> str:
    """Give the words for a folder or file that is called by its path alone; empty for no path."""
    path = Path(text).expanduser()
    if path.is_dir():
        return f"{Folder.name}:{text}"
    kinds = {".npz": NpzFile.name} | dict.fromkeys(ENDINGS, CsvTable.name)
    kind = kinds.get(path.suffix.lower())
    return f"{kind}:{text}" if kind and path.is_file() else ""


def parse_own(text: str) -> tuple[str, dict[str, Any]]:
    """Read ``source:PATH[option=value,...]``; give the source and its options.

    A path that ends in brackets with an equals sign in them stands in double quotes, as JSON
    writes a text; all others are taken as they stand.

    Raises:
        UsageError: it is not of that form, or an option means nothing.
    """
    name, _, rest = text.partition(":")
    name, rest = name.strip(), rest.strip()
    path, settings = _parted(rest, text)
    if not path:
        raise UsageError(f"{text!r}: where? write {name}:PATH")
    if settings and not settings.startswith("["):
        raise UsageError(f"{text!r}: expected option=value in brackets after the path")
    options = settle(parse_selector(name + settings), options_of(SOURCES[name]))
    argument = SOURCES[name].found_at(path)
    if argument.keys() & options.keys():
        raise UsageError(f"{text!r}: {' and '.join(argument)} stands there twice")
    return name, {**argument, **options}


def noise_as_given(name: str, options: Mapping[str, Any], folder: Path) -> str:
    """Name the noise under which methods see labels as given; paths are relative to ``folder``.

    It is real where other labels count as true, and none where there are no others.
    """
    located = {**options, "path": str(folder / Path(options.get("path", "")).expanduser())}
    return "real" if SOURCES[name].has_truth(located) else "none"


def track_as_given(options: Mapping[str, Any]) -> str:
    """Name the track on which whoever needs clean labels gets the verified ones; none, without."""
    return "TV" if options.keys() & {"trusted_column", "trusted_file"} else "T0"


def _parted(rest: str, text: str) -> tuple[str, str]:
    """Part a path from the options in brackets."""
    if rest.startswith('"'):
        try:
            path, end = json.JSONDecoder().raw_decode(rest)
        except ValueError:
            raise UsageError(f"{text!r}: a path in double quotes is written as in JSON") from None
        return path, rest[end:].strip()
    options = re.search(r'\[\s*\w+\s*=(?:[^][\"]|"(?:[^"\\]|\\.)*")*\]$', rest)
    start = len(rest) if options is None else options.start()
    return rest[:start].strip(), rest[start:]

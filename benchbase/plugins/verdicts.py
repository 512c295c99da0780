"""What the last check said about each plugin, kept in the home: ``list`` shows it unimported.

A verdict holds for one distribution, version and source of the module: edit it, and it is gone.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from benchbase.errors import PluginError
from benchbase.plugins.discovery import Found, module_files_hash

FILE = "plugins.json"


def key_of(found: Found) -> str:
    """Give the key of a thing's verdict, with the hash of its code as it is now."""
    try:
        source = module_files_hash(found.module.partition(":")[0])
    except PluginError:
        source = "none"
    return f"{found.distribution} {found.version} {source} {found.kind} {found.name}"


def recall(home: Path) -> dict[str, str]:
    """Read all verdicts: key -> the reason why it is broken, empty for what loads."""
    try:
        verdicts = json.loads((home / FILE).read_text())
    except (OSError, ValueError):
        return {}
    return verdicts if isinstance(verdicts, dict) else {}


def record(home: Path, verdicts: Mapping[str, str]) -> None:
    """Keep these verdicts, and only these.

    Raises:
        OSError: the home cannot be written.
    """
    home.mkdir(parents=True, exist_ok=True)
    temporary = home / f"{FILE}.{os.getpid()}"
    temporary.write_text(json.dumps(verdicts, indent=1, sort_keys=True) + "\n")
    temporary.replace(home / FILE)

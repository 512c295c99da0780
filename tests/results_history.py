"""Tells which committed results were changed or removed: they only ever gain lines and files.

A change of protocol is the one occasion to begin anew, and the results of a board that is frozen
go when the new board of its name replaces them.
"""

from __future__ import annotations

import subprocess
import tomllib
from pathlib import Path

RESULTS = ":(glob)leaderboards/*/results/**"
PROTOCOL = ["-G^PROTOCOL = ", "--", "benchbase/cell.py"]
"""Selects what changes the protocol's name."""


def whole_history(repository: Path) -> bool:
    """Tell whether this is a git checkout that goes back to the first commit."""
    command = ["git", "rev-parse", "--is-shallow-repository"]
    ran = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    return ran.returncode == 0 and ran.stdout.strip() == "false"


def altered_results(repository: Path) -> list[str]:
    """Give what was altered since the protocol in force began: ``commit file`` for each."""
    began = _git(repository, "log", "-1", "--format=%H", *PROTOCOL).strip()
    since = f"{began}..HEAD" if began else "HEAD"
    found = []
    for commit in _git(repository, "rev-list", "--first-parent", since, "--", RESULTS).split():
        if _git(repository, "rev-list", "--parents", "-1", commit).split()[1:]:
            found += _altered(repository, f"{commit}^", commit)
    if not _git(repository, "diff", "--name-only", "HEAD", *PROTOCOL):
        found += _altered(repository, "HEAD")
    return found


def _altered(repository: Path, before: str, after: str = "") -> list[str]:
    """Compare two commits, or one with the files as they are now."""
    commits = [before, after] if after else [before]
    stated = _git(
        repository, "diff", "--no-renames", "--numstat", "-z", *commits, "--", RESULTS
    )  # fmt: skip
    altered = []
    for line in filter(None, stated.split("\0")):
        _, removed, name = line.split("\t")
        # Bytes are counted as "-": they are new, or were altered.
        is_new = removed == "-" and not _git(repository, "ls-tree", before, "--", name)
        if removed != "0" and not is_new and not _frozen(repository, before, Path(name).parts[1]):
            altered.append(f"{after[:12] or 'not committed'} {name}")
    return altered


def _frozen(repository: Path, commit: str, board: str) -> bool:
    stated = _git(repository, "show", f"{commit}:leaderboards/{board}/board.toml")
    return "frozen" in tomllib.loads(stated)


def _git(repository: Path, *arguments: str) -> str:
    """Run git; give what it printed."""
    ran = subprocess.run(
        ["git", *arguments], cwd=repository, capture_output=True, text=True, check=True
    )
    return ran.stdout

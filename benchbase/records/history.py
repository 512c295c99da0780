"""Tells from git which committed results were changed or removed: they only gain lines and files.

A change of protocol is the one occasion to begin anew, and the results of a board that is frozen
go when the new board of its name replaces them.
"""

from __future__ import annotations

import subprocess
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path

from benchbase.errors import UsageError

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
            altered = _altered(repository, f"{commit}^", commit)
            found += [f"{commit[:12]} {name}" for name in altered]
    return found + [f"not committed {name}" for name in altered_since(repository, "HEAD")]


def altered_since(repository: Path, base: str) -> list[str]:
    """Give the results of a commit that are altered in the files as they are now."""
    if _git(repository, "diff", "--name-only", base, *PROTOCOL):
        return []
    return _altered(repository, base)


def branched_from(repository: Path, base: str) -> str:
    """Give the commit at which HEAD left a branch.

    Raises:
        UsageError: this is no git checkout, or it does not know the branch.
    """
    command = ["git", "merge-base", "--", base, "HEAD"]
    ran = subprocess.run(command, cwd=repository, capture_output=True, text=True, check=False)
    if ran.returncode:
        why = ran.stderr.strip() or "the two have no commit in common"
        raise UsageError(
            f"git knows no commit from which this branch left {base!r} ({why}): name with --base "
            "what it is to be merged into, such as origin/main, and fetch its whole history"
        )
    return ran.stdout.strip()


def changed_files(repository: Path, base: str) -> list[str]:
    """Name the files that are other ones than in a commit, those not committed yet included."""
    known = _git(repository, "diff", "--no-renames", "--name-only", "-z", base)
    new = _git(repository, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted({*known.split("\0"), *new.split("\0")} - {""})


def files_at(repository: Path, base: str, names: Iterable[str], target: Path) -> None:
    """Write files and folders as they were in a commit below ``target``, where they were there."""
    there = [name for name in names if _git(repository, "ls-tree", base, "--", name)]
    if there:
        archive = target / "before.zip"
        _git(repository, "archive", "--format=zip", f"--output={archive}", base, "--", *there)
        with zipfile.ZipFile(archive) as file:
            file.extractall(target)


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
            altered.append(name)
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

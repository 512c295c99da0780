"""Where boards and suites lie: built in, below ``leaderboards/``, or at a path."""

from __future__ import annotations

from pathlib import Path

from benchbase.errors import UsageError
from benchbase.options import unknown

LEADERBOARDS = Path("leaderboards")
_BUILT_IN = Path(__file__).parent


def find_board(name: str, root: Path = Path()) -> Path:
    """Find the TOML file behind a name or path.

    Raises:
        UsageError: there is none; the message lists the nearest names.
    """
    if name.endswith(".toml") or "/" in name:
        path = root / name
        path = path / "board.toml" if path.is_dir() else path
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file; expected a board or suite in TOML")
        return path
    known = {path.stem: path for path in sorted(_BUILT_IN.glob("*.toml"))}
    for path in sorted((root / LEADERBOARDS).glob("*/board.toml")):
        if path.parent.name == name and name in known:
            raise UsageError(
                f"{name!r} is the name of a built-in board and of {path}: rename the folder, or "
                "give its path"
            )
        known[path.parent.name] = path
    if name not in known:
        raise UsageError(
            f"{unknown('board or suite', name, known)} (Built-in names and "
            f"{LEADERBOARDS}/*/board.toml were looked at; a path to a .toml file works too.)"
        )
    return known[name]


def board_folder(name: str, root: Path = Path()) -> Path | None:
    """Give the folder that the board's leaderboard is written to; None for the home folder."""
    path = find_board(name, root)
    return path.parent if path.name == "board.toml" else None


def leaderboards_of(folder: Path) -> Path | None:
    """Give the ``leaderboards/`` that a board's folder lies in; None where it lies elsewhere."""
    above = folder.resolve().parent
    return above if above.name == LEADERBOARDS.name else None


def is_built_in(name: str) -> bool:
    """Tell whether benchbase brings a board or suite of that name."""
    return (_BUILT_IN / f"{name}.toml").is_file()


def board_name(path: Path) -> str:
    """Name a board by its folder, or by its file where that is not a ``board.toml``."""
    return path.resolve().parent.name if path.name == "board.toml" else path.stem

"""Where a plugin's code comes from: an installed distribution, a file, or a module."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchbase.boards.selectors import looks_like_path
from benchbase.cell import content_hash
from benchbase.errors import PluginError, UsageError
from benchbase.options import unknown
from benchbase.plugins.code import code_hash
from benchbase.plugins.installed import module_source_hash
from benchbase.sources import code_files, helper_files, module_path


@dataclass(frozen=True)
class Source:
    """Where classes are loaded from."""

    kind: Literal["installed", "file", "module"]
    target: str
    """The module of an installed distribution, an absolute path, or a module's dotted name."""
    owner: str = ""
    """Name and version of the distribution that is installed."""

    @property
    def origin(self) -> str:
        """Who it is, for messages."""
        return f"{self.owner} ({self.target})" if self.owner else f"plugin {self.target}"

    def helpers(self) -> list[Path]:
        """Name the files that a file or a module imports by name and nobody installed.

        What is installed counts the same on every machine: its own module or package.
        """
        if self.kind == "file":
            return [*helper_files([Path(self.target)]).values()]
        path = module_path(self.target)
        if self.kind == "installed" or path is None:
            return []
        package = self.target.partition(".")[0]
        return [*helper_files(code_files(self.target, path)[1], package).values()]

    def code_hash(self, cls: type, bases: Sequence[str] = ()) -> str:
        """Hash the code of one of its classes, of the modules ``bases`` and of its helpers.

        Remarks do not count. What else it imports is not known.
        """
        if self.kind == "file":
            own = code_hash(Path(self.target).read_bytes())
        else:
            own = module_source_hash(cls.__module__)
        further = [module_source_hash(module) for module in bases]
        further += [code_hash(path.read_bytes()) for path in self.helpers()]
        return content_hash([own, *further]) if further else own

    @contextmanager
    def blamed(self) -> Iterator[None]:
        """Name the source in what is raised within.

        Raises:
            PluginError: one was raised within.
        """
        try:
            yield
        except PluginError as error:
            raise PluginError(f"{self.origin}: {error}") from error


def modules_of_bases(cls: type, contract: type) -> tuple[str, ...]:
    """Name the modules of other packages that hold classes which one is derived from.

    Only those that keep the ``contract``, and none of benchbase, whose version is in every key.
    """
    known = {cls.__module__.partition(".")[0], __name__.partition(".")[0]}
    bases = (base.__module__ for base in cls.__mro__ if issubclass(base, contract))
    return tuple(sorted({it for it in bases if it.partition(".")[0] not in known}))


def given_source(name: str) -> Source | None:
    """Tell which file or module a name on the command line means; None where it is no such thing.

    Raises:
        UsageError: it is a path to no Python file; the error names the nearest.
    """
    if looks_like_path(name):
        return Source("file", str(_checked_path(name)))
    return Source("module", name) if module_path(name) is not None else None


def _checked_path(name: str) -> Path:
    path = Path(name).expanduser().absolute()
    if path.is_dir():
        raise UsageError(f"plugin {name}: expected a .py file, this is a directory")
    if path.suffix != ".py":
        raise UsageError(f"plugin {name}: expected a .py file")
    if not path.is_file():
        beside = [each.name for each in path.parent.glob("*.py")]
        near = unknown("file", path.name, beside).partition("; ")[2]
        raise UsageError(f"plugin {name}: no such file; {near}")
    return path

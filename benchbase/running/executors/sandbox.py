"""Bubblewrap: a role's process sees Python, the code of plugins and its own task, and no more.

It has namespaces of its own: no network, no other process, a root that is read-only and holds
neither the home nor any data set; what it may write is limited in size. `limits` sees to the rest.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchbase.errors import UsageError
from benchbase.plugins.installed import find_installed
from benchbase.plugins.source import Source
from benchbase.sources import OWN_PACKAGE, module_path

_ROLE = "benchbase.running.executors.role"
_ISOLATED = ("--unshare-all", "--die-with-parent", "--cap-drop", "ALL", "--hostname", "sandbox")
_SCRATCH = ("/dev/shm", "/tmp")  # noqa: S108 - the sandbox's own
_SCRATCH_BYTES = 1 << 30
"""Size of each folder for files that go with the process; they are kept in memory."""
_SYSTEM = ("/usr/lib", "/usr/lib64", "/usr/local/lib", "/lib", "/lib64", "/etc/ld.so.cache")
_OF_PYTHON = ("bin", "lib", "lib64", "pyvenv.cfg")
_DATA = (".npz", ".npy", ".csv", ".gz", ".zip", ".parquet")
"""Files that are no code: data sets come with some packages."""
_WITH_DATA = {"sklearn": "datasets/data"}
"""Packages that are no plugins and bring data sets, and where."""
_VARIABLES = (
    "LANG",
    "LC_",
    "TZ",
    "HOME",
    "TORCH_HOME",
    "OMP_",
    "MKL_",
    "OPENBLAS_",
    "ATEN_",
    "MALLOC_",
    "CUBLAS_",
    "PYTHONHASHSEED",
    "PYTHONIOENCODING",
    "PYTHONDONTWRITEBYTECODE",
    "HF_HUB_OFFLINE",
    "BENCHBASE_TYPECHECK",
)
"""What the names of the variables that are passed on begin with; the others are nobody's affair."""
_CURE = (
    "namespaces are switched off here. Cures: `sysctl user.max_user_namespaces=15000`; on Debian "
    "`sysctl kernel.unprivileged_userns_clone=1`; on Ubuntu "
    "`sysctl kernel.apparmor_restrict_unprivileged_userns=0`; in a container, start it with "
    "`--security-opt seccomp=unconfined` or `--privileged`"
)


@dataclass(frozen=True)
class Shown:
    """What of the machine's files a role works with."""

    reads: Sequence[Path] = ()
    writes: Sequence[Path] = ()
    """Folders that it may write into."""


NOTHING = Shown()


def code_of(source: Source) -> list[Path]:
    """Name the files and folders of a plugin's code that no distribution brings."""
    if source.kind == "installed":
        return []
    if source.kind == "file":
        return [Path(source.target), *source.helpers()]
    return [*_package(source.target), *source.helpers()]


@dataclass(frozen=True)
class Sandbox:
    """How each role is started, apart from the rest of the machine."""

    name: ClassVar[str] = "bwrap"
    program: str

    @classmethod
    def here(cls) -> Sandbox:
        """Find the program, and try whether it works on this machine.

        Raises:
            UsageError: it does not; the message says what to do.
        """
        program = shutil.which(cls.name)
        if program is None:
            raise UsageError(
                f"--sandbox {cls.name}: there is no such program here; install bubblewrap (Debian: "
                "apt install bubblewrap)"
            )
        trial = [program, *_ISOLATED, *_mounts(Shown(), {}), sys.executable, "-I", "-c", "pass"]
        tried = subprocess.run(trial, capture_output=True, text=True, check=False)
        if tried.returncode:
            said = tried.stderr.strip() or f"exit code {tried.returncode}"
            cure = _CURE if "namespace" in said or "permitted" in said else "is it up to date?"
            raise UsageError(f"--sandbox {cls.name}: it does not work here ({said}): {cure}")
        return cls(program)

    def command(self, module: str, shown: Shown, environment: Mapping[str, str]) -> list[str]:
        """Give the command that runs a role; its connection and path come behind it."""
        mounts = _mounts(shown, environment)
        role = [sys.executable, "-P", "-m", _ROLE, module]
        return [self.program, *_ISOLATED, *mounts, *role]


def _mounts(shown: Shown, environment: Mapping[str, str]) -> Iterator[str]:
    here, home = str(Path.cwd()), str(Path.home())
    yield from ("--proc", "/proc", "--dev", "/dev")
    for folder in dict.fromkeys((*_SCRATCH, home)):
        if folder != "/":
            yield from ("--size", str(_SCRATCH_BYTES), "--tmpfs", folder)
    yield from ("--dir", here)
    for path in _code():
        yield from ("--ro-bind-try", str(path), str(path))
    for path in _data_of_packages():
        yield from (
            ("--tmpfs", str(path)) if path.is_dir() else ("--ro-bind", "/dev/null", str(path))
        )
    for path in shown.reads:
        yield from ("--ro-bind", str(path), str(path))
    for path in shown.writes:
        yield from ("--bind", str(path), str(path))
    yield from ("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", here, "--clearenv")
    for name, value in environment.items():
        if name.startswith(_VARIABLES):
            yield from ("--setenv", name, value)


def _code() -> Iterator[Path]:
    """Name what Python, benchbase and the installed plugins are made of."""
    yield from map(Path, _SYSTEM)
    python = Path(sys.executable).resolve()
    prefixes = (sys.base_prefix, sys.base_exec_prefix, sys.prefix, str(python.parents[1]))
    for prefix in dict.fromkeys(prefixes):
        yield from (Path(prefix) / name for name in _OF_PYTHON)
    yield python
    yield from _plugin_packages()
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    torch_home = Path(os.environ.get("TORCH_HOME", cache / "torch"))
    yield torch_home / "hub" / "checkpoints"  # the weights that a network starts from


def _plugin_packages() -> list[Path]:
    modules = (OWN_PACKAGE, *(one.module.partition(":")[0] for one in find_installed()))
    return list(dict.fromkeys(path for module in modules for path in _package(module)))


def _package(module: str) -> list[Path]:
    """Name the folder of a module's package, or its file."""
    path = module_path(module.partition(".")[0])
    if path is None:
        return []
    return [path.parent if path.name == "__init__.py" else path]


def _data_of_packages() -> Iterator[Path]:
    """Name what is in packages and no code: labels of test images are among it."""
    for folder in _plugin_packages():
        yield from (each for each in folder.rglob("*") if each.suffix in _DATA)
    for name, inside in _WITH_DATA.items():
        for folder in _package(name):
            if (folder / inside).is_dir():
                yield folder / inside

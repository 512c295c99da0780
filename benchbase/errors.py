"""One exception tree; every message says what was expected, what came, and the next step.

BenchbaseError
|-- UsageError                  what the user asked for cannot be done (exit code 2)
|   `-- DataError               a data file is missing, truncated or not what it claims to be
|-- PluginError                 a plugin did not load, or broke the contract
|   |-- UndeclaredNeedError     it asked for a privilege that it did not declare
|   |-- BudgetError             it spent more than it was granted
|   `-- ContractError           it returned something that the contract rules out
|       `-- DivergedError       it trained to non-finite numbers
`-- RunError                    the harness could not go on (disk full, a child that died)
    `-- StoreError              a record could not be written or read back

What a stranger's code raises is worded and blamed here as well.
"""

from __future__ import annotations

import errno
import sys
import traceback
from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

MACHINE_FAULTS = frozenset(
    (
        errno.ENOSPC,  # the disk is full
        errno.EDQUOT,  # so is the user's share of it
        errno.EFBIG,  # a limit on file sizes
        errno.EIO,  # a disk or network drive that fails
        errno.ESTALE,  # a network drive that went away
        errno.EROFS,  # a disk that was mounted anew, read-only, after an error
        errno.ENOTCONN,
        errno.ETIMEDOUT,
        errno.EMFILE,  # too many open files, of this process or of all
        errno.ENFILE,
        errno.EAGAIN,  # no more processes
    )
)
"""What is never a plugin's fault, for the parent and its children: such a cell is run again."""


class BenchbaseError(Exception):
    """Everything that benchbase raises on purpose."""


class UsageError(BenchbaseError):
    """What the user asked for cannot be done; the message says what can."""


class DataError(UsageError):
    """A data file is missing, truncated or not what it claims to be."""


class PluginError(BenchbaseError):
    """A plugin did not load, or broke the contract."""


class UndeclaredNeedError(PluginError):
    """A weighter asked for a privilege that its ``needs`` does not list."""


class BudgetError(PluginError):
    """A weighter spent more than it was granted; nothing was bought."""


class ContractError(PluginError):
    """A weighter returned something that the contract rules out."""


class DivergedError(ContractError):
    """A weighter trained to non-finite numbers."""


class RunError(BenchbaseError):
    """The harness could not go on."""


class StoreError(RunError):
    """A record could not be written or read back."""


def causes(error: BaseException) -> Iterator[BaseException]:
    """Give an error, what it was raised from, and so on."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield cause
        cause = cause.__cause__ or cause.__context__


def is_machines_fault(error: BaseException) -> bool:
    """Tell whether an error, or one that it was raised from, is the machine's fault."""
    return any(
        isinstance(cause, OSError) and cause.errno in MACHINE_FAULTS for cause in causes(error)
    )


def describe_exception(error: BaseException, file: str | None = None) -> str:
    """Say what was raised and in which line, preferring the innermost line of ``file``."""
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    if isinstance(error, SyntaxError) and error.filename is not None:
        where, line = error.filename, error.lineno
        text = f"{type(error).__name__}: {error.msg}"
    else:
        frames = traceback.extract_tb(error.__traceback__)
        own = [frame for frame in frames if frame.filename == file]
        if not frames:
            return text
        where, line = (own or frames)[-1].filename, (own or frames)[-1].lineno
    return f"{text} ({where}, line {line})"


@contextmanager
def blamed_on(thing: str, plugin: Any, unless: Container[BaseException] = ()) -> Iterator[None]:
    """Turn whatever a plugin raises into an error that names it, its line and the file it read.

    What it raises on purpose, an error of benchbase, goes through, and what is among ``unless``.

    Raises:
        DataError: a file could not be read.
        RunError: the disk is full, or the like.
        PluginError: anything else.
    """
    try:
        yield
    except BenchbaseError:
        raise
    except (Exception, SystemExit) as error:
        if error in unless:
            raise
        who = f"{thing} {plugin.name!r}"
        module = sys.modules.get(type(plugin).__module__)
        what = describe_exception(error, getattr(module, "__file__", None))
        if is_machines_fault(error):
            raise RunError(
                f"{who} met a fault of this machine, {what}: free space or mend it, and run again"
            ) from error
        read = _file_in_hand(error)
        if isinstance(error, OSError) and read is not None:
            raise DataError(
                f"{who} could not read {read}: {what}: put a sound file there, or leave it out"
            ) from error
        hint = "" if read is None else f"; the file it read last is {read}"
        raise PluginError(
            f"{who} raised {what}{hint}: mend the plugin (`benchbase check {plugin.name}`; "
            "BENCHBASE_DEBUG=1 shows all lines)"
        ) from error


@contextmanager
def no_fault_of_the_method() -> Iterator[None]:
    """Turn another plugin's fault into one of the run: it is no result, the cell is run again.

    Raises:
        RunError: in place of what the plugin, or its options or files, failed with.
    """
    try:
        yield
    except (PluginError, UsageError) as error:
        raise RunError(str(error)) from error


def _file_in_hand(error: BaseException) -> str | None:
    """Name the file that an error is about; libraries for images often do not say it themselves."""
    if isinstance(error, OSError) and isinstance(error.filename, str):
        return error.filename
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    for frame in reversed(frames):
        for value in reversed([*frame.f_locals.values()]):
            # An image of Pillow, for one, keeps the name of its file.
            held = value if isinstance(value, str | Path) else getattr(value, "filename", None)
            if isinstance(held, str | Path) and _is_data_file(held):
                return str(held)
    return None


def _is_data_file(name: str | Path) -> bool:
    try:
        return Path(name).suffix not in (".py", ".pyc") and Path(name).is_file()
    except (OSError, ValueError):  # too long for a name, say
        return False

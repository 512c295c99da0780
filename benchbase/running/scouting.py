"""The parent's side of the scout: what is installed, what a file brings, which GPUs there are."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from benchbase.cell import content_hash
from benchbase.errors import ContractError, PluginError, StoreError
from benchbase.files import replace_file
from benchbase.plugins.catalogue import Catalogue, Entry, join
from benchbase.plugins.installed import (
    Installed,
    find_installed,
    module_files_hash,
    own_files_hash,
)
from benchbase.plugins.source import Source
from benchbase.records.home import Home
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.executors.sandbox import Shown, code_of
from benchbase.running.messages import Look, Seen

IMPORT_SECONDS = 300


def read_catalogue(server: ForkServer, home: Home) -> Catalogue:
    """Tell what is installed; only what changed since it was last looked at is imported again.

    Raises:
        PluginError: something is broken and ``BENCHBASE_STRICT=1`` is set.
    """
    installed = find_installed()
    places = {one: _remembered_at(one, home) for one in installed}
    known = {one: _recall(place, Catalogue) for one, place in places.items()}
    asked = [one for one, catalogue in known.items() if catalogue is None]
    if asked:
        names = ", ".join(one.distribution for one in asked)
        seen = _look(server, names, installed=asked).installed
        for one, catalogue in zip(asked, seen, strict=True):
            known[one] = catalogue
            _remember(places[one], catalogue, catalogue.entries)
    catalogue = join([each for each in known.values() if each is not None])
    if catalogue.problems and is_strict():
        raise PluginError(catalogue.problems[0].reason)
    return catalogue


def read_installed(home: Home) -> Catalogue:
    """Tell what is installed, for whoever needs no process server but for this.

    Raises:
        PluginError: something is broken and ``BENCHBASE_STRICT=1`` is set.
    """
    server = ForkServer()
    try:
        return read_catalogue(server, home)
    finally:
        server.close()


def describe_sources(
    server: ForkServer, sources: Sequence[Source], home: Home
) -> dict[Source, tuple[Entry, ...]]:
    """Tell which weighters files and modules bring.

    Raises:
        PluginError: one does not load; the message says why.
    """
    known = {one: _recall(_given_at(one, home), tuple[Entry, ...]) for one in sources}
    asked = [source for source, entries in known.items() if entries is None]
    if asked:
        names = ", ".join(source.target for source in asked)
        for source, found in zip(asked, _look(server, names, given=asked).given, strict=True):
            if isinstance(found, str):
                raise PluginError(found)
            known[source] = found
            _remember(_given_at(source, home), found, found)
    return {source: entries for source, entries in known.items() if entries is not None}


def find_gpus(server: ForkServer) -> tuple[str, ...]:
    """Name the GPUs that torch sees; asked in a child, for CUDA does not survive a fork."""
    return tuple(_look(server, "torch", gpus=True).gpus)


def is_strict() -> bool:
    """Tell whether a broken plugin is to end the command (``BENCHBASE_STRICT=1``)."""
    return os.environ.get("BENCHBASE_STRICT", "") not in ("", "0")


def _look(
    server: ForkServer,
    names: str,
    *,
    installed: Sequence[Installed] = (),
    given: Sequence[Source] = (),
    gpus: bool = False,
) -> Seen:
    own = {name: value for name, value in os.environ.items() if name.startswith("BENCHBASE_")}
    look = Look(environment=own, installed=[*installed], given=[*given], gpus=gpus)
    code = [path for source in given for path in code_of(source)]
    child = server.start("benchbase.running.scout", shown=Shown(reads=code))
    child.channel.deadline = time.monotonic() + IMPORT_SECONDS
    try:
        child.channel.send(look)
        seen, _ = child.channel.receive(Seen)
    except TimeoutError:
        raise PluginError(f"importing {names} did not end within {IMPORT_SECONDS} s") from None
    except ContractError:  # a plugin was imported there
        seen = None
    except (EOFError, OSError):
        raise PluginError(
            f"a process that only imported {names} ended by itself: does a plugin exit on import?"
        ) from None
    finally:
        child.kill()
    if seen is None or (len(seen.installed), len(seen.given)) != (len(installed), len(given)):
        raise PluginError(f"importing {names} left a process that answers nonsense")
    return seen


def _remembered_at(installed: Installed, home: Home) -> Path:
    """Name the file that holds what a distribution brings while none of its files change."""
    try:
        files = module_files_hash(installed.module.partition(":")[0])
    except PluginError:
        files = "none"
    return _place(home, [msgspec.to_builtins(installed), files])


def _given_at(source: Source, home: Home) -> Path | None:
    if source.kind != "file":
        return None  # a module may be a package of many files
    files = [Path(source.target), *source.helpers()]
    contents = [hashlib.sha256(path.read_bytes()).hexdigest() for path in files]
    return _place(home, [source.target, contents])


def _place(home: Home, identity: list[Any]) -> Path:
    name = content_hash([identity, own_files_hash(), sys.version])
    return home.catalogue / f"{name}.json"


def _recall(path: Path | None, kind: Any) -> Any:
    if path is None:
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except (OSError, msgspec.MsgspecError):
        return None  # not there yet, or damaged


def _remember(path: Path | None, value: Any, entries: Sequence[Entry]) -> None:
    # What is derived from another package's class changes with that package's files.
    if path is not None and not any(entry.bases for entry in entries):
        with contextlib.suppress(StoreError):  # a home that cannot be written is asked each time
            replace_file(path, msgspec.json.encode(value).decode())

"""All that is installed, as values: what there is of each kind, and what is broken and why.

Made in a child, which imports every plugin behind a ``try``, and remembered by each distribution's
version and files; so the parent knows names, options and facts and has imported nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from benchbase.cell import normalise_distribution
from benchbase.data.card import Card
from benchbase.errors import PluginError, UsageError
from benchbase.options import OptionSpec, options_of, unknown
from benchbase.plugins.installed import Installed, find_installed
from benchbase.plugins.kinds import KINDS, check_class
from benchbase.plugins.loading import load_class, load_classes
from benchbase.plugins.source import Source, modules_of_bases


@dataclass(frozen=True)
class Entry:
    """One class that a plugin brings, without the class."""

    kind: str
    name: str
    source: Source
    distribution: str
    """Who ships it; ``file`` or ``module`` for one given by path or name."""
    distribution_version: str
    options: tuple[OptionSpec, ...]
    summary: str
    source_hash: str
    """SHA-256 of the code that defines it."""
    version: str = ""
    """What an installed class states that it computes; empty where its code counts."""
    needs: tuple[str, ...] = ()
    """Values of a weighter's Needs, sorted."""
    honesty: str = ""
    paper: str = ""
    invariances: str = ""
    """In words, what augmentation may do to a data set's images."""
    labels: str = ""
    """Of a data set: ``right``, or ``as given``."""
    card: Card | None = None

    @property
    def qualified(self) -> str:
        """The name under which it stays reachable when another distribution takes it too."""
        return f"{self.distribution}:{self.name}"

    @property
    def is_control(self) -> bool:
        """Whether it is a weighter to measure others by: it knows the truth, or says it itself."""
        return "truth" in self.needs or self.summary.startswith("Control")

    bases: tuple[str, ...] = ()
    """Modules of other packages whose classes it is derived from: their code counts as well."""

    @property
    def identity(self) -> str:
        """What stands for its code in a cell's key: the version that it states, or its hash."""
        return f"version {self.version}" if self.version else self.source_hash

    def load(self) -> type[Any]:
        """Import the class in this process.

        Raises:
            PluginError: it does not load; the message names who brings it.
        """
        return load_class(self.source, self.kind, self.name)


@dataclass(frozen=True)
class Problem:
    """Something that did not load, and why."""

    distribution: str
    distribution_version: str
    reason: str


@dataclass(frozen=True)
class Catalogue:
    """What is installed."""

    entries: tuple[Entry, ...] = ()
    problems: tuple[Problem, ...] = ()

    def of(self, kind: str) -> list[Entry]:
        """Give the entries of one kind, by name."""
        found = [entry for entry in self.entries if entry.kind == kind]
        return sorted(found, key=lambda entry: (entry.name, entry.distribution))

    def names(self, kind: str) -> list[str]:
        """Give the names that can be asked for: long forms where two share one."""
        owners = Counter(entry.name for entry in self.of(kind))
        return [one.name if owners[one.name] == 1 else one.qualified for one in self.of(kind)]

    def matching(self, kind: str, name: str) -> list[Entry]:
        """Find everyone who brings ``name`` or ``distribution:name``."""
        distribution, colon, bare = name.rpartition(":")
        owner = normalise_distribution(distribution)
        return [
            entry
            for entry in self.of(kind)
            if entry.name == bare and (not colon or entry.distribution == owner)
        ]

    def find(self, kind: str, name: str) -> Entry:
        """Find the owner of ``name`` or ``distribution:name``.

        Raises:
            UsageError: nobody has it (the error names the nearest, and what is broken), or several
                do and the bare name was given (the error lists the long forms).
        """
        matches = self.matching(kind, name)
        if len(matches) == 1:
            return matches[0]
        if matches:
            forms = " or ".join(one.qualified for one in matches)
            raise UsageError(f"several distributions bring {name!r}: write {forms}")
        raise UsageError(unknown(KINDS[kind].thing, name, self.names(kind)) + self.broken)

    def of_any_kind(self, name: str) -> list[Entry]:
        """Find everyone who brings ``name`` or ``distribution:name``, of every kind."""
        return [entry for kind in KINDS for entry in self.matching(kind, name)]

    def nowhere(self, name: str, beside: Iterable[str] = ()) -> UsageError:
        """Word an error about a name of no kind; ``beside`` are others that it could have been."""
        known = [*beside, *(known for kind in KINDS for known in self.names(kind))]
        return UsageError(unknown("name", name, known, "`benchbase list` names all") + self.broken)

    @property
    def broken(self) -> str:
        """Lines that say what is broken, for an error about a name that is not there."""
        return "".join(f"\nbroken: {problem.reason}" for problem in self.problems)


def describe_installed(installed: Installed) -> Catalogue:
    """Import a distribution's module and tell what it brings, class by class."""
    owner = f"{installed.distribution} {installed.version}"
    source = Source("installed", installed.module, owner)
    try:
        classes = load_classes(source)
    except PluginError as error:
        return Catalogue((), (_problem(installed, str(error)),))
    entries, problems = [], []
    for kind, brought in classes.items():
        for cls in brought:
            try:
                with source.blamed():
                    entries.append(
                        _entry(source, kind, cls, installed.distribution, installed.version)
                    )
            except PluginError as error:
                problems.append(_problem(installed, str(error)))
    return Catalogue(tuple(entries), tuple(problems))


def describe_given(source: Source, kinds: Sequence[str] = ("weighters",)) -> tuple[Entry, ...]:
    """Import a file or module and tell what it brings of some kinds.

    Raises:
        PluginError: it does not import, brings none or two of one name, or brings what the
            contract rules out.
    """
    brought = load_classes(source, kinds)
    with source.blamed():
        if not any(brought.values()):
            things = " and no ".join(KINDS[kind].thing for kind in kinds)
            bases = ["LossWeighter", *(KINDS[kind].base for kind in kinds)]
            raise PluginError(
                f"it holds no {things}: write a subclass of {' or '.join(bases)} with a `name`"
            )
        entries = tuple(
            _entry(source, kind, cls, str(source.kind), "")
            for kind in kinds
            for cls in brought[kind]
        )
        for (kind, name), count in Counter((one.kind, one.name) for one in entries).items():
            if count > 1:
                raise PluginError(f"two {kind} are called {name!r}: rename one of them")
    return entries


def describe_all() -> Catalogue:
    """Import all that is installed in this process, and tell what it brings."""
    return join([describe_installed(one) for one in find_installed()])


def join(catalogues: Sequence[Catalogue]) -> Catalogue:
    """Put what several distributions bring into one."""
    return Catalogue(
        tuple(entry for one in catalogues for entry in one.entries),
        tuple(problem for one in catalogues for problem in one.problems),
    )


def summary_of(cls: type) -> str:
    """Give the first line of a class's own docstring; empty where a dataclass made one up."""
    text = (cls.__doc__ or "").strip()
    made_up = text.startswith(f"{cls.__name__}(")
    return "" if made_up or not text else text.splitlines()[0].strip()


def _problem(installed: Installed, reason: str) -> Problem:
    return Problem(installed.distribution, installed.version, reason)


def _entry(source: Source, kind: str, cls: Any, distribution: str, version: str) -> Entry:
    check_class(kind, cls)
    bases = modules_of_bases(cls, KINDS[kind].contract())
    facts: dict[str, Any] = {}
    if kind == "weighters":
        facts["needs"] = tuple(sorted(need.value for need in cls.needs))
        facts |= {"honesty": cls.honesty.value, "paper": cls.paper}
    if kind == "datasets":
        facts["invariances"] = str(cls.invariances)
        facts["labels"] = "right" if cls.truth_known else "as given"
        facts["card"] = cls.card
    return Entry(
        kind=kind,
        name=cls.name,
        source=source,
        distribution=distribution,
        distribution_version=version,
        options=options_of(cls),
        summary=summary_of(cls),
        source_hash=source.code_hash(cls, bases),
        bases=bases,
        # One inherited says nothing of what the class adds; a file changes more often than that.
        version=cls.__dict__.get("version", "") if source.kind == "installed" else "",
        **facts,
    )

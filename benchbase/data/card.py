"""The card of a data set: where it comes from, on which terms, and what to know of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class SourceFile:
    """A file as the makers of a data set publish it.

    Raises:
        ValueError: its checksum is none, or a program is to fetch it without one.
    """

    name: str
    """Where it lies below the data root, ``/`` between folders."""
    url: str = ""
    """Where a program may fetch it; empty where a person must agree or log in first."""
    checksum: str = ""
    """As published: ``md5:`` or ``sha256:``, then digits; empty where nobody published one."""

    def __post_init__(self) -> None:
        kind, _, digits = self.checksum.partition(":")
        known = (kind, len(digits)) in {("md5", 32), ("sha256", 64)}
        if not known if self.checksum else self.url:
            raise ValueError(
                f"{self.name}: the checksum is {self.checksum!r}: expected md5: and 32 digits, or "
                "sha256: and 64; a program fetches only what it can check"
            )


@dataclass(frozen=True)
class Card:
    """What a data set is; what nobody could confirm stays empty, and is not shown."""

    source: str
    """What it is called, who made it, and where it is published."""
    licence: str
    citation: str
    get: str
    """How to get it: which files go where."""
    classes: tuple[tuple[str, int], ...] = ()
    """Images of each class in all parts together, as published."""
    size: str = ""
    """What the images are: kind of file, pixels, colours."""
    groups: str = ""
    """What is a group, and how many there are."""
    problems: tuple[str, ...] = ()
    """What is known to be wrong with it."""
    invariant: str = ""
    """Why the classes of its images stand what its ``invariances`` allow."""
    files: tuple[SourceFile, ...] = ()
    fingerprint: str = ""
    """Of the decoded data set under default options; empty where it depends on the decoder."""
    examples_shown: bool = False
    """Whether its images may be shown to others, in a page say."""
    predictions_shown: bool = False
    """Whether what a model predicts for each image may be."""
    non_commercial: bool = False
    """Whether it must not be used to earn money."""

    def lines(self) -> Mapping[str, str]:
        """Give what there is to say, label by label."""
        counts = ", ".join(f"{name} {count:,}" for name, count in self.classes)
        whole = sum(count for _, count in self.classes)
        said = {
            "source": self.source,
            "licence": self.licence,
            "use": self._use(),
            "citation": self.citation,
            "classes": f"{len(self.classes)} in {whole:,} images: {counts}" if counts else "",
            "images": self.size,
            "groups": self.groups,
            "problems": "; ".join(self.problems),
            "invariant": self.invariant,
            "get it": self.get,
            "hash": self.fingerprint,
        }
        return {label: text for label, text in said.items() if text}

    def _use(self) -> str:
        shown = {"images": self.examples_shown, "predictions": self.predictions_shown}
        may = " and ".join(what for what, allowed in shown.items() if allowed)
        may_not = " and ".join(what for what, allowed in shown.items() if not allowed)
        parts = [f"{may} may be shown"] if may else []
        parts += [f"{may_not} may not be shown"] if may_not else []
        return "; ".join([*parts, *["non-commercial only"] * self.non_commercial])

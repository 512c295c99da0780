"""Which column of a table holds what: as the user says, else guessed from its name, and said."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from benchbase.errors import DataError
from benchbase.options import unknown

NAMES = {
    "image": "image img image_id img_id image_path image_name path file file_name file_path",
    "label": "label labels dx diagnosis class class_name class_id target category label_name",
    "group": "group patient patient_id lesion lesion_id slide slide_id case case_id subject "
    "subject_id smear person person_id",
    "split": "split partition subset",
    "truth": "",
}
"""What a column is called that holds it; case and punctuation do not count. Only the user can say
of two labels which one is true."""
NEEDED = ("image", "label")


@dataclass(frozen=True)
class Columns:
    """The columns that a table is read by."""

    image: str
    label: str
    group: str | None
    """A column, or a pattern of file names (see ``is_pattern``)."""
    split: str | None
    truth: str | None
    guessed: tuple[str, ...]
    """Which of these were guessed."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what was guessed."""
        if not self.guessed:
            return ()
        parts = ", ".join(f"{kind}={getattr(self, kind)}" for kind in self.guessed)
        return (f"columns guessed by their names: {parts}",)


def find_columns(where: str, names: Collection[str], asked: Mapping[str, str | None]) -> Columns:
    """Give the columns that were ``asked`` for, none where that is None; guess the empty ones.

    Raises:
        DataError: one is missing, a needed one has no candidate, or a guess has two.
    """
    found: dict[str, str | None] = {}
    guessed = []
    for kind in NAMES:
        name = asked[kind]
        if name is None:
            found[kind] = None
        elif name:
            if name not in names and not (kind == "group" and is_pattern(name)):
                raise DataError(f"{where}: {kind}={name}: {unknown('column', name, names)}")
            found[kind] = name
        else:
            taken = {value for value in (*asked.values(), *found.values()) if value}
            found[kind] = _guess(where, kind, [it for it in names if it not in taken])
            if found[kind] is not None:
                guessed.append(kind)
    assert found["image"] is not None
    assert found["label"] is not None
    named = {kind: found[kind] for kind in ("group", "split", "truth")}
    return Columns(found["image"], found["label"], guessed=tuple(guessed), **named)


def _guess(where: str, kind: str, names: Sequence[str]) -> str | None:
    near = [name for name in names if _plain(name) in {_plain(it) for it in NAMES[kind].split()}]
    if len(near) > 1:
        refuse = "" if kind in NEEDED else f", or {kind}=none"
        raise DataError(
            f"{where}: the columns {' and '.join(near)} may both hold the {kind}: write "
            f"[{kind}={near[0]}] or [{kind}={near[1]}]{refuse}"
        )
    if near:
        return near[0]
    if kind in NEEDED:
        raise DataError(
            f"{where}: no column has a name such as {', '.join(NAMES[kind].split()[:4])}: write "
            f"[{kind}=COLUMN], one of {', '.join(names)}"
        )
    return None


def _plain(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.lower())


def is_pattern(text: str | None) -> bool:
    """Tell a pattern of file names, which has something in parentheses, from a column."""
    return "(" in (text or "")


def groups_by_pattern(pattern: str, names: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """Read each image's group off its name; give them, and what to say about it.

    A name that the pattern does not match is a group of its own.

    Raises:
        DataError: it is no regular expression with a group, or matches no name at all.
    """
    try:
        expression = re.compile(pattern)
    except re.error as error:
        raise DataError(f"group={pattern}: is no regular expression ({error})") from None
    if not expression.groups:
        raise DataError(f"group={pattern}: expected a group in parentheses, such as (\\d+)")
    matches = [expression.search(name) for name in names]
    found = [match for match in matches if match]
    if not found:
        raise DataError(
            f"group={pattern}: matches none of {len(names)} names, such as {names[0]!r}"
        )
    groups = tuple(
        "/".join(it or "" for it in match.groups()) if match else f"alone {name}"
        for match, name in zip(matches, names, strict=True)
    )
    alone = len(names) - len(found)
    said = f"groups by the pattern {pattern}: {len(set(groups)) - alone:,}"
    return groups, f"{said}, and {alone:,} images whose names do not match stand alone"

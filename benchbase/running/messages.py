"""What the parent and its children say to each other: every message, its shape and its bounds.

A child runs a stranger's code and may say anything. ``Channel.receive`` refuses what has another
shape, so that the worst a lie can do is to fail its own cell.
"""

from __future__ import annotations

import sys
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from benchbase.cell import Invariances, Recipe
from benchbase.judging.steps import Count, Counted
from benchbase.plugins import Catalogue, Entry, Source
from benchbase.plugins.installed import Installed

MOST_NOTES = 20
LONGEST_TEXT = 20_000
LONGEST_NAME = 100

_Text = Annotated[str, Meta(max_length=LONGEST_TEXT)]
_Name = Annotated[str, Meta(max_length=LONGEST_NAME)]
Shape = tuple[int, int, int, int]
"""Of images: count, channels, height, width."""
_Finite = Annotated[float, Meta(ge=-sys.float_info.max, le=sys.float_info.max)]


class Message(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag=str.lower):
    """One frame's JSON; its ``type`` is the class's name in small letters."""


class Loadable(Struct, frozen=True, kw_only=True):
    """A plugin's class for a child to load, and how to set it."""

    source: Source
    name: str
    options: dict[str, Any]


class Keep(Struct, frozen=True, kw_only=True):
    """What the trainer keeps for after an interruption, and what it goes on from."""

    path: str
    """File for a snapshot."""
    every: float | None
    """Seconds from one to the next; None for never."""
    go_on_from: str | None
    past: list[Counted]
    """Of each checkpoint that was judged before the interruption."""


class Start(Message, frozen=True):
    """To the trainer and to the predictor: what they work on, and how."""

    weighter: Loadable
    backbone: Loadable
    device: str
    model: str
    """File in which each checkpoint passes from one to the other."""
    keep: Keep


class Given(Message, frozen=True):
    """To the trainer: its task. Labels come with it, as npz, and each role's images as a file."""

    images: dict[str, Shape]
    classes: list[str]
    invariances: Invariances
    mean: list[float]
    std: list[float]
    recipe: Recipe
    withheld: int
    seed: int
    """Of the method: not the run's own, but no secret either (README: what is protected)."""
    label_budget: int = 0
    noise_rate: float | None = None


class Asked(Message, frozen=True):
    """To the predictor: what it will be asked. The images come with it, as a file."""

    images: Shape
    mean: list[float]
    std: list[float]


class Ready(Message, frozen=True):
    """From both: loaded, and warm; the clock may run."""


class Go(Message, frozen=True):
    """To the trainer: go on. To the predictor: there is a model to be asked."""


class Spent(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Work and memory up to now, as a record's cost names them."""

    images_forwarded: Count | None = None
    images_backpropagated: Count | None = None
    peak_memory_bytes: Count | None = None


class Checkpoint(Message, frozen=True):
    """From the trainer: a model is to be judged. Weights may come with it, float32, one a row."""

    notes: Annotated[dict[_Name, _Finite], Meta(max_length=MOST_NOTES)]
    counted: Counted
    parameters: Count
    spent: Spent
    again: Count | None = None
    """Which of the checkpoints before an interruption it is; there is no model then."""


class Query(Message, frozen=True):
    """From the trainer: training rows whose true labels it buys."""

    rows: list[Count]


class Labels(Message, frozen=True):
    """To the trainer: what it bought."""

    labels: list[int]


class Done(Message, frozen=True):
    """From the trainer: there are no more checkpoints."""

    spent: Spent


class Logits(Message, frozen=True):
    """From the predictor: its answers come with it, float32."""

    shape: list[int]


class Failed(Message, frozen=True):
    """From both: the last word."""

    status: Literal["error", "oom", "diverged", "killed"]
    error: _Text
    """Name of the exception's class."""
    message: _Text
    traceback: _Text


class Look(Message, frozen=True):
    """To the scout: what it is to look at."""

    environment: dict[str, str]
    installed: list[Installed]
    given: list[Source]
    gpus: bool


class Seen(Message, frozen=True):
    """From the scout: what each brings, or for one that was given, why there is nothing."""

    installed: list[Catalogue]
    given: list[tuple[Entry, ...] | str]
    gpus: list[str]

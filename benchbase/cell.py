"""The frozen values of a run before it runs: Recipe, Scenario, Cell and the spec that names it.

A cell's identity is the SHA-256 of the canonical JSON of its spec. Nothing here imports torch, so
that planning, storing and tabulating do not either.
"""

from __future__ import annotations

import functools
import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec

from benchbase.options import write_value

PROTOCOL = "benchbase-v2"
RESULTS_VERSION = 5
"""Bumped by hand when the kit's or the judge's arithmetic changes results."""

Status = Literal["ok", "error", "oom", "timeout", "killed", "diverged"]
FINISHED: frozenset[str] = frozenset({"ok", "error", "oom", "timeout", "diverged"})
"""Statuses that are not run again without ``--retry-failed``; ``killed`` is."""

JSON = dict[str, Any]

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical_json(value: Any) -> str:
    """Write ``value`` with sorted keys and no white space; NaN and infinity are refused."""
    return _ENCODER.encode(value)


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON of ``value``."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def _make_floats(value: object, *names: str) -> None:
    """Make whole numbers floats where floats are meant: 10 and 10.0 have one spelling."""
    for name in names:
        if type(number := getattr(value, name)) is not float:
            object.__setattr__(value, name, float(number))


def _whole(options: Mapping[str, Any]) -> dict[str, Any]:
    """Give whole numbers one spelling: 10 for 10.0, which stands for a float as well."""
    return {
        name: int(value) if isinstance(value, float) and value.is_integer() else value
        for name, value in options.items()
    }


@dataclass(frozen=True)
class Recipe:
    """How everyone trains: the same optimiser steps, schedule, augmentation and batch for all."""

    epochs: int = 10
    batch_size: int = 50
    trusted_batch_size: int = 50
    learning_rate: float = 0.05
    momentum: float = 0.9
    weight_decay: float = 5e-4
    schedule: Literal["cosine", "constant"] = "cosine"
    shift: int = 2
    """Random shifts of up to this many pixels, where the data set's ``Invariances`` allow them."""
    steps_per_epoch: int | None = None
    """None: one pass over the training images. Else the length does not depend on how many an
    imbalance leaves."""

    def __post_init__(self) -> None:
        _make_floats(self, "learning_rate", "momentum", "weight_decay")

    def steps_of_an_epoch(self, images: int) -> int:
        """Give the optimiser steps of an epoch over so many training images.

        A last batch of one image is dropped, for batch norm could not take it.
        """
        if self.steps_per_epoch is not None:
            return self.steps_per_epoch
        full, rest = divmod(images, self.batch_size)
        return max(1, full + (rest > 1))


CORRECTED = "labels_file"
"""Option of one's own images: the same data set with other labels to train on."""


@dataclass(frozen=True)
class Scenario:
    """A test condition: everything that a cell depends on but the weighter and the seed."""

    dataset: str = "nuclei"
    dataset_options: Mapping[str, Any] = field(default_factory=dict)
    train_size: int | None = None
    """Training images before imbalance is applied; None takes all."""
    label_fraction: float | None = None
    label_budget: int | None = None
    noise: str = "none"
    """Kind of label noise."""
    noise_options: Mapping[str, Any] = field(default_factory=dict)
    imbalance: str = "natural"
    imbalance_options: Mapping[str, Any] = field(default_factory=dict)
    track: str = "T10"
    """Trusted images granted: T0 none, Tk k a class, TM the balanced meta set of MW-Net's paper."""
    backbone: str = "small_cnn"
    backbone_options: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)
    protocol: str = PROTOCOL

    def __post_init__(self) -> None:
        if self.label_fraction is not None:
            _make_floats(self, "label_fraction")
        for name in ("dataset_options", "noise_options", "imbalance_options", "backbone_options"):
            if options := getattr(self, name):
                object.__setattr__(self, name, _whole(options))

    @property
    def data(self) -> str:
        """What the data set is called: its name, where one's own images lie, what was chosen.

        One whose labels somebody corrected is still the same.
        """
        if not self.dataset_options:
            return self.dataset
        options = dict(self.dataset_options)
        options.pop(CORRECTED, None)
        path = options.pop("path", "") or options.pop("repository", "")
        return format_label(f"{self.dataset}:{path}" if path else self.dataset, options)

    @property
    def order_drawn(self) -> bool:
        """Whether the imbalance has the option ``order`` set to ``drawn``.

        Which class is frequent and which is rare is then drawn for each seed.
        """
        return self.imbalance_options.get("order") == "drawn"


GIVEN = ("file", "module")
"""What stands for the distribution of a weighter that was given by path or by module name."""


def normalise_distribution(name: str) -> str:
    """Write a distribution's name as package indexes compare it: lower case, single hyphens."""
    return re.sub(r"[-_.]+", "-", name).lower()


@dataclass(frozen=True)
class WeighterSpec:
    """A weighter as a cell names it; where its code lies on this machine is not part of it."""

    name: str
    options: Mapping[str, Any]
    source: str
    """Hash of its code, remarks apart; empty where it states a version."""
    distribution: str
    """Distribution that ships it, or one of ``GIVEN``."""
    version: str
    """What it states that it computes; empty where it states none."""

    @property
    def label(self) -> str:
        """Row name in a table: the name, and the options that differ from their defaults."""
        return format_label(self.name, self.options)


def format_label(name: str, options: Mapping[str, Any]) -> str:
    """Write ``name[option=value,...]``, or the bare name where nothing was set."""
    if not options:
        return name
    settings = (f"{key}={write_value(value)}" for key, value in sorted(options.items()))
    return f"{name}[{','.join(settings)}]"


@dataclass(frozen=True)
class Invariances:
    """What keeps the class of a data set's images; no augmentation does anything else.

    Raises:
        ValueError: a value is none of those allowed.
    """

    flips: Literal["none", "horizontal", "both"] = "horizontal"
    """Which mirror images show the same class."""
    windows: Literal["anywhere", "centre", "none"] = "anywhere"
    """Which smaller windows do, enlarged to the image's size; with none, neither does a shift."""
    smallest_area: float = 0.2
    """Of a window, as a share of the image's."""
    turns: float = 15.0
    """Largest turn either way, in degrees; 180 where an image has no upright position."""
    colours: bool = True
    """Whether other brightness, contrast, saturation and hue do."""

    def __post_init__(self) -> None:
        _make_floats(self, "smallest_area", "turns")
        allowed = {
            "flips": self.flips in ("none", "horizontal", "both"),
            "windows": self.windows in ("anywhere", "centre", "none"),
            "smallest_area": 0 < self.smallest_area <= 1,
            "turns": 0 <= self.turns <= 180,
            "colours": isinstance(self.colours, bool),
        }
        for name, fits in allowed.items():
            if not fits:
                raise ValueError(
                    f"Invariances: {name} is {getattr(self, name)!r}: expected {_EXPECTED[name]}"
                )

    def __str__(self) -> str:
        mirrored = {
            "none": "not mirrored",
            "horizontal": "mirrored left and right",
            "both": "mirrored both ways",
        }
        place = {"anywhere": "anywhere", "centre": "around the centre"}
        return ", ".join(
            (
                mirrored[self.flips],
                "no windows or shifts"
                if self.windows == "none"
                else f"windows {place[self.windows]} from {self.smallest_area:.0%} of the area",
                f"turned by up to {self.turns:g} degrees" if self.turns else "not turned",
                "other colours" if self.colours else "the same colours",
            )
        )


_EXPECTED = {
    "flips": '"none", "horizontal" or "both"',
    "windows": '"anywhere", "centre" or "none"',
    "smallest_area": "a share above 0, up to 1",
    "turns": "degrees from 0 to 180",
    "colours": "True or False",
}


@dataclass(frozen=True)
class DataIdentity:
    """What a cell trains and tests on: hashes, and what the data set states of itself."""

    fingerprint: str
    split_hash: str
    labels_hash: str
    invariances: Invariances = Invariances()
    truth_known: bool = False
    """Whether its labels are right; if not, they are as given."""


class Spec(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that a result depends on, as a record holds it."""

    protocol: str
    results_version: int
    weighter: WeighterSpec
    scenario: Scenario
    data: DataIdentity
    backbone_source: str
    numerics: str
    torch: str
    seed: int


@dataclass(frozen=True)
class Cell:
    """One weighter x one scenario x one seed."""

    weighter: WeighterSpec
    scenario: Scenario
    data: DataIdentity
    backbone_source: str
    seed: int
    torch: str
    """torch's major.minor."""
    numerics: str = "float32-deterministic"

    @functools.cached_property
    def spec(self) -> Spec:
        """Everything that the identity hashes."""
        return Spec(
            protocol=self.scenario.protocol,
            results_version=RESULTS_VERSION,
            weighter=self.weighter,
            scenario=self.scenario,
            data=self.data,
            backbone_source=self.backbone_source,
            numerics=self.numerics,
            torch=self.torch,
            seed=self.seed,
        )

    @functools.cached_property
    def key(self) -> str:
        """Identity of the cell."""
        return content_hash(msgspec.to_builtins(self.spec))

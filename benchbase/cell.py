"""The frozen values of a run, from the condition to the outcome: Recipe, Scenario, Cell, Result.

Each has a canonical JSON form; a cell's identity is the SHA-256 of its own. Nothing here imports
torch, so that planning, storing and tabulating do not either.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from benchbase.options import quote

PROTOCOL = "benchbase-v2"
RESULTS_VERSION = 3
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
    """Random shifts of up to this many pixels; flips are the data set's to allow."""
    steps_per_epoch: int | None = None
    """None: one pass over the training images. Else the length does not depend on how many an
    imbalance leaves."""

    def steps_of_an_epoch(self, images: int) -> int:
        """Give the optimiser steps of an epoch over so many training images.

        A last batch of one image is dropped, for batch norm could not take it.
        """
        if self.steps_per_epoch is not None:
            return self.steps_per_epoch
        full, rest = divmod(images, self.batch_size)
        return max(1, full + (rest > 1))


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
    noise_rate: float = 0.0
    noise_options: Mapping[str, Any] = field(default_factory=dict)
    imbalance: str = "natural"
    imbalance_ratio: float = 1.0
    track: str = "T10"
    """Clean labels granted: T0 none, Tk k a class, TM the balanced meta set of the MW-Net paper."""
    backbone: str = "small_cnn"
    backbone_options: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)
    protocol: str = PROTOCOL

    @property
    def label(self) -> str:
        """Short text for lines about a cell: ``symmetric:0.4 imbalance 10 budget 100``."""
        parts = [self.noise if self.noise == "none" else f"{self.noise}:{self.noise_rate:g}"]
        if self.imbalance == "natural":
            parts.append("natural")
        else:
            kind = "" if self.imbalance == "exponential" else f"{self.imbalance} "
            parts.append(f"{kind}imbalance {self.imbalance_ratio:g}")
        if self.label_fraction is not None:
            parts.append(f"labels {100 * self.label_fraction:g} %")
        if self.label_budget is not None:
            parts.append(f"budget {self.label_budget}")
        return " ".join(parts)

    def to_json(self) -> JSON:
        """Give the canonical JSON object."""
        return {**vars(self), "recipe": dict(vars(self.recipe))}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Scenario:
        """Read what ``to_json`` wrote."""
        return cls(**{**value, "recipe": Recipe(**value["recipe"])})


GIVEN = ("file", "module")
"""What stands for the distribution of a weighter that was given by path or by module name."""


@dataclass(frozen=True)
class WeighterSpec:
    """A weighter as a cell names it; where its code lies on this machine is not part of it."""

    name: str
    options: Mapping[str, Any]
    source: str
    """Hash of the code of the weighter's own module, or of its package; remarks do not count."""
    distribution: str
    """Distribution that ships it, or one of ``GIVEN``."""
    version: str

    @property
    def label(self) -> str:
        """Row name in a table: the name, and the options that differ from their defaults."""
        return format_label(self.name, self.options)


def format_label(name: str, options: Mapping[str, Any]) -> str:
    """Write ``name[option=value,...]``, or the bare name where nothing was set."""
    if not options:
        return name
    return f"{name}[{','.join(f'{key}={quote(value)}' for key, value in sorted(options.items()))}]"


@dataclass(frozen=True)
class DataIdentity:
    """Hashes of what a cell trains and tests on."""

    fingerprint: str
    split_hash: str
    labels_hash: str


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

    def spec(self) -> JSON:
        """Give everything that the identity hashes."""
        return {
            "protocol": self.scenario.protocol,
            "results_version": RESULTS_VERSION,
            "weighter": dict(vars(self.weighter)),
            "scenario": self.scenario.to_json(),
            "data": dict(vars(self.data)),
            "backbone_source": self.backbone_source,
            "numerics": self.numerics,
            "torch": self.torch,
            "seed": self.seed,
        }

    @functools.cached_property
    def key(self) -> str:
        """Identity of the cell."""
        return content_hash(self.spec())


@dataclass(frozen=True)
class Result:
    """What a cell came to: scores, cost and provenance, or a failure with its reason."""

    status: Status
    reason: str | None = None
    error: JSON | None = None
    """Type, message and trimmed traceback of what went wrong."""
    trusted: bool = True
    """False for a cell run in one process (``--executor inline``)."""
    metrics: JSON = field(default_factory=dict)
    """rule -> metric -> {"value", "interval"}, and "reason" where the value is null; rules tail,
    last, last5, val_noisy, val_clean, oracle. The last three choose a checkpoint: for each metric
    that may rank by that metric itself, for the others by balanced accuracy."""
    metric_versions: JSON = field(default_factory=dict)
    """metric of a plugin or a board -> the version that its values are of."""
    selected: JSON = field(default_factory=dict)
    """rule -> list of the checkpoints that it averages, by balanced accuracy where it chooses."""
    chosen: JSON = field(default_factory=dict)
    """other metric that may rank -> rule -> the checkpoint that is best by it."""
    curves: JSON = field(default_factory=dict)
    """name -> one value a checkpoint."""
    weights: JSON = field(default_factory=dict)
    """Diagnostics of the reported weights against the known noise mask."""
    relabelling: JSON = field(default_factory=dict)
    """Test scores of the finished model at each number of labels bought, and the areas under
    them; empty where no labels were for sale."""
    corruption: JSON = field(default_factory=dict)
    grants: JSON = field(default_factory=dict)
    """need -> what was granted: clean, noisy, empty, ..."""
    training: JSON = field(default_factory=dict)
    """Updates of each network against the steps allowed, and what costs the rank, if anything."""
    honesty: str = ""
    cost: JSON = field(default_factory=dict)
    artefacts: JSON = field(default_factory=dict)
    provenance: JSON = field(default_factory=dict)

    def to_json(self) -> JSON:
        """Give the JSON object."""
        return dataclasses.asdict(self)

"""The record: one attempt at one cell, typed, from the runner to the table.

What benchbase writes as a record and reads as one is declared here and nowhere else (``decoding``
reads it); ``record.schema.json`` is emitted from it. Values become plain at one seam,
``typed_result``: what the judge computes with numpy enters a record there.
"""

from __future__ import annotations

import json
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from benchbase.cell import JSON, Spec, Status, canonical_json
from benchbase.errors import StoreError

SCHEMA = "benchbase-record-2"


class Score(
    Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """One metric under one rule."""

    value: float | list[float | None] | None
    """A list for the recalls, with null for a class without a row; null with a reason."""
    interval: Annotated[list[float], Meta(min_length=2, max_length=2)] | None = None
    reason: str | None = None
    """Why there is no value."""


class Failure(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What went wrong in a child."""

    type: str
    message: str
    traceback: str


class Weights(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """The reported weights against the known noise mask (``judging.weights``)."""

    auroc: float | None
    """Of *weight* for *label is right*, over all rows."""
    auprc: float | None
    auroc_per_class: list[float | None]
    roc: list[float] | None
    """Heights of the ROC curve at false-positive rates 0, 1/32, ..., 1."""
    roc_per_class: list[list[float] | None]
    effective_sample_size: float
    """Kish's, as a share of the rows."""
    deviation: float | None
    quantiles: list[float] | None
    minority_mass: float | None
    clean_minority_near_zero: float | None
    unseen: int
    never_left_one: bool


class Relabelling(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Test scores of the finished model at each number of labels bought."""

    labels_bought: list[int]
    """Rising, by the harness's own ledger."""
    balanced_accuracy: list[float]
    accuracy: list[float]
    macro_f1: list[float]
    area: dict[str, float | None]
    """Score -> mean height of its curve over the span of labels; null for one level."""


class Training(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Updates of each network against the steps allowed, and what costs the rank."""

    steps_allowed: int
    updates: list[int]
    """Of each network that ``build_model`` gave."""
    checkpoint_updates: list[int]
    images_with_gradient: int
    network_difference: str | None
    unranked: str | None
    """Why the attempt may not be ranked."""


class Corruption(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """What was done to the data: realised rates and counts (``data.opening``)."""

    identifiable: bool
    """Whether the true class is the most likely label."""
    classes: list[str]
    realised_rate: float
    transition: list[list[float]]
    rate_per_class: list[float]
    class_counts: list[int]
    """Training images by true class."""
    observed_counts: list[int]
    validation_realised_rate: float
    validation_class_counts: list[int]
    trusted_count: int
    trusted_per_class: list[int]
    unlabelled_count: int
    test_count: int
    leakage: dict[str, int]
    notes: list[str] = []
    """How images of one's own were read."""
    test_verified: bool = False
    """Whether somebody verified each of the labels that judge."""
    card: dict[str, str] = {}
    """What the data set says of itself (``data.card``), label by label."""


class Cost(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """Time, memory and work."""

    seconds_train: float
    seconds_judge: float
    seconds_total: float
    peak_memory_bytes: int | None
    images_forwarded: int | None
    images_backpropagated: int | None
    images_judged: int
    parameters: int | None
    labels_bought: int
    device: str
    concurrent_cells: int


class Artefact(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """A file that belongs to the attempt, in the home where it ran."""

    sha256: str


class Numerics(Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True):
    """How numbers were computed."""

    precision: str
    deterministic: bool
    cpu_capability: str
    """The instruction set that torch chose and the processor's make: two may round differently."""


class Provenance(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a result comes from; nothing here names the machine."""

    executor: str
    versions: dict[str, str]
    python: str
    system: str
    gpus: list[str]
    host: str
    """Of the machine's name: a hash."""
    commit: str | None
    dirty: bool | None
    argv: list[str] | None = None
    """Left out where the record is committed."""
    sandbox: str = ""
    """What kept methods from the rest of the machine; left out where nothing did."""
    source: str = ""
    """Hash of the weighter's code, also where its key has a stated version instead."""
    backbone_source: str = ""
    started: float = 0.0
    """Of the life in which it ended."""
    finished: float = 0.0
    lives: Annotated[int, Meta(ge=1)] = 1
    """Runs that it took: one more for each time that it went on from a snapshot."""


class Result(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a cell came to: scores, cost and provenance, or a failure with its reason."""

    status: Status
    reason: str | None = None
    error: Failure | None = None
    trusted: bool = True
    """False for a cell run in one process (``--executor inline``)."""
    metrics: dict[str, dict[str, Score]] = {}
    """rule -> metric -> score; rules tail, last, last5, val_noisy, val_clean, oracle. The last
    three choose a checkpoint: for each metric that may rank by that metric itself, for the others
    by balanced accuracy."""
    metric_versions: dict[str, str] = {}
    """metric of a plugin or a board -> the version that its values are of."""
    selected: dict[str, list[int]] = {}
    """rule -> the checkpoints that it averages, by balanced accuracy where it chooses."""
    chosen: dict[str, dict[str, int]] = {}
    """other metric that may rank -> rule -> the checkpoint that is best by it."""
    curves: dict[str, list[float | None]] = {}
    """name -> one value a checkpoint."""
    weights: Weights | None = None
    """None where none were reported."""
    relabelling: Relabelling | None = None
    """None where no labels were for sale."""
    corruption: Corruption | None = None
    """None where the data could not be opened."""
    grants: dict[str, str] = {}
    """need -> what was granted: clean, as given, noisy, empty, ..."""
    training: Training | None = None
    """None where training did not end well."""
    honesty: str = ""
    defaults: dict[str, Any] = {}
    """option -> the weighter's default, which its spec leaves out."""
    cost: Cost
    artefacts: dict[str, Artefact] = {}
    numerics: Numerics
    noise_secret: str | None = None
    """Fingerprint of the secret that the noise was drawn with; None where seeds are public."""
    provenance: Provenance


class Record(Result, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One attempt at one cell, immutable once written."""

    schema: str = SCHEMA
    key: str
    """SHA-256 of the canonical JSON of ``spec``."""
    attempt: str
    """UTC time, then random digits; sorts by time."""
    spec: Spec


def typed_result(**blocks: Any) -> Result:
    """Make a result of what was computed; numpy's numbers and arrays become plain ones."""
    return msgspec.convert(msgspec.to_builtins(blocks, enc_hook=_plain), Result)


def _plain(value: Any) -> Any:
    return value.tolist()


def as_json(record: Record) -> JSON:
    """Give the record as a JSON object."""
    plain: JSON = msgspec.to_builtins(record)
    return plain


def record_text(record: Record) -> str:
    """Write a record as one line.

    Raises:
        StoreError: a number is not finite.
    """
    try:
        return canonical_json(as_json(record)) + "\n"
    except ValueError as error:
        raise StoreError(
            f"cell {record.key[:12]}: the record is not plain JSON ({error}); write null for a "
            "number that is not finite, with the reason beside it"
        ) from error


def schema_json() -> str:
    """Emit the JSON Schema of a record, as ``record.schema.json`` holds it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "benchbase record",
        **msgspec.json.schema(Record),
    }
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"

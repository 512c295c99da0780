"""Opens a scenario at a seed: split, corrupted labels, and the hashes that identify them.

What comes out is shared by all weighters, so that every comparison is paired.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from benchbase import seeding
from benchbase.cell import JSON, DataIdentity, Invariances, Scenario, content_hash
from benchbase.data.asking import ask_files, ask_transition
from benchbase.data.cache import Prepared, data_key, prepare, prepare_once, source_hash
from benchbase.data.contract import DataParts, DataSet, Imbalance, Labels, Noise, Part, Pixels
from benchbase.data.corruption import Observed, describe_corruption, observe
from benchbase.data.hashes import array_hash, file_hash
from benchbase.data.maps import ImageMap, judged_order, lay_out
from benchbase.data.secret import Secret, data_seed, drawn_by, stands_for_labels
from benchbase.data.split import Rows, split
from benchbase.files import remember_file
from benchbase.options import settings_of

T = TypeVar("T", bound=np.generic)


@dataclass(frozen=True)
class Opened:
    """One scenario at one seed as only the harness may see it.

    Its arrays are read-only: all cells of a condition are trained on and judged by the same ones.
    """

    classes: tuple[str, ...]
    invariances: Invariances
    train: Part
    """Labels as observed."""
    train_true: Labels
    trusted: Part
    trusted_labels: str
    """``clean``, ``verified``, ``as given`` or ``noisy``."""
    unlabelled: Part | None
    """Labels all -1."""
    unlabelled_true: Labels | None
    validation: Part
    """Labels as observed."""
    validation_true: Labels
    test: Part
    """True labels."""
    mean: tuple[float, ...]
    """Of each channel of the training pixels / 255."""
    std: tuple[float, ...]
    noise_rate: float | None
    """Share of wrong training labels; None where nobody knows it."""
    corruption: JSON
    identity: DataIdentity
    maps: Mapping[str, ImageMap]
    """Images of ``train``, ``trusted``, ``unlabelled`` and ``judged``, for other processes."""
    judged_order: Rows
    """Which of the validation and test images stands where in the map of those that are judged."""

    def __post_init__(self) -> None:
        """Make views that cannot be written to."""
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if isinstance(value, Part):
                value = Part(_read_only(value.pixels), _read_only(value.labels))
            elif isinstance(value, np.ndarray):
                value = _read_only(value)
            object.__setattr__(self, field.name, value)


def open_scenario(
    scenario: Scenario,
    seed: int,
    *,
    dataset: DataSet,
    noise: Noise,
    imbalance: Imbalance,
    roots: Sequence[Path],
    cache: Path,
    secret: Secret | None = None,
) -> Opened:
    """Draw the scenario's images and labels at ``seed``; under a ``secret``, from that.

    Raises:
        UsageError: the scenario asks for what its data set, noise or imbalance cannot give.
        DataError: a data file is missing or damaged.
        RunError: the cache could not be written.
    """
    prepared = prepare(dataset, roots, cache)
    parts = prepared.parts
    observed = draw(prepared, scenario, seed, noise, imbalance, secret=secret)
    rows = observed.split
    order = judged_order(len(rows.validation) + len(parts.test))
    maps = _lay_out(parts, observed, order, cache)
    train_true = parts.train.labels[rows.train]
    train = Part(maps["train"].pixels, observed.train)
    validation_true = observed.validation_part.labels[rows.validation]
    unlabelled = None
    if scenario.label_fraction is not None:
        withheld = np.full(len(rows.unlabelled), -1, dtype=np.int64)
        unlabelled = Part(maps["unlabelled"].pixels, withheld)
    mean, std = channel_statistics(train.pixels, np.arange(len(train)))
    corruption = {
        **describe_corruption(parts, observed, noise),
        "leakage": prepared.leakage,
        "card": {} if dataset.card is None else dict(dataset.card.lines()),
    }
    return Opened(
        classes=parts.classes,
        invariances=dataset.invariances,
        train=train,
        train_true=train_true,
        trusted=Part(maps["trusted"].pixels, observed.trusted),
        trusted_labels=_trusted_labels(scenario, dataset, parts),
        unlabelled=unlabelled,
        unlabelled_true=None if unlabelled is None else parts.train.labels[rows.unlabelled],
        validation=Part(
            np.asarray(observed.validation_part.pixels[rows.validation]), observed.validation
        ),
        validation_true=validation_true,
        test=Part(np.asarray(parts.test.pixels), parts.test.labels),
        mean=mean,
        std=std,
        noise_rate=_noise_rate(noise, corruption, truth_known=_truth_known(dataset, parts)),
        corruption=corruption,
        identity=identity_of(dataset, prepared, observed, secret),
        maps=maps,
        judged_order=order,
    )


def _lay_out(parts: DataParts, observed: Observed, order: Rows, cache: Path) -> dict[str, ImageMap]:
    """Lay out each role's images, without what the scenario leaves out."""
    rows, images = observed.split, parts.train.pixels
    validation = observed.validation_part.pixels
    judged = np.concatenate([rows.validation, len(validation) + np.arange(len(parts.test))])[order]
    return {
        "train": lay_out(cache, rows.train, images),
        "trusted": lay_out(cache, rows.trusted, observed.trusted_part.pixels),
        "unlabelled": lay_out(cache, rows.unlabelled, images),
        "judged": lay_out(cache, judged, validation, parts.test.pixels),
    }


def draw(
    prepared: Prepared,
    scenario: Scenario,
    seed: int,
    noise: Noise,
    imbalance: Imbalance,
    *,
    secret: Secret | None,
) -> Observed:
    """Split decoded data and corrupt their labels."""
    parts = prepared.parts
    drawn_from = data_seed(scenario, seed, prepared.fingerprint, secret)
    rows = split(parts, scenario, imbalance, drawn_from)
    return observe(parts, rows, scenario, noise, drawn_from)


def identify(
    scenario: Scenario,
    seed: int,
    *,
    dataset: DataSet,
    noise: Noise,
    imbalance: Imbalance,
    roots: Sequence[Path],
    cache: Path,
    secret: Secret | None = None,
) -> DataIdentity:
    """Give the hashes of what ``open_scenario`` would open; read from the cache where they are.

    They are remembered while nothing that they are drawn by changes: the data, the scenario, the
    code and version of the noise and the imbalance.

    Raises:
        UsageError, DataError, RunError: as ``open_scenario``.
    """
    data = data_key(dataset, roots, cache)
    key = content_hash(
        {
            "data": data,
            "invariances": vars(dataset.invariances),
            "truth_known": dataset.truth_known,
            "scenario": drawn_by(scenario),
            "seed": seed,
            "secret": secret and secret.fingerprint,
            "noise": _plugin_hash(noise, ask_files(noise)),
            "imbalance": _plugin_hash(imbalance, []),
            "harness": _harness_hash(),
            "numpy": np.__version__,
        }
    )
    path = cache / "identities" / f"{key}.json"
    try:
        return msgspec.json.decode(path.read_bytes(), type=DataIdentity)
    except (OSError, msgspec.DecodeError):
        pass  # Not there yet, or damaged.
    prepared = prepare_once(dataset, tuple(roots), cache, data)
    observed = draw(prepared, scenario, seed, noise, imbalance, secret=secret)
    identity = identity_of(dataset, prepared, observed, secret)
    remember_file(path, json.dumps(dataclasses.asdict(identity)))
    return identity


def channel_statistics(pixels: Pixels, rows: Rows) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Mean and standard deviation of each channel of ``pixels[rows] / 255``, exact."""
    values = np.arange(256) / 255
    counts = np.zeros((pixels.shape[1], 256), dtype=np.int64)
    for start in range(0, len(rows), 1024):
        for channel in range(pixels.shape[1]):
            block = pixels[rows[start : start + 1024], channel].ravel()
            counts[channel] += np.bincount(block, minlength=256)
    shares = counts / counts.sum(axis=1, keepdims=True)
    means = shares @ values
    deviations = np.sqrt((shares * (values - means[:, None]) ** 2).sum(axis=1))
    # A channel without contrast must not be divided by zero.
    return tuple(means.tolist()), tuple(np.maximum(deviations, 1 / 255).tolist())


def _read_only(array: NDArray[T]) -> NDArray[T]:
    view = array.view()
    view.setflags(write=False)
    return view


def _plugin_hash(plugin: Noise | Imbalance, files: Sequence[Path]) -> str:
    code = [source_hash(type(plugin)), plugin.version]
    return content_hash([code, settings_of(plugin), [file_hash(it) for it in files]])


@functools.cache
def _harness_hash() -> str:
    sources = [*sorted(Path(__file__).parent.glob("*.py")), Path(seeding.__file__)]
    return content_hash([file_hash(path) for path in sources])


def _truth_known(dataset: DataSet, parts: DataParts) -> bool:
    return dataset.truth_known or parts.train.given is not None


def _trusted_labels(scenario: Scenario, dataset: DataSet, parts: DataParts) -> str:
    if scenario.track == "T0":
        return "noisy"
    if parts.verified is not None:
        return "verified"
    return "clean" if _truth_known(dataset, parts) else "as given"


def _noise_rate(noise: Noise, described: JSON, *, truth_known: bool) -> float | None:
    """Give the rate that may be told.

    What noise was added is known; what was wrong before is not, unless the truth is.
    """
    rate: float = described["realised_rate"]
    drawn = ask_transition(noise, len(described["transition"])) is not None
    return rate if drawn and (truth_known or rate) else None


def identity_of(
    dataset: DataSet, prepared: Prepared, observed: Observed, secret: Secret | None
) -> DataIdentity:
    """Hash what is trained and judged on."""
    rows = observed.split
    labels = {
        "train": observed.train,
        "validation": observed.validation,
        "trusted": observed.trusted,
    }
    return DataIdentity(
        fingerprint=prepared.fingerprint,
        split_hash=_hash_arrays(dataclasses.asdict(rows)),
        labels_hash=_hash_arrays(labels) if secret is None else stands_for_labels(secret),
        invariances=dataset.invariances,
        truth_known=_truth_known(dataset, prepared.parts),
    )


def _hash_arrays(arrays: Mapping[str, Any]) -> str:
    digest = hashlib.sha256()
    for name in sorted(arrays):
        digest.update(f"{name}:{array_hash(arrays[name].astype('<i8'))};".encode())
    return digest.hexdigest()

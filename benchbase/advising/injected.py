"""The data set once more, with classes that count as true and a noise like its own.

What the labels suggest stands for the truth, so that whoever trains under the injected noise is
judged by labels that are right by construction.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchbase.cell import Invariances
from benchbase.data.own.listing import classes_of
from benchbase.files import replace_file
from benchbase.suspects.labelled import Labelled
from benchbase.suspects.noise import Noise, Scores


@dataclass(frozen=True)
class Injected:
    """Where it lies, in the words of a scenario."""

    dataset_options: dict[str, Any]
    noise_file: str


def write_injected(
    folder: Path, images: Labelled, noise: Noise, invariances: Invariances
) -> Injected:
    """Write the images with the suggested classes, and the noise, as ``npz:`` and matrix read."""
    suggested = [images.classes[label] for label in noise.classes]
    arrays: dict[str, Any] = {
        "images": images.pixels.transpose(0, 2, 3, 1),
        "labels": np.array(suggested),
        "split": np.array(images.parts),
    }
    if images.groups is not None:
        arrays["groups"] = images.groups
    content = io.BytesIO()
    np.savez(content, allow_pickle=False, **arrays)
    replace_file(folder / "injected.npz", content.getvalue())
    order = [images.classes.index(name) for name in classes_of(suggested)]
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rates(noise.joint[np.ix_(order, order)]))
    replace_file(folder / "noise.csv", out.getvalue())
    options: dict[str, Any] = {
        "path": str(folder / "injected.npz"),
        "flips": None if invariances.flips == "none" else invariances.flips,
        "windows": None if invariances.windows == "none" else invariances.windows,
        "turns": invariances.turns,
        "colours": invariances.colours,
    }
    if images.verified is not None:
        rows = np.flatnonzero(images.verified & (np.array(images.parts) == "train"))
        names = "".join(f"images/{row}\n" for row in rows)
        replace_file(folder / "verified.csv", f"image\n{names}")
        options["trusted_file"] = str(folder / "verified.csv")
    return Injected(options, str(folder / "noise.csv"))


def rates(joint: Scores) -> Scores:
    """Give P(label | true class), a row a class; of a class that is not there, no noise."""
    sums = joint.sum(axis=1, keepdims=True)
    chances: Scores = np.where(
        sums > 0, joint / np.maximum(sums, np.finfo(float).tiny), np.eye(len(joint))
    )
    chances /= chances.sum(axis=1, keepdims=True)
    return chances


def remembered(path: Path) -> Noise | None:
    """Read an estimate that was written before."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as found:
            return Noise(found["doubt"], found["classes"], found["joint"])
    except (OSError, ValueError, KeyError, EOFError):
        return None


def remember(path: Path, noise: Noise) -> None:
    """Write an estimate, which takes long to make."""
    content = io.BytesIO()
    np.savez(content, doubt=noise.doubt, classes=noise.classes, joint=noise.joint)
    replace_file(path, content.getvalue())

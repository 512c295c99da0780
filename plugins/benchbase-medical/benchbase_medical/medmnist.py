"""MedMNIST's two-dimensional sets of one label an image, from its npz files."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchbase import Card, DataError, Invariances, SourceFile, option
from benchbase.data.own.listing import Listing
from benchbase.data.own.npz_file import NpzFile
from benchbase_medical.named import Named

SMALL = 28
CITATION = (
    "Yang et al.: MedMNIST v2 - A large-scale lightweight benchmark for 2D and 3D biomedical image "
    "classification. Scientific Data 10, 41, 2023. doi:10.1038/s41597-022-01721-8"
)
ANY_SIDE = Invariances(flips="both", windows="anywhere", smallest_area=0.5, turns=180)
UPRIGHT = Invariances(flips="horizontal", windows="anywhere", smallest_area=0.6, turns=10)
SIDED = Invariances(flips="none", windows="anywhere", smallest_area=0.6, turns=10)
ORGANS = (
    "bladder",
    "femur-left",
    "femur-right",
    "heart",
    "kidney-left",
    "kidney-right",
    "liver",
    "lung-left",
    "lung-right",
    "pancreas",
    "spleen",
)
SKIN = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")


@dataclass(frozen=True)
class _MedMnist(Named):
    """One of MedMNIST's sets."""

    size: int = option(SMALL, "Pixels a side: which of the published files is read.", min=SMALL)

    folders: ClassVar[tuple[str, ...]] = ("medmnist", ".medmnist")
    labels: ClassVar[tuple[str, ...]] = ()
    """The classes, in the order of their numbers."""
    stem: ClassVar[str] = ""
    """What the file is called, with the size to fill in."""

    def listing(self, folder: Path) -> Listing | None:
        """Read the file of the size that is asked for."""
        path = folder / f"{self.stem.format(self.size)}.npz"
        if self.size == SMALL and not path.is_file():
            path = folder / f"{self.stem.partition('_{')[0]}.npz"
        if not path.is_file():
            return None
        listed = NpzFile(path=str(path)).listing()
        numbers = {str(number): name for number, name in enumerate(self.labels)}
        if strange := set(listed.labels) - numbers.keys():
            raise DataError(
                f"{path}: expected labels from 0 to {len(self.labels) - 1}, found {min(strange)}"
            )
        labels = tuple(numbers[label] for label in listed.labels)
        return dataclasses.replace(listed, where=self.name, labels=labels)


def _made(
    name: str,
    summary: str,
    labels: tuple[str, ...],
    *,
    counts: tuple[int, int, int],
    md5: str,
    kept: Invariances,
    why: str,
    problems: tuple[str, ...] = (),
) -> type[_MedMnist]:
    """Make the class of a set from what MedMNIST publishes of it."""
    card = Card(
        source=f"{name}, MedMNIST v2; github.com/MedMNIST/MedMNIST, zenodo.org/record/6496656",
        licence="CC BY-NC 4.0" if name == "dermamnist" else "CC BY 4.0",
        citation=CITATION,
        get=f"{name}.npz (zenodo.org/record/6496656; larger: {name}_64.npz, ... by the package "
        "medmnist) goes into a folder that --data-root names, or that is called medmnist below it",
        size="{} images to train on, {} to choose by, {} to judge by; 28 x 28 pixels".format(
            *(f"{count:,}" for count in counts)
        ),
        problems=problems,
        invariant=why,
        files=(
            SourceFile(
                f"{name}.npz",
                f"https://zenodo.org/record/6496656/files/{name}.npz?download=1",
                f"md5:{md5}",
            ),
        ),
        examples_shown=name != "dermamnist",
        predictions_shown=True,
        non_commercial=name == "dermamnist",
    )
    # Made by a call, a class would count as that of the metaclass's module.
    facts = {
        "__module__": __name__,
        "name": name,
        "labels": labels,
        "stem": f"{name}_{{}}",
        "card": card,
    }
    return type(name, (_MedMnist,), {**facts, "invariances": kept, "__doc__": summary})


_NO_SIDE = "cells and tissue under a microscope have no upright side"
_FRONT = "taken from one side, and upright"


def _organs(name: str, view: str, counts: tuple[int, int, int], md5: str) -> type[_MedMnist]:
    return _made(
        name,
        f"Eleven organs in {view} slices of computed tomography (MedMNIST).",
        ORGANS,
        counts=counts,
        md5=md5,
        kept=SIDED,
        why="left and right organs are classes of their own",
    )


SETS: list[type[_MedMnist]] = [
    _made(
        "pathmnist",
        "Nine kinds of colorectal tissue: NCT-CRC-HE in small (MedMNIST).",
        (
            "adipose",
            "background",
            "debris",
            "lymphocytes",
            "mucus",
            "smooth muscle",
            "normal colon mucosa",
            "cancer-associated stroma",
            "colorectal adenocarcinoma epithelium",
        ),
        counts=(89996, 10004, 7180),
        md5="a8b06965200029087d5bd730944a56c1",
        kept=ANY_SIDE,
        why=_NO_SIDE,
    ),
    _made(
        "dermamnist",
        "Seven kinds of skin lesions: HAM10000 in small, with a leak; dermamnist-c has none.",
        SKIN,
        counts=(7007, 1003, 2005),
        md5="0744692d530f8e62ec473284d019b0c7",
        kept=ANY_SIDE,
        why="a dermatoscope is put on the skin in any position",
        problems=("images of one lesion are in several parts (dermamnist-c has them in one)",),
    ),
    _made(
        "octmnist",
        "Four findings in optical coherence tomography of the retina (MedMNIST).",
        ("choroidal neovascularization", "diabetic macular edema", "drusen", "normal"),
        counts=(97477, 10832, 1000),
        md5="c68d92d5b585d8d81f7112f81e2d0842",
        kept=UPRIGHT,
        why=_FRONT,
    ),
    _made(
        "pneumoniamnist",
        "Pneumonia or none in chest X-rays of children (MedMNIST).",
        ("normal", "pneumonia"),
        counts=(4708, 524, 624),
        md5="28209eda62fecd6e6a2d98b1501bb15f",
        kept=UPRIGHT,
        why=_FRONT,
    ),
    _made(
        "retinamnist",
        "Five grades of diabetic retinopathy in fundus images (MedMNIST).",
        ("0", "1", "2", "3", "4"),
        counts=(1080, 120, 400),
        md5="bd4c0672f1bba3e3a89f0e4e876791e4",
        kept=UPRIGHT,
        why="the two eyes mirror each other",
    ),
    _made(
        "breastmnist",
        "Malignant or not in ultrasound images of the breast (MedMNIST).",
        ("malignant", "normal, benign"),
        counts=(546, 78, 156),
        md5="750601b1f35ba3300ea97c75c52ff8f6",
        kept=UPRIGHT,
        why="sound comes from above, and the two sides mirror each other",
    ),
    _made(
        "bloodmnist",
        "Eight kinds of normal blood cells (MedMNIST).",
        (
            "basophil",
            "eosinophil",
            "erythroblast",
            "immature granulocytes",
            "lymphocyte",
            "monocyte",
            "neutrophil",
            "platelet",
        ),
        counts=(11959, 1712, 3421),
        md5="7053d0359d879ad8a5505303e11de1dc",
        kept=ANY_SIDE,
        why=_NO_SIDE,
    ),
    _made(
        "tissuemnist",
        "Eight kinds of cells of the kidney's cortex (MedMNIST).",
        (
            "collecting duct, connecting tubule",
            "distal convoluted tubule",
            "glomerular endothelial cells",
            "interstitial endothelial cells",
            "leukocytes",
            "podocytes",
            "proximal tubule segments",
            "thick ascending limb",
        ),
        counts=(165466, 23640, 47280),
        md5="ebe78ee8b05294063de985d821c1c34b",
        kept=ANY_SIDE,
        why=_NO_SIDE,
    ),
    _organs("organamnist", "axial", (34581, 6491, 17778), "866b832ed4eeba67bfb9edee1d5544e6"),
    _organs("organcmnist", "coronal", (13000, 2392, 8268), "0afa5834fb105f7705a7d93372119a21"),
    _organs("organsmnist", "sagittal", (13940, 2452, 8829), "e5c39f1af030238290b9557d9503af9d"),
]


@dataclass(frozen=True)
class DermaMnistC(_MedMnist):
    """DermaMNIST without its leak: each lesion in one part only."""

    name: ClassVar[str] = "dermamnist-c"
    labels: ClassVar[tuple[str, ...]] = SKIN
    stem: ClassVar[str] = "dermamnist_corrected_{}"
    invariances: ClassVar[Invariances] = ANY_SIDE
    card: ClassVar[Card | None] = Card(
        source="DermaMNIST-C; zenodo.org/records/12739457",
        licence="CC BY-NC 4.0 (that of HAM10000)",
        citation="Abhishek, Jain, Hamarneh: Investigating the Quality of DermaMNIST and "
        "Fitzpatrick17k Dermatological Image Datasets. Scientific Data 12, 196, 2025. "
        "doi:10.1038/s41597-025-04382-5",
        get="dermamnist_corrected_28.npz or dermamnist_corrected_224.npz "
        "(zenodo.org/records/12739457) goes into a folder that --data-root names, or that is "
        "called medmnist below it",
        size="8,215 images to train on, 573 to choose by, 1,227 to judge by; 28 x 28 pixels",
        groups="lesions, of which the parts share none; they are not read",
        invariant="a dermatoscope is put on the skin in any position",
        files=(
            SourceFile(
                "dermamnist_corrected_28.npz",
                "https://zenodo.org/records/12739457/files/dermamnist_corrected_28.npz?download=1",
                "md5:96e2862980877d45d9cacb5c25de6950",
            ),
        ),
        predictions_shown=True,
        non_commercial=True,
    )


SETS.append(DermaMnistC)

"""Pigmented skin lesions: HAM10000 and the ISIC challenges that built on it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchbase import Card, Invariances
from benchbase.data.own.listing import Listing
from benchbase_medical.named import NamedImages, pictures
from benchbase_medical.tables import find_table, groups_of, one_hot

INVARIANT = (
    "a dermatoscope is put on the skin in any position, so that a lesion has no upright side; "
    "colours are a criterion of the diagnosis but differ between devices, and change within the "
    "harness's small range; the lesion lies in the middle and fills much of the image"
)
LESION = Invariances(flips="both", windows="anywhere", smallest_area=0.5, turns=180)
HAM_CITATION = (
    "Tschandl, Rosendahl, Kittler: The HAM10000 dataset, a large collection of multi-source "
    "dermatoscopic images of common pigmented skin lesions. Scientific Data 5, 180161, 2018. "
    "doi:10.1038/sdata.2018.161"
)
HAM_COUNTS = (
    ("nv", 6705),
    ("mel", 1113),
    ("bkl", 1099),
    ("bcc", 514),
    ("akiec", 327),
    ("vasc", 142),
    ("df", 115),
)
HAM_PROBLEMS = (
    "only 53 % of the images have a diagnosis from histopathology",
    "several images show one lesion: a split by image leaks",
    "the lesion is known, the patient is not: one patient may be on both sides of a split",
)
HAM_GET = (
    "HAM10000_metadata and the unpacked archives HAM10000_images_part_1 and _part_2 (Harvard "
    "Dataverse, doi:10.7910/DVN/DBW86T, whose terms a person accepts), or the challenge's "
    "ISIC2018_Task3_Training_Input/, ISIC2018_Task3_Training_GroundTruth/ and "
    "ISIC2018_Task3_Training_LesionGroupings.csv (challenge.isic-archive.com/data/#2018), go into "
    "one folder, which --data-root names, or which is called ham10000 below it"
)
HAM_TABLES = ("HAM10000_metadata.csv", "HAM10000_metadata", "HAM10000_metadata.tab")
HAM_FOLDERS = ("HAM10000_images_part_1", "HAM10000_images_part_2", "images")
CHALLENGE_2018 = ("MEL", "NV", "BCC", "AKIEC", "BKL", "DF", "VASC")


def challenge_2018(where: str, folder: Path, part: str) -> Listing | None:
    """List the images of a part of ISIC 2018, task 3: Training, Validation or Test.

    Raises:
        DataError: an image is missing, or a table is not what it should be.
    """
    name = f"ISIC2018_Task3_{part}_GroundTruth"
    table = find_table(folder, (f"{name}/{name}.csv", f"{name}.csv"))
    if table is None:
        return None
    names = table.texts("image", "image")
    images = pictures(where, [folder / f"ISIC2018_Task3_{part}_Input"], names)
    grouping = find_table(folder, (f"ISIC2018_Task3_{part}_LesionGroupings.csv",))
    return Listing(
        where=where,
        names=tuple(names),
        labels=one_hot(table, CHALLENGE_2018),
        picture=lambda index: images[index],
        files=(table.path, *([grouping.path] if grouping else []), *images),
        groups=None if grouping is None else groups_of(grouping, "image", "lesion_id", names),
    )


def archive(where: str, folder: Path) -> Listing | None:
    """List the images of HAM10000 as its archive on Dataverse holds them.

    Raises:
        DataError: an image is missing, or a table is not what it should be.
    """
    table = find_table(folder, HAM_TABLES)
    if table is None:
        return None
    names = table.texts("image_id", "image")
    held = [folder / name for name in HAM_FOLDERS if (folder / name).is_dir()]
    images = pictures(where, held or [folder], names)
    return Listing(
        where=where,
        names=tuple(names),
        labels=tuple(table.texts("dx", "label")),
        picture=lambda index: images[index],
        files=(table.path, *images),
        groups=tuple(table.texts("lesion_id", "group")),
    )


@dataclass(frozen=True)
class Ham10000(NamedImages):
    """Seven kinds of pigmented skin lesions, 10,015 dermatoscopic images of 7,470 lesions."""

    name: ClassVar[str] = "ham10000"
    folders: ClassVar[tuple[str, ...]] = ("HAM10000", "isic2018", "ISIC2018")
    invariances: ClassVar[Invariances] = LESION
    card: ClassVar[Card | None] = Card(
        source="HAM10000, ViDIR Group, Department of Dermatology, Medical University of Vienna; "
        "doi:10.7910/DVN/DBW86T; also the training set of ISIC 2018, task 3",
        licence="CC BY-NC 4.0",
        citation=HAM_CITATION,
        get=HAM_GET,
        classes=HAM_COUNTS,
        size="JPEG, 600 x 450 pixels, colour",
        groups="7,470 lesions",
        problems=HAM_PROBLEMS,
        invariant=INVARIANT,
        predictions_shown=True,
        non_commercial=True,
    )

    def listing(self, folder: Path) -> Listing | None:
        """Read any of the layouts."""
        return archive(self.name, folder) or challenge_2018(self.name, folder, "Training")


@dataclass(frozen=True)
class Isic2018(NamedImages):
    """ISIC 2018, task 3: HAM10000 to train on, the challenge's own images to be judged by."""

    name: ClassVar[str] = "isic2018"
    folders: ClassVar[tuple[str, ...]] = ("ISIC2018",)
    invariances: ClassVar[Invariances] = LESION
    card: ClassVar[Card | None] = Card(
        source="ISIC 2018: Skin Lesion Analysis Towards Melanoma Detection, task 3; "
        "challenge.isic-archive.com/data/#2018",
        licence="CC BY-NC 4.0",
        citation=f"{HAM_CITATION}; Codella et al.: Skin Lesion Analysis Toward Melanoma Detection "
        "2018: A Challenge Hosted by the International Skin Imaging Collaboration. "
        "arXiv:1902.03368, 2019",
        get="the unpacked archives ISIC2018_Task3_Training_Input, _Training_GroundTruth, "
        "_Test_Input and _Test_GroundTruth, and ISIC2018_Task3_Training_LesionGroupings.csv "
        "(challenge.isic-archive.com/data/#2018, whose terms a person accepts) go into one folder, "
        "which --data-root names, or which is called isic2018 below it; the training part may lie "
        "there as HAM10000_metadata with its archives",
        size="JPEG, 600 x 450 pixels, colour",
        groups="7,470 lesions in the training part; none known in the test part",
        problems=(
            *HAM_PROBLEMS,
            "not all test images come from the sources of the training images",
        ),
        invariant=INVARIANT,
        predictions_shown=True,
        non_commercial=True,
    )

    def listing(self, folder: Path) -> Listing | None:
        """Read the training part in any of the layouts, and the challenge's test part."""
        test = challenge_2018(self.name, folder, "Test")
        train = challenge_2018(self.name, folder, "Training") or archive(self.name, folder)
        if train is None or test is None:
            return None
        count = len(train.names)
        return dataclasses.replace(
            train,
            names=train.names + test.names,
            labels=train.labels + test.labels,
            picture=lambda index: (
                train.picture(index) if index < count else test.picture(index - count)
            ),
            files=train.files + test.files,
            groups=(
                *(train.groups or (f"alone {name}" for name in train.names)),
                *(f"alone {name}" for name in test.names),
            ),
            parts=("train",) * count + ("test",) * len(test.names),
        )

"""The ISIC challenges of 2019 and 2020: dermatoscopic images as CSV and JPEG."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from benchbase import Card, Invariances
from benchbase.data.own.listing import Listing
from benchbase_medical.dermatoscopy import HAM_CITATION, INVARIANT, LESION
from benchbase_medical.named import NamedImages, pictures
from benchbase_medical.tables import find_table, groups_of, one_hot

CHALLENGE_2019 = ("MEL", "NV", "BCC", "AK", "BKL", "DF", "VASC", "SCC", "UNK")
FOLDERS_2020 = ("ISIC_2020_Training_JPEG", "train", "jpeg/train")
TABLES_2020 = (
    "ISIC_2020_Training_GroundTruth_v2.csv",
    "ISIC_2020_Training_GroundTruth.csv",
    "train.csv",
)


@dataclass(frozen=True)
class Isic2019(NamedImages):
    """Eight kinds of skin lesions, 25,331 dermatoscopic images of three sources."""

    name: ClassVar[str] = "isic2019"
    folders: ClassVar[tuple[str, ...]] = ("ISIC2019", "ISIC_2019")
    invariances: ClassVar[Invariances] = LESION
    card: ClassVar[Card | None] = Card(
        source="ISIC 2019, training part: BCN_20000 (Hospital Clinic de Barcelona), HAM10000 "
        "(Medical University of Vienna) and MSK; challenge.isic-archive.com/data/#2019",
        licence="CC BY-NC 4.0",
        citation=f"{HAM_CITATION}; Codella et al.: Skin Lesion Analysis Toward Melanoma Detection. "
        "arXiv:1710.05006, 2017; Combalia et al.: BCN20000: Dermoscopic Lesions in the Wild. "
        "arXiv:1908.02288, 2019",
        get="the unpacked archive ISIC_2019_Training_Input, ISIC_2019_Training_GroundTruth.csv and "
        "ISIC_2019_Training_Metadata.csv (challenge.isic-archive.com/data/#2019, whose terms a "
        "person accepts) go into one folder, which --data-root names, or which is called isic2019 "
        "below it",
        classes=(
            ("nv", 12875),
            ("mel", 4522),
            ("bcc", 3323),
            ("bkl", 2624),
            ("ak", 867),
            ("scc", 628),
            ("vasc", 253),
            ("df", 239),
        ),
        size="JPEG, from 600 x 450 to 1,024 x 1,024 pixels, colour",
        groups="lesions, where the metadata name them; an image without one stands alone",
        problems=(
            "holds HAM10000, so that the two are no independent evidence",
            "sources differ in how images are made and in which classes they hold",
        ),
        invariant=INVARIANT,
        predictions_shown=True,
        non_commercial=True,
    )

    def listing(self, folder: Path) -> Listing | None:
        """Read the training part; the test part's classes are others."""
        table = find_table(folder, ("ISIC_2019_Training_GroundTruth.csv",))
        if table is None:
            return None
        names = table.texts("image", "image")
        images = pictures(self.name, [folder / "ISIC_2019_Training_Input"], names)
        lesions = find_table(folder, ("ISIC_2019_Training_Metadata.csv",))
        return Listing(
            where=self.name,
            names=tuple(names),
            labels=one_hot(table, [one for one in CHALLENGE_2019 if one in table.columns]),
            picture=images.__getitem__,
            files=(table.path, *([lesions.path] if lesions else []), *images),
            groups=None if lesions is None else groups_of(lesions, "image", "lesion_id", names),
        )


@dataclass(frozen=True)
class Isic2020(NamedImages):
    """Melanoma (1.8 %) or benign, 33,126 dermatoscopic images of 2,056 patients."""

    name: ClassVar[str] = "isic2020"
    folders: ClassVar[tuple[str, ...]] = ("ISIC2020", "ISIC_2020")
    invariances: ClassVar[Invariances] = LESION
    card: ClassVar[Card | None] = Card(
        source="SIIM-ISIC 2020, training part; doi:10.34970/2020-ds01; "
        "challenge.isic-archive.com/data/#2020",
        licence="CC BY-NC 4.0",
        citation="Rotemberg et al.: A patient-centric dataset of images and metadata for "
        "identifying melanomas using clinical context. Scientific Data 8, 34, 2021. "
        "doi:10.1038/s41597-021-00815-z",
        get="the unpacked archive ISIC_2020_Training_JPEG and ISIC_2020_Training_GroundTruth.csv "
        "(challenge.isic-archive.com/data/#2020, whose terms a person accepts), or train.csv and "
        "jpeg/train of the competition on Kaggle, go into one folder, which --data-root names, or "
        "which is called isic2020 below it",
        classes=(("benign", 32542), ("malignant", 584)),
        size="JPEG, colour, of many sizes",
        groups="2,056 patients",
        problems=(
            "the makers list duplicates (ISIC_2020_Training_Duplicates.csv), which are left in",
        ),
        invariant=INVARIANT,
        predictions_shown=True,
        non_commercial=True,
    )

    def listing(self, folder: Path) -> Listing | None:
        """Read the training part, whose table names the patients."""
        table = find_table(folder, TABLES_2020)
        if table is None or "image_name" not in table.columns:
            return None
        names = table.texts("image_name", "image")
        held = [folder / name for name in FOLDERS_2020 if (folder / name).is_dir()]
        images = pictures(self.name, held[:1] or [folder], names)
        return Listing(
            where=self.name,
            names=tuple(names),
            labels=tuple(table.texts("benign_malignant", "label")),
            picture=images.__getitem__,
            files=(table.path, *images),
            groups=groups_of(table, "image_name", "patient_id", names),
        )

"""CIFAR-10, and CIFAR-10N: the same images under labels that people gave."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from benchbase import Card, DataError, DataParts, DataSet, Invariances, Part, SourceFile, option
from benchbase_medical.named import missing, places

ARCHIVE = "cifar-10-python.tar.gz"
BATCHES = "cifar-10-batches-py"
CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
COUNTS = tuple((name, 6000) for name in CLASSES)
CITATION = "Krizhevsky: Learning Multiple Layers of Features from Tiny Images. 2009"
GET = (
    f"{ARCHIVE} (www.cs.toronto.edu/~kriz/cifar.html), or {BATCHES}/ unpacked from it, goes into a "
    "folder that --data-root names, or that is called {name} below it"
)
SIDES = "things stand upright, and their mirror images are as likely"
PUBLISHED = SourceFile(
    ARCHIVE,
    f"https://www.cs.toronto.edu/~kriz/{ARCHIVE}",
    "md5:c58f30108f718f92721af3b95e74349a",
)
VERSIONS = {
    "worst": "worse_label",
    "aggregate": "aggre_label",
    "random1": "random_label1",
    "random2": "random_label2",
    "random3": "random_label3",
}
"""Labels of CIFAR-10N, and what its file calls them."""
HUMAN = "CIFAR-10_human.pt"


@dataclass(frozen=True)
class Cifar10(DataSet):
    """Ten classes of everyday things, 50,000 training and 10,000 test images of 32 x 32 pixels."""

    name: ClassVar[str] = "cifar10"
    truth_known: ClassVar[bool] = True
    invariances: ClassVar[Invariances] = Invariances()
    card: ClassVar[Card | None] = Card(
        source="CIFAR-10, University of Toronto; www.cs.toronto.edu/~kriz/cifar.html",
        licence="",
        citation=CITATION,
        get=GET.format(name="cifar10"),
        classes=COUNTS,
        size="32 x 32 pixels, colour",
        invariant=SIDES,
        files=(PUBLISHED,),
        predictions_shown=True,
    )

    def files(self, roots: Sequence[Path]) -> list[Path]:
        """Name the archive, or the batches that were unpacked from it."""
        return self._found(roots)[1]

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        """Check and unpack the archive, and let torchvision check and read the batches."""
        folder, (first, *_) = self._found(roots)
        if first.name == ARCHIVE:
            _unpack(first, scratch)
            folder = scratch
        return DataParts(CLASSES, _part(folder, train=True), _part(folder, train=False))

    def _found(self, roots: Sequence[Path]) -> tuple[Path, list[Path]]:
        folders = places(roots, (self.name, "cifar10", "cifar-10"))
        for folder in folders:
            if (folder / BATCHES).is_dir():
                return folder, sorted(
                    path
                    for path in (folder / BATCHES).iterdir()
                    if path.name.startswith(("data_batch", "test_batch", "batches.meta"))
                )
            if (folder / ARCHIVE).is_file():
                return folder, [folder / ARCHIVE]
        raise missing(self, folders)


@dataclass(frozen=True)
class Cifar10N(Cifar10):
    """CIFAR-10 under labels that people gave: with noise real, methods see these."""

    labels: str = option(
        "worst",
        "Which labels noise real shows: 40 % of worst are wrong, 9 % of aggregate, 17 to 18 % of "
        "the others.",
        choices=tuple(VERSIONS),
    )

    name: ClassVar[str] = "cifar10n"
    card: ClassVar[Card | None] = Card(
        source="CIFAR-10N, UC Santa Cruz; github.com/UCSC-REAL/cifar-10-100n, of CIFAR-10, "
        "University of Toronto; www.cs.toronto.edu/~kriz/cifar.html",
        licence="",
        citation=f"{CITATION}; Wei et al.: Learning with Noisy Labels Revisited: A Study Using "
        "Real-World Human Annotations. ICLR 2022",
        get=GET.format(name="cifar10n")
        + f", and data/{HUMAN} of github.com/UCSC-REAL/cifar-10-100n beside it",
        classes=COUNTS,
        size="32 x 32 pixels, colour",
        problems=("test images have one version of their labels, that of CIFAR-10",),
        invariant=SIDES,
        files=(PUBLISHED,),
        predictions_shown=True,
    )

    def files(self, roots: Sequence[Path]) -> list[Path]:
        """Name the labels as well."""
        folder, paths = self._found(roots)
        if not (folder / HUMAN).is_file():
            raise missing(self, [folder])
        return [*paths, folder / HUMAN]

    def load(self, roots: Sequence[Path], scratch: Path) -> DataParts:
        """Put the labels that people gave beside those of CIFAR-10."""
        parts = super().load(roots, scratch)
        path = self.files(roots)[-1]
        given = _human_labels(path, VERSIONS[self.labels])
        clean = _human_labels(path, "clean_label")
        if not np.array_equal(clean, parts.train.labels):
            raise DataError(f"{path}: its clean labels are not those of CIFAR-10, in its order")
        test = parts.test
        return dataclasses.replace(
            parts,
            train=dataclasses.replace(parts.train, given=given),
            test=dataclasses.replace(test, given=test.labels.copy()),
        )


def _unpack(archive: Path, folder: Path) -> None:
    """Unpack the archive, whose batches are pickles, once its checksum is the published one."""
    from torchvision.datasets import CIFAR10
    from torchvision.datasets.utils import check_integrity, extract_archive

    if not check_integrity(str(archive), CIFAR10.tgz_md5):
        raise DataError(
            f"{archive}: expected md5 {CIFAR10.tgz_md5}, as published, found another: it holds "
            "pickles, which could run code, and is not opened; get it again"
        )
    extract_archive(str(archive), str(folder))


def _part(folder: Path, *, train: bool) -> Part:
    from torchvision.datasets import CIFAR10

    try:
        # Opens a pickle only where its checksum is the published one.
        read = CIFAR10(str(folder), train=train)
    except RuntimeError as error:
        raise DataError(
            f"{folder / BATCHES}: a batch is missing or not as published; they are pickles, which "
            f"could run code, and are not opened: unpack {ARCHIVE} again"
        ) from error
    pixels = np.ascontiguousarray(read.data.transpose(0, 3, 1, 2))
    return Part(pixels, np.array(read.targets, dtype=np.int64))


def _human_labels(path: Path, key: str) -> NDArray[np.int64]:
    """Read one version of the labels; nothing but arrays of numbers is unpickled."""
    import pickle

    import torch

    # What an array is pickled as; numpy says by which function.
    rebuild = np.empty(0).__reduce__()[0]
    kinds = [type(np.dtype(kind)) for kind in "bhilBHIL"]
    arrays: list[Any] = [rebuild, np.ndarray, np.dtype, *kinds]
    try:
        with torch.serialization.safe_globals(arrays):
            held = torch.load(path, weights_only=True)
        labels = np.asarray(held[key]).astype(np.int64)
    except (OSError, RuntimeError, KeyError, TypeError, pickle.UnpicklingError) as error:
        raise DataError(f"{path}: holds no labels {key!r} ({error}): get it again") from error
    return labels

"""The medical data sets of the literature, by name and with a card each.

They read the copy that a user has: no image comes with the package.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchbase import hookimpl

if TYPE_CHECKING:
    from benchbase import DataSet

BENCHBASE_API = 2


@hookimpl
def register_datasets() -> list[type[DataSet]]:
    """Bring the data sets."""
    from benchbase_medical.blood import ChulaRbc12, TxlPbc
    from benchbase_medical.cifar import Cifar10, Cifar10N
    from benchbase_medical.dermatoscopy import Ham10000, Isic2018
    from benchbase_medical.isic import Isic2019, Isic2020
    from benchbase_medical.medmnist import SETS
    from benchbase_medical.mtc import Mtc
    from benchbase_medical.pathology import NctCrcHe, Pcam

    skin: list[type[DataSet]] = [Ham10000, Isic2018, Isic2019, Isic2020]
    return [*skin, ChulaRbc12, TxlPbc, Pcam, NctCrcHe, Mtc, *SETS, Cifar10, Cifar10N]

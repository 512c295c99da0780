"""Which files hold the code of a module, without importing anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbase.sources import code_files, helper_files, module_path


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Write modules that fail when they are imported, into a folder on the path."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def write(name: str, text: str = "") -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\nraise AssertionError")
        return path

    return write


def test_helpers_are_followed_from_one_to_the_next(write) -> None:
    mine = write("mine.py", "import json, torch.nn, benchbase.api\nfrom first_step import go")
    first = write("first_step.py", "def go():\n    import second_step as again")
    second = write("second_step.py", "import first_step")
    assert helper_files([mine]) == {"first_step": first, "second_step": second}


def test_of_a_helpers_package_what_is_imported_counts(write) -> None:
    mine = write("mine.py", "from parcel.outer import inner, not_a_module")
    above, outer = write("parcel/__init__.py"), write("parcel/outer/__init__.py")
    inner = write("parcel/outer/inner.py", "from ..beside import x\nfrom . import near")
    beside, near = write("parcel/beside.py"), write("parcel/outer/near.py")
    write("parcel/unused.py")
    assert helper_files([mine]) == {
        "parcel": above,
        "parcel.beside": beside,
        "parcel.outer": outer,
        "parcel.outer.inner": inner,
        "parcel.outer.near": near,
    }


def test_the_files_of_a_package_are_no_helpers_of_each_other(write) -> None:
    init, part = write("parcel/__init__.py", "import parcel.part"), write("parcel/part.py")
    helper = write("helping_out.py")
    part.write_text("from . import other\nfrom parcel import other\nimport helping_out")
    _, files = code_files("parcel", init)
    assert files == [init, part]
    assert helper_files(files, "parcel") == {"helping_out": helper}


def test_what_cannot_be_read_or_found_has_no_helpers(write) -> None:
    mine = write("mine.py", "import nowhere_to_be_found\nfrom .above import x")
    broken = write("broken.py", "def f(:")
    assert helper_files([mine, broken]) == {}
    assert module_path("nowhere_to_be_found") is None

"""Files of a data set are fetched and checked as its card states them."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import ClassVar
from urllib.error import URLError

import pytest

from benchbase.data import getting
from benchbase.data.card import Card, SourceFile
from benchbase.data.contract import DataParts, DataSet
from benchbase.data.getting import get, verify
from benchbase.errors import DataError, UsageError
from tests.unit.data.conftest import Stamps

CONTENT = b"pixels and labels"
ADDRESS = "https://example.org/stamps.bin"
BIN = SourceFile("stamps.bin", ADDRESS, f"md5:{hashlib.md5(CONTENT).hexdigest()}")  # noqa: S324
CARD = Card(
    source="Stamps",
    licence="CC0",
    citation="",
    get="stamps.bin goes into the folder",
    classes=(("a", 230), ("b", 230), ("c", 230)),
    files=(BIN,),
)


@dataclass(frozen=True)
class Filed(Stamps):
    """Stamps that need a file."""

    card: ClassVar[Card | None] = CARD

    def files(self, roots: Sequence[Path]) -> list[Path]:
        found = [root / "stamps.bin" for root in roots if (root / "stamps.bin").is_file()]
        if not found:
            raise DataError("stamps: no stamps.bin")
        return found


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], list[str]]:
    """Let the web hold one content under every address; give the addresses asked for."""

    def serve(content: bytes) -> list[str]:
        asked: list[str] = []

        def opened(address: str, timeout: float) -> io.BytesIO:
            asked.append(address)
            return io.BytesIO(content)

        monkeypatch.setattr(getting, "urlopen", opened)
        return asked

    return serve


def carded(monkeypatch: pytest.MonkeyPatch, **changes: object) -> DataSet:
    monkeypatch.setattr(Filed, "card", replace(CARD, **changes))
    return Filed()


def test_a_file_is_fetched_once(tmp_path: Path, served) -> None:
    asked = served(CONTENT)
    for _ in range(2):
        [path] = get(Filed(), tmp_path / "data")
    assert path.read_bytes() == CONTENT
    assert asked == [ADDRESS]


def test_an_archive_is_unpacked(tmp_path: Path, served, monkeypatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("images/one.txt", "1")
    digest = hashlib.sha256(packed.getvalue()).hexdigest()
    served(packed.getvalue())
    get(
        carded(monkeypatch, files=(SourceFile("a.zip", ADDRESS, f"sha256:{digest}"),)),
        tmp_path,
    )
    assert (tmp_path / "images" / "one.txt").read_text() == "1"


def test_what_is_not_as_published_is_not_kept(tmp_path: Path, served) -> None:
    served(b"something else")
    with pytest.raises(DataError, match="is not what was published"):
        get(Filed(), tmp_path)
    assert [*tmp_path.iterdir()] == []


def test_no_network_says_where_the_file_goes(tmp_path: Path, monkeypatch) -> None:
    def unreachable(address: str, timeout: float) -> None:
        raise URLError("no route to host")

    monkeypatch.setattr(getting, "urlopen", unreachable)
    with pytest.raises(DataError, match=r"Or put the file at .*stamps\.bin by hand"):
        get(Filed(), tmp_path)


def test_what_a_person_must_get_is_said(tmp_path: Path, monkeypatch) -> None:
    dataset = carded(monkeypatch, files=(replace(BIN, url=""),))
    with pytest.raises(DataError, match="no program may fetch it for you: stamps"):
        get(dataset, tmp_path)


def test_a_data_set_without_a_card_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="stamps: has no card"):
        get(Stamps(), tmp_path)


def test_nothing_is_said_of_what_is_as_it_should_be(tmp_path: Path) -> None:
    (tmp_path / "stamps.bin").write_bytes(CONTENT)
    assert verify(Filed(), [tmp_path], tmp_path / "cache") == []


def test_each_difference_is_said(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "stamps.bin").write_bytes(b"cut short")
    dataset = carded(monkeypatch, classes=(("a", 231), ("b", 230)), fingerprint="0" * 64)
    differences = verify(dataset, [tmp_path], tmp_path / "cache")
    assert [text.partition(": expected")[0] for text in differences] == [
        str(tmp_path / "stamps.bin"),
        "class a",
        "class c",
        "fingerprint",
    ]


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    assert verify(Filed(), [tmp_path], tmp_path / "cache") == ["stamps: no stamps.bin"]


def test_what_cannot_be_decoded_is_said(tmp_path: Path, monkeypatch) -> None:
    def fail(dataset: DataSet, roots: Sequence[Path], scratch: Path) -> DataParts:
        raise DataError("stamps.bin is truncated")

    monkeypatch.setattr(Filed, "load", fail)
    (tmp_path / "stamps.bin").write_bytes(CONTENT)
    assert verify(Filed(), [tmp_path], tmp_path / "cache") == ["stamps.bin is truncated"]

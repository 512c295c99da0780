"""The card of a data set: what is said, and what is left out."""

from __future__ import annotations

import pytest

from benchbase.data.card import Card, SourceFile

NEEDED = {"source": "Cells", "licence": "MIT", "citation": "A, B", "get": "clone it"}


def test_a_card_says_what_is_known_and_nothing_else() -> None:
    assert Card(**NEEDED).lines() == {
        "source": "Cells",
        "licence": "MIT",
        "use": "images and predictions may not be shown",
        "citation": "A, B",
        "get it": "clone it",
    }


def test_classes_are_said_with_their_counts() -> None:
    card = Card(**NEEDED, classes=(("red", 1200), ("white", 30)))
    assert card.lines()["classes"] == "2 in 1,230 images: red 1,200, white 30"


def test_what_may_be_shown_is_said() -> None:
    card = Card(**NEEDED, examples_shown=True, non_commercial=True)
    assert card.lines()["use"] == (
        "images may be shown; predictions may not be shown; non-commercial only"
    )


@pytest.mark.parametrize("checksum", ["md5:12", "sha1:" + 40 * "0", 32 * "0"])
def test_a_checksum_is_of_a_known_kind(checksum: str) -> None:
    with pytest.raises(ValueError, match="expected md5: and 32 digits"):
        SourceFile("a.zip", checksum=checksum)


def test_nothing_is_fetched_that_cannot_be_checked() -> None:
    with pytest.raises(ValueError, match="fetches only what it can check"):
        SourceFile("a.zip", url="https://example.org/a.zip")
    file = SourceFile("a.zip", url="https://example.org/a.zip", checksum="md5:" + 32 * "0")
    assert file.checksum.startswith("md5:")

"""The words of a cell: what keeps the class of an image."""

from __future__ import annotations

import pytest

from benchbase.cell import Invariances


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"flips": "vertical"}, 'flips is \'vertical\': expected "none", "horizontal" or "both"'),
        ({"windows": "center"}, 'windows is \'center\': expected "anywhere", "centre" or "none"'),
        ({"smallest_area": 0}, "smallest_area is 0.0: expected a share above 0, up to 1"),
        ({"turns": 360}, "turns is 360.0: expected degrees from 0 to 180"),
        ({"colours": "no"}, "colours is 'no': expected True or False"),
    ],
)
def test_an_invariance_that_does_not_exist_is_refused(given, expected):
    made = object.__new__(Invariances)  # past the type checks of the test run
    for name, value in {**vars(Invariances()), **given}.items():
        object.__setattr__(made, name, value)
    with pytest.raises(ValueError, match="Invariances: ") as caught:
        made.__post_init__()
    assert expected in str(caught.value)


def test_invariances_are_told_in_words():
    assert str(Invariances()) == (
        "mirrored left and right, windows anywhere from 20% of the area, turned by up to 15 "
        "degrees, other colours"
    )
    nothing = Invariances(flips="none", windows="none", turns=0, colours=False)
    assert str(nothing) == "not mirrored, no windows or shifts, not turned, the same colours"
    centred = Invariances(flips="both", windows="centre", turns=180)
    assert str(centred).startswith("mirrored both ways, windows around the centre from 20%")

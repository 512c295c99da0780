"""A stack tells which line of a plugin something happened in."""

from __future__ import annotations

from pathlib import Path

import benchbase
from benchbase.testing import telling
from benchbase.testing.telling import place_of

KIT = str(Path(benchbase.__file__).parent / "kit" / "loops.py")


class Mine:
    pass


def test_the_innermost_line_of_the_class_s_own_file_is_named():
    frames = [("/torch.py", 1), (KIT, 2), (__file__, 3), (KIT, 4), (__file__, 5)]
    assert place_of(frames, Mine) == f"{__file__}, line 3"


def test_where_the_class_had_no_part_it_is_the_innermost_line_of_benchbase():
    frames = [("/torch.py", 1), (telling.__file__, 2), (KIT, 3), (KIT, 4)]
    assert place_of(frames, Mine) == f"{KIT}, line 3"
    assert place_of(frames[:2], Mine) == ""

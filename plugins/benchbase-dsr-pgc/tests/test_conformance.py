"""The contract of benchbase."""

import pytest
from benchbase_dsr_pgc import DSRPGC, DSRPGCE, FixMatch, MeanTeacher
from benchbase_dsr_pgc.plug_in import DSR, DSRCorrected

from benchbase.testing.conformance import parametrize_with_checks


@parametrize_with_checks([DSRPGC, DSRPGCE])
def test_it_keeps_the_contract(weighter, check):
    check(weighter)


@pytest.mark.slow  # they share their method's loop
@parametrize_with_checks([DSR, DSRCorrected, MeanTeacher, FixMatch])
def test_its_controls_keep_the_contract(weighter, check):
    check(weighter)

"""The contract of benchbase."""

import benchbase_dsr_pgc

from benchbase.testing.conformance import parametrize_with_checks


@parametrize_with_checks(benchbase_dsr_pgc.register_weighters())
def test_every_weighter_keeps_the_contract(weighter, check):
    check(weighter)

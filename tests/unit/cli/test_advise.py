from __future__ import annotations

import time

from benchbase.cli.advise import Lines
from tests.unit.jobs import make_job
from tests.unit.made_records import make_record


def test_each_cell_is_told_with_the_time_that_is_gone(capfd):
    lines = Lines(600, time.time() - 90)
    lines.finished(make_job("plain"), make_record(seconds=28))
    lines.finished(make_job("plain"), make_record(status="oom"))
    lines.finished(make_job("plain"), None)
    ended, failed, lost = capfd.readouterr().err.splitlines()
    assert ended.startswith("[1.5 of 10 min] plain | nuclei")
    assert ended.endswith("seed 0: 30 s")
    assert "oom: plain" in failed
    assert "not recorded: plain" in lost

"""Claims: one owner a cell, and a dead one loses it."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from benchbase.records import leases as module
from benchbase.records.home import Home
from benchbase.records.leases import LEASE_SECONDS, Leases, Owner


@pytest.fixture
def home(tmp_path):
    return Home(tmp_path)


def test_a_cell_has_one_owner_at_a_time(home):
    one, other = Leases(home), Leases(home)
    assert one.claim("k")
    assert not other.claim("k")
    one.release("k")
    assert other.claim("k")


def test_what_is_claimed_is_given_back_at_the_end(home):
    with Leases(home).kept() as one:
        assert one.claim("a")
    assert Leases(home).claim("a")


def test_a_dead_process_of_this_host_loses_its_cells_at_once(home):
    program = (
        "import os, sys; from pathlib import Path\n"
        "from benchbase.records.home import Home\n"
        "from benchbase.records.leases import Leases\n"
        "assert Leases(Home(Path(sys.argv[1]))).claim('k')\n"
        "os._exit(1)\n"
    )
    subprocess.run([sys.executable, "-c", program, str(home.path)], check=False)
    assert home.lease("k").exists()
    assert Leases(home).claim("k")


@pytest.mark.parametrize(("age", "lost"), [(LEASE_SECONDS / 2, False), (LEASE_SECONDS + 5, True)])
def test_an_owner_of_another_host_loses_what_it_does_not_touch(home, age, lost):
    path = home.lease("k")
    path.parent.mkdir(parents=True)
    path.write_bytes(msgspec.json.encode(Owner("token", "elsewhere", os.getpid())))
    then = path.stat().st_mtime - age
    os.utime(path, (then, then))
    assert Leases(home).claim("k") is lost


def test_an_owner_that_lives_touches_its_claims(home, monkeypatch):
    monkeypatch.setattr(module, "BEAT_SECONDS", 0.02)
    with Leases(home).kept() as one:
        one.claim("k")
        os.utime(home.lease("k"), (1, 1))
        for _ in range(200):
            if home.lease("k").stat().st_mtime > 1:
                break
            time.sleep(0.02)
        assert home.lease("k").stat().st_mtime > 1


def test_a_damaged_claim_is_anybodys_when_it_is_old(home):
    path = home.lease("k")
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert not Leases(home).claim("k")
    os.utime(path, (1, 1))
    assert Leases(home).claim("k")


def test_an_owner_that_slept_too_long_leaves_the_claim_of_another_alone(home):
    sleeper, other = Leases(home), Leases(home)
    assert sleeper.claim("k")
    path = home.lease("k")
    path.write_bytes(msgspec.json.encode(Owner("sleeper", "elsewhere", 1)))
    os.utime(path, (1, 1))
    assert other.claim("k")
    sleeper.release("k")
    assert path.exists()


def test_a_claim_that_was_renewed_meanwhile_is_put_back_also_without_hard_links(home, monkeypatch):
    path = home.lease("k")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"of a dead run")

    def found_dead_too_late(_self: Leases, path: Path, _seen: bytes) -> bool:
        path.write_bytes(b"of a live one")
        return True

    def refuse(*_paths: Path) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(Leases, "_is_dead", found_dead_too_late)
    monkeypatch.setattr(os, "link", refuse)
    Leases(home)._move_aside_if_dead(path)
    assert path.read_bytes() == b"of a live one"

"""The home: where it is, what it must allow, and what dead runs leave in it."""

from __future__ import annotations

import errno
import fcntl
import os
from pathlib import Path

import pytest

from benchbase.errors import UsageError
from benchbase.records.home import Home
from tests.unit.failing import failing


def test_the_home_is_the_environments_or_a_dot_folder(monkeypatch):
    monkeypatch.setenv("BENCHBASE_HOME", "/some/where")
    assert Home.at().path == Path("/some/where")
    monkeypatch.delenv("BENCHBASE_HOME")
    assert Home.at().path == Path(".benchbase")


@pytest.mark.parametrize("way", ["option", "environment"])
def test_a_tilde_is_the_users_own_folder(way, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("BENCHBASE_HOME", "~/x")
    home = Home.at(Path("~/x")) if way == "option" else Home.at()
    assert home.path == tmp_path / "x"


def test_a_home_that_cannot_be_used_is_told_before_anything_is_trained(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", failing(errno.EIO))
    with pytest.raises(UsageError, match=r"cannot be used .*--home"):
        Home(tmp_path).check()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_without_locks_nothing_is_cleared_and_runs_go_on(tmp_path, monkeypatch):
    other = tmp_path / "work" / "999-other"
    other.mkdir(parents=True)
    (other / "lock").write_text("")
    monkeypatch.setattr(fcntl, "flock", failing(errno.ENOLCK))
    with Home(tmp_path).workspace() as own:
        assert own.is_dir()
        assert other.is_dir()


def test_the_workspace_of_a_dead_run_is_cleared_away(tmp_path):
    dead = tmp_path / "work" / "999-dead" / "cell"
    dead.mkdir(parents=True)
    (dead.parent / "lock").write_text("")
    with Home(tmp_path).workspace() as own:
        assert own.is_dir()
        assert not dead.exists()
        with Home(tmp_path).workspace() as other:  # a second run leaves the first alone
            assert own.is_dir()
            assert other != own
    assert not own.exists()


def test_a_home_below_a_file_is_a_usage_error(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="--home"), Home(tmp_path / "file").workspace():
        pass

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from benchbase.boards.order import Order
from benchbase.data import nuclei
from benchbase.errors import UsageError
from benchbase.plugins import Catalogue, Entry, Source
from benchbase.running.executors.inline import InlineExecutor
from benchbase.running.executors.local import LocalExecutor
from benchbase.running.executors.sandbox import Sandbox, Shown, code_of
from benchbase.running.workers import choose_executor

OFF = "bwrap: Creating new namespace failed: Operation not permitted"


def program(folder, monkeypatch, text):
    """Put a program called bwrap in the place of the real one."""
    path = folder / "bwrap"
    path.write_text(f"#!{sys.executable}\n{text}\n")
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    return str(path)


def pairs(command):
    """Give each file or folder that is mounted, and how."""
    return {(how, where) for how, where in pairwise(command)}


def test_where_there_is_no_such_program_the_package_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UsageError, match="apt install bubblewrap"):
        Sandbox.here()


def test_where_namespaces_are_switched_off_the_cure_is_said(tmp_path, monkeypatch):
    program(tmp_path, monkeypatch, f"raise SystemExit({OFF!r})")
    with pytest.raises(UsageError, match=r"not permitted\): namespaces.*max_user_namespaces"):
        Sandbox.here()


def test_a_role_is_shown_its_code_and_its_task_and_no_data(tmp_path, monkeypatch):
    sandbox = Sandbox(program(tmp_path, monkeypatch, ""))
    task, exchange = tmp_path / "task", tmp_path / "exchange"
    secrets = {"LANG": "C", "AWS_SECRET": "x", "BENCHBASE_HOME": "y"}
    command = sandbox.command("module", Shown([task], [exchange]), secrets)
    assert {("--ro-bind", str(task)), ("--bind", str(exchange))} <= pairs(command)
    assert pairs(command) >= {("--remount-ro", "/"), ("--setenv", "LANG"), ("--cap-drop", "ALL")}
    assert "--unshare-all" in command
    data = Path(nuclei.__file__).with_name("nuclei.npz")
    assert ("/dev/null", str(data)) in pairs(command)
    assert not {"AWS_SECRET", "BENCHBASE_HOME"} & {*command}
    assert command[-2:] == ["benchbase.running.executors.role", "module"]


def test_of_a_file_its_helpers_are_shown_and_not_what_lies_beside_it(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("mine.py", "aid.py", "labels.csv"):
        (tmp_path / name).write_text("import aid\n" if name == "mine.py" else "")
    mine, aid = tmp_path / "mine.py", tmp_path / "aid.py"
    assert code_of(Source("file", str(mine))) == [mine, aid]
    assert code_of(Source("module", "mine")) == [mine, aid]
    assert code_of(Source("installed", "anything", "who 1.0")) == []


def test_only_the_processes_of_benchbase_s_own_executor_are_known_to_be_in_it(monkeypatch):
    classes = {one.name: one for one in (LocalExecutor, InlineExecutor)}
    monkeypatch.setattr(Entry, "load", lambda self: classes[self.name])
    source = Source("installed", "anything", "who 1.0")
    catalogue = Catalogue(
        tuple(Entry("executors", name, source, "who", "1.0", (), "", "") for name in classes)
    )
    assert isinstance(choose_executor("local", catalogue, "bwrap"), LocalExecutor)
    with pytest.raises(UsageError, match="expected --executor local, got inline"):
        choose_executor("inline", catalogue, "bwrap")
    with pytest.raises(UsageError, match="on the CPU only"):
        Order(sandbox="bwrap", device="cuda")


def test_the_variables_of_a_shell_stay_outside():
    sandbox = Sandbox("bwrap")
    command = sandbox.command("module", Shown(), os.environ)
    assert "PATH" not in command

"""What runs on others' machines is safe, pinned, and exists here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
each_workflow = pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)


def read(path: Path) -> dict[Any, Any]:
    workflow = yaml.safe_load(path.read_text())
    assert isinstance(workflow, dict)
    workflow["on"] = workflow.pop(True)  # YAML 1.1 reads the key `on` as true
    return workflow


def steps(workflow: dict[Any, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def sessions() -> set[str]:
    """Names of the sessions of noxfile.py, as nox lists them."""
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "--list", "--noxfile", str(ROOT / "noxfile.py")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "NO_COLOR": "1"},
    ).stdout
    return set(re.findall(r"^[*-] (\w+)", listed, re.MULTILINE))


def test_the_workflows_exist() -> None:
    names = ["bench", "leaderboards", "minimums", "pages", "replay", "tests"]
    assert [path.stem for path in WORKFLOWS] == names


def test_only_the_job_that_publishes_may_write_and_it_runs_nobody_s_code() -> None:
    jobs = {
        (path.stem, name): job for path in WORKFLOWS for name, job in read(path)["jobs"].items()
    }
    writers = [place for place, job in jobs.items() if "permissions" in job]
    assert writers == [("pages", "publish")]
    publish = jobs["pages", "publish"]
    assert publish["permissions"] == {"pages": "write", "id-token": "write"}
    assert not any("run" in step for step in publish["steps"])


@each_workflow
def test_no_workflow_gives_a_stranger_s_code_our_rights(path: Path) -> None:
    workflow = read(path)
    assert not {"pull_request_target", "workflow_run"} & set(workflow["on"])
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in path.read_text()
    for step in steps(workflow):
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


@each_workflow
def test_every_action_is_pinned_by_its_commit(path: Path) -> None:
    for step in steps(read(path)):
        if "uses" in step:
            assert re.fullmatch(r"[\w-]+/[\w-]+@[0-9a-f]{40}", step["uses"]), step["uses"]


@each_workflow
def test_no_step_runs_text_that_an_outsider_writes(path: Path) -> None:
    for step in steps(read(path)):
        assert "${{" not in step.get("run", "")


@each_workflow
def test_every_job_ends_in_time(path: Path) -> None:
    for job in read(path)["jobs"].values():
        assert job["timeout-minutes"] <= 60


def test_workflows_and_ci_call_sessions_that_exist() -> None:
    known = sessions()
    called = {
        name
        for path in WORKFLOWS
        for step in steps(read(path))
        for names in re.findall(r"nox -s ([\w ]+)", step.get("run", ""))
        for name in names.split()
    }
    without_a_card = known - {"gpu"}
    assert called == without_a_card, "every session is called by a workflow, and no other is"


def test_ci_calls_the_test_command_of_the_readme() -> None:
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "uv run nox;" in script.read_text()
    assert re.search(r"^uv run nox$", (ROOT / "README.md").read_text(), re.MULTILINE)

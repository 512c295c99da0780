"""What runs on others' machines is safe, pinned, and exists here."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from benchbase.cli import cli
from benchbase.cli.submit import submit

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
    lanes = ["comment", "pages", "submission", "verified"]
    others = ["bench", "leaderboards", "minimums", "rare", "ray", "replay", "tests"]
    assert [path.stem for path in WORKFLOWS] == sorted([*lanes, *others])


WRITERS = {
    ("comment", "comment"): {"pull-requests": "write", "contents": "read", "actions": "read"},
    ("pages", "commit"): {"contents": "write"},
    ("pages", "publish"): {"pages": "write", "id-token": "write"},
}


def test_only_these_jobs_may_write() -> None:
    jobs = {
        (path.stem, name): job for path in WORKFLOWS for name, job in read(path)["jobs"].items()
    }
    rights = {place: job["permissions"] for place, job in jobs.items() if "permissions" in job}
    writers = {place: rights[place] for place in rights if "write" in rights[place].values()}
    assert writers == WRITERS


def test_who_may_write_runs_no_code_of_a_branch_and_pushing_runs_none_at_all() -> None:
    for stem, name in WRITERS:
        for step in read(ROOT / f".github/workflows/{stem}.yml")["jobs"][name]["steps"]:
            if "checkout" in step.get("uses", ""):
                assert step["with"].get("ref", "main") == "main"
            run = step.get("run", "")
            assert "git fetch" not in run
            assert "GH_TOKEN" not in step.get("env", {}) or "uv " not in run
            if stem == "pages":
                assert not re.search(r"\b(uv|python|pip|benchbase submit)\b", run)


def test_one_writer_at_a_time_writes_the_pages() -> None:
    pages = read(ROOT / ".github/workflows/pages.yml")
    assert pages["concurrency"] == {"group": "pages", "cancel-in-progress": False}


def test_a_maintainer_alone_has_cells_of_a_branch_trained_again() -> None:
    verified = read(ROOT / ".github/workflows/verified.yml")
    assert set(verified["on"]) == {"workflow_dispatch"}
    [job] = verified["jobs"].values()
    assert job["environment"] == "verified"
    merging = next(step["run"] for step in job["steps"] if "FETCH_HEAD" in step.get("run", ""))
    assert '= "$COMMIT" ]' in merging, "what was read is what runs"
    assert "git diff --quiet HEAD -- benchbase .github" in merging, "the harness is that of main"


@each_workflow
def test_no_workflow_gives_a_stranger_s_code_our_rights(path: Path) -> None:
    workflow = read(path)
    assert "pull_request_target" not in workflow["on"]
    assert ("workflow_run" in workflow["on"]) == (path.stem == "comment")
    assert workflow["permissions"] == {"contents": "read"}
    assert "secrets." not in path.read_text()
    assert "pull_request" not in workflow["on"] or "GH_TOKEN" not in path.read_text()
    for step in steps(workflow):
        if "checkout" in step.get("uses", ""):
            assert step["with"]["persist-credentials"] is False


def test_every_step_of_a_submission_is_a_lane() -> None:
    called = {
        (path.stem, step)
        for path in WORKFLOWS
        for step in re.findall(r"benchbase submit (\w+)", path.read_text())
    }
    assert called == {
        ("submission", "check"),
        ("comment", "preview"),
        ("verified", "check"),
        ("verified", "verify"),
        ("pages", "publish"),
    }
    assert {step for _, step in called} == {*submit.commands}


@each_workflow
def test_the_commands_of_a_workflow_have_the_options_that_it_gives(path: Path) -> None:
    for step in steps(read(path)):
        for line in step.get("run", "").replace("\\\n", " ").splitlines():
            if "benchbase " in line and "uv run" in line:
                name, *rest = line.partition("benchbase ")[2].split()
                command = cli.get_command(click.Context(cli), name)
                if isinstance(command, click.Group):
                    command = command.commands[rest[0]]
                known = {option for each in command.params for option in each.opts}
                assert {word for word in rest if word.startswith("--")} <= known, line


@pytest.mark.parametrize(("board", "replays"), [("frozen = 'x'\n", False), ("seeds = 1\n", True)])
def test_a_frozen_board_is_not_replayed(board: str, replays: bool, tmp_path: Path) -> None:
    [run] = [
        step["run"]
        for step in steps(read(ROOT / ".github/workflows/replay.yml"))
        if "replay nuclei" in step.get("run", "")
    ]
    (tmp_path / "leaderboards" / "nuclei").mkdir(parents=True)
    (tmp_path / "leaderboards" / "nuclei" / "board.toml").write_text(board)
    script = run.replace("uv run", "echo")
    command = ["bash", "-e", "-c", script]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert bool(ran.stdout) == replays


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

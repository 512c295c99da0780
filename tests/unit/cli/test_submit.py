"""``benchbase submit``: each step on a local repository, and each refusal with its reason."""

from __future__ import annotations

import re
import shutil
import subprocess

import msgspec
import pytest

from benchbase.boards.board import load_board
from benchbase.boards.labels import LabelsHere
from benchbase.cell import content_hash
from benchbase.cli import invoke
from benchbase.cli import submit as command
from benchbase.leaderboard import write_board, write_index
from benchbase.leaderboard.choose import choose
from benchbase.leaderboard.predictions import commit_predictions
from benchbase.leaderboard.verifying import Verifier
from benchbase.plugins import Catalogue
from benchbase.records.committed import Committed
from benchbase.records.home import Home
from benchbase.records.replays import FILE, Replay, read_replays
from tests.unit.jobs import make_job
from tests.unit.judged_records import judged_record
from tests.unit.made_records import make_record

SCENARIOS = "seeds = 3\n[[scenarios]]\nimbalance = [1]\n"
BOARD = 'weighters = ["plain"]\n' + SCENARIOS
BOTH = 'weighters = ["plain", "clever"]\n' + SCENARIOS


def git(*arguments):
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], check=True, capture_output=True)


def commit():
    git("add", "--all")
    git("commit", "--quiet", "--allow-empty", "--message", "a change")


def add(folder, home, *records):
    """Put records, their predictions and the pages beside a board, as a run does."""
    committed = Committed(folder)
    committed.merge(records)
    board = load_board(str(folder))
    commit_predictions(folder, board, choose(board, committed.records()), home)
    write_board(folder, board, committed.records())
    write_index(folder.parent)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A repository with a board of one row on main, a row more on a branch, and a home."""
    place = tmp_path_factory.mktemp("made")
    home, folder = Home(place / "home"), place / "repository" / "leaderboards" / "demo"
    folder.mkdir(parents=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(place / "repository")
        git("init", "--quiet", "--initial-branch=main")
        (folder / "board.toml").write_text(BOARD)
        add(folder, home, *(judged_record(home.path, seed) for seed in range(3)))
        commit()
        git("checkout", "--quiet", "-b", "clever")
        (folder / "board.toml").write_text(BOTH)
        records = [judged_record(home.path, seed, weighter="clever") for seed in range(3)]
        add(folder, home, *records)
        commit()
        git("checkout", "--quiet", "-b", "mine", "main")
    return place


@pytest.fixture
def base(made, tmp_path, monkeypatch):
    """A branch on which nothing was done yet."""
    monkeypatch.setattr(LabelsHere, "of_board", lambda *_, **__: LabelsHere())
    monkeypatch.setattr("benchbase.cli.verify.read_catalogue", lambda *_: Catalogue(()))
    monkeypatch.setattr(Catalogue, "matching", lambda *_: [make_job("clever").weighter])
    monkeypatch.setattr(command, "passes", lambda target: True)
    monkeypatch.setenv("BENCHBASE_HOME", str(tmp_path / "home"))
    shutil.copytree(made, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path / "repository")
    return tmp_path / "repository" / "leaderboards" / "demo"


@pytest.fixture
def home(base, tmp_path):
    return Home(tmp_path / "home")


@pytest.fixture
def clever(base):
    """A branch that adds a method to the board, as it should be."""
    git("checkout", "--quiet", "clever")
    return base


def lines_of(folder, name="clever"):
    [path] = folder.glob(f"results/*/{name}.jsonl")
    return path


def replay_line(record):
    score = record.metrics["tail"]["balanced_accuracy"].value
    line = Replay(
        key=record.key, attempt=record.attempt, outcome="bit for bit", recorded=score,
        replayed=score, tolerance=0.1, differing=[], by="the maintainers", finished=0.0,
    )  # fmt: skip
    return msgspec.json.encode(line) + b"\n"


def refused(capsys, *reasons, code=4):
    assert invoke(["submit", "check"]) == code
    said = capsys.readouterr().err
    for reason in reasons:
        assert reason in said


def test_a_branch_that_adds_a_row_is_all_well(clever, capsys):
    assert invoke(["submit", "check"]) == 0, capsys.readouterr().err
    said = capsys.readouterr().out
    assert "demo: 3 new records\ndemo: 4 of 4 pages follow\n" in said
    assert said.endswith("all well\n")


def test_a_branch_without_records_is_all_well(base, capsys):
    assert invoke(["submit", "check"]) == 0
    assert "no records are added to a board" in capsys.readouterr().out


def test_a_forged_score_is_refused(clever, capsys):
    path = lines_of(clever)
    found = re.compile(r'"mcc":\{"value":0\.\d+')
    path.write_text(found.sub('"mcc":{"value":0.999', path.read_text()))
    refused(capsys, "clever on nuclei none 1:1, seed 0: metrics.", "mcc", "0.999")


def test_a_record_that_is_not_what_its_key_says_is_refused(clever, capsys):
    path = lines_of(clever)
    path.write_text(path.read_text().replace('"seed":0', '"seed":7'))
    refused(capsys, "clever.jsonl, line ", "its key is not the hash")


def test_one_run_that_stands_for_two_seeds_is_refused(base, home, capsys):
    (base / "board.toml").write_text(BOTH)
    records = [judged_record(home.path, seed, weighter="clever") for seed in range(2)]
    data = judged_record(home.path, 2).spec.data
    spec = msgspec.structs.replace(records[0].spec, seed=2, data=data)
    key = content_hash(msgspec.to_builtins(spec))
    copy = msgspec.structs.replace(records[0], spec=spec, key=key)
    kept = home.predictions(copy.key, copy.attempt)
    kept.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(home.predictions(records[0].key, records[0].attempt), kept)
    add(base, home, *records, copy)
    refused(capsys, "its predictions are those of seed", "a seed counts once")


def test_an_attempt_chosen_among_several_is_refused(clever, home, capsys):
    again = msgspec.structs.replace(
        Committed(clever).records()[0], attempt="20250101T000000.000000Z-00000000"
    )
    add(clever, home, again)
    refused(capsys, f"seed {again.spec.seed}: stands there twice: a seed counts once")
    commit()
    git("checkout", "--quiet", "main")
    git("merge", "--quiet", "clever~1")
    git("checkout", "--quiet", "clever")
    refused(capsys, f"seed {again.spec.seed}: the cell is there already: its first attempt counts")


def test_a_hand_edited_and_a_stale_table_are_told_apart(clever, capsys):
    (clever / "README.md").write_text("# We are first")
    git("checkout", "main", "--", "leaderboards/demo/leaderboard.csv", "leaderboards/README.md")
    refused(
        capsys,
        "demo/README.md: differs from its records",
        "demo/leaderboard.csv: is stale: as it was before the new records",
        "leaderboards/README.md: is stale",
    )


@pytest.mark.parametrize("name", ["README.md", "../README.md"])
def test_a_table_edited_without_new_records_is_refused(base, capsys, name):
    (base / name).write_text("# We are first")
    refused(capsys, "README.md: differs from its records")


@pytest.mark.parametrize("text", ["", "{}\n"], ids=["gone", "another"])
def test_an_altered_committed_line_is_refused(clever, capsys, text):
    lines_of(clever, "plain").write_text(text)
    refused(capsys, "results/nuclei/plain.jsonl: what was committed is altered: restore it")


def test_altered_predictions_of_others_are_refused(clever, home, capsys):
    shutil.rmtree(clever / "predictions")
    new = judged_record(home.path, 0)
    home.predictions(new.key, new.attempt).unlink()
    written = load_board(str(clever))
    commit_predictions(clever, written, choose(written, Committed(clever).records()), home)
    refused(capsys, "is not as it was: entries are only added")


def test_files_of_the_harness_and_of_other_boards_are_refused(clever, capsys):
    names = ("benchbase/cell.py", ".github/workflows/tests.yml", "leaderboards/other/x.csv")
    for name in names:
        path = clever.parents[1] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    refused(capsys, *(f"{name}: not part of a submission to 'demo'" for name in names))


def test_two_boards_are_two_branches(clever, capsys):
    path = clever.parent / "other" / "results" / "nuclei" / "x.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("")
    refused(capsys, "records are added to demo and other", code=2)


def test_the_comparison_itself_is_not_changed(clever, capsys):
    (clever / "board.toml").write_text('metric = "accuracy"\nweighters = ["clever"]\n' + SCENARIOS)
    refused(
        capsys,
        "board.toml: metric is another one",
        "board.toml: plain went from weighters",
    )


def test_records_of_no_row_or_no_seed_are_refused(clever, home, capsys):
    add(
        clever,
        home,
        judged_record(home.path, weighter="odd"),
        judged_record(home.path, 7, weighter="clever"),
    )
    other = judged_record(home.path, 1, weighter="clever", torch="2.16")
    add(clever, home, other)
    refused(
        capsys,
        "clever on nuclei none 1:1, seed 1: does not count on the board",
        "odd on nuclei none 1:1, seed 0: no row of the board",
        "clever on nuclei none 1:1, seed 7: the board has no such scenario or seed",
    )


def test_a_method_of_a_file_is_refused(base, home, capsys):
    (base / "board.toml").write_text(BOTH)
    add(base, home, judged_record(home.path, weighter="clever", distribution="file"))
    refused(capsys, "its code is a file: make it a package")


def test_replays_of_one_s_own_are_refused(clever, capsys):
    line = replay_line(Committed(clever).records()[0])
    (clever / "results" / FILE).write_bytes(line)
    refused(capsys, "replays.jsonl: who submits does not replay")


def test_a_plugin_that_fails_its_checks_is_exit_3(clever, monkeypatch, capsys):
    asked: list[str] = []
    monkeypatch.setattr(command, "passes", asked.append)
    assert invoke(["submit", "check"]) == 3
    assert asked == ["clever"]
    (clever / "README.md").write_text("edited")
    assert invoke(["submit", "check"]) == 4
    assert asked == ["clever"], "it is not tried where the records do not follow"


def test_what_is_not_installed_was_not_checked(clever, monkeypatch, capsys):
    monkeypatch.setattr(Catalogue, "matching", lambda *_: [])
    folder = clever.parents[1] / "plugins" / "mine"
    folder.mkdir(parents=True)
    (folder / "pyproject.toml").write_text('[project]\nname = "Mine"\n')
    refused(
        capsys,
        "clever: not installed here",
        "plugins/mine: not installed here: `uv pip install ./plugins/mine`",
        code=3,
    )


def test_a_base_that_git_does_not_know_is_told(clever, capsys):
    assert invoke(["submit", "check", "--base", "nowhere"]) == 2
    assert "left 'nowhere'" in capsys.readouterr().err


def test_the_preview_shows_the_table_as_it_would_be(clever, capsys):
    assert invoke(["submit", "preview"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("**`demo` as it would be**, with 3 new records: `clever` (3)\n")
    assert re.search(r"\| `clever` +\| \d\d\.\d.*\| – ", said)
    assert "`recomputed`" in said


def test_a_folder_from_elsewhere_is_previewed_against_what_is_here(clever, tmp_path, capsys):
    elsewhere = tmp_path / "artifact" / "demo"
    shutil.copytree(clever, elsewhere)
    git("checkout", "--quiet", "main")
    out = tmp_path / "comment.md"
    assert invoke(["submit", "preview", str(elsewhere), "--base=HEAD", f"--out={out}"]) == 0
    assert "3 new records: `clever` (3)" in out.read_text()


def test_a_folder_without_new_records_has_no_preview(base, capsys):
    assert invoke(["submit", "preview", str(base), "--base=HEAD"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "leaderboards/demo: no record is new\n")


def test_publishing_puts_stale_pages_right_and_writes_the_site(clever, tmp_path, monkeypatch):
    for page in ("board_page", "index_page"):
        monkeypatch.setattr(f"benchbase.cli.site.{page}", lambda *_: "a page")
    right = (clever / "README.md").read_text()
    (clever / "README.md").write_text("stale")
    assert invoke(["submit", "publish", "--out", str(tmp_path / "site")]) == 0
    assert (clever / "README.md").read_text() == right
    write = ["submit", "publish", "--out", str(tmp_path / "site"), "--replays"]
    verified = tmp_path / "replays.jsonl"
    verified.write_bytes(replay_line(Committed(clever).records()[0]))
    assert invoke([*write, str(verified)]) == 0
    assert invoke([*write, str(verified)]) == 0
    [replay] = read_replays(clever / "results")
    assert "1 cell replayed by the maintainers" in (clever / "README.md").read_text()
    verified.write_bytes(replay_line(make_record("another")))
    assert invoke([*write, str(verified)]) == 0
    assert read_replays(clever / "results") == [replay]
    assert {path.name for path in (tmp_path / "site").iterdir()} == {"demo.html", "index.html"}


def test_publishing_verifies_each_record_once(clever, tmp_path, monkeypatch):
    verified = []
    monkeypatch.setattr(Verifier, "take", lambda self, record, *_: verified.append(record.key))
    assert invoke(["submit", "publish", "--out", str(tmp_path / "site")]) == 0
    assert sorted(verified) == sorted(record.key for record in Committed(clever).records())


@pytest.fixture
def replays(monkeypatch):
    """Bear every cell out without training it, but for those in ``refuted``."""
    asked = []

    def answer(wanted, store, _how):
        asked.extend(wanted.records)
        return [one for one in map(Held, wanted.records) if one.holds is not None]

    class Held:
        refuted = False

        def __init__(self, record):
            self.key, self.outcome = record.key, "other bits"
            self.holds = not Held.refuted

    monkeypatch.setattr(command, "replay_all", answer)
    return asked, Held


def test_new_cells_and_one_of_the_reference_are_trained_again(clever, replays, tmp_path, capsys):
    report = tmp_path / "report.md"
    assert invoke(["submit", "verify", "--sample", "2", "--report", str(report)]) == 0
    asked, _ = replays
    assert [record.spec.weighter.name for record in asked] == ["clever", "clever", "plain"]
    assert asked[2].spec.seed in {record.spec.seed for record in asked[:2]}
    assert report.read_text() == "- 3 of 3 cells are borne out\n"


def test_cells_that_are_not_borne_out_are_exit_5(clever, replays, capsys):
    replays[1].refuted = True
    assert invoke(["submit", "verify", "--sample", "1"]) == 5
    assert "0 of 2 cells are borne out" in capsys.readouterr().out


@pytest.mark.usefixtures("clever", "replays")
@pytest.mark.parametrize("lost", [0.0, 0.5])
def test_a_lead_that_is_lost_under_fresh_noise_is_exit_5(monkeypatch, tmp_path, capsys, lost):
    def anew(leads, board, folder, store, how):
        assert board.name == folder.name == "demo"
        return [[0.5 + lead.reported - lost, 0.5] for lead in leads]

    monkeypatch.setattr(command, "train_anew", anew)
    report = tmp_path / "report.md"
    assert invoke(["submit", "verify", "--sample=1", "--fresh", f"--report={report}"]) == (
        5 if lost else 0
    )
    last = report.read_text().splitlines()[-1]
    assert re.match(r"- clever on .*, seed \d: \S+ points over plain reported, \S+ where all", last)
    assert last.endswith(": holds") == (lost == 0)
    assert last[2:] in capsys.readouterr().out


def test_a_row_that_becomes_worse_is_exit_5(base, home, replays, capsys):
    later = "20270101T000000.000000Z-00000000"
    fields = {"source": "s2", "attempt": later, "sure": -0.3}
    add(base, home, *(judged_record(home.path, seed, **fields) for seed in range(3)))
    assert invoke(["submit", "verify"]) == 5
    assert re.search(r"plain: worse than its row was, by \d+\.\d points", capsys.readouterr().err)


def test_without_new_records_there_is_nothing_to_replay(base, capsys):
    assert invoke(["submit", "verify"]) == 2
    assert read_replays(base / "results") == []

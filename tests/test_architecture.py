"""The shape of the code: who imports whom, what stays light, what the core may not know."""

from __future__ import annotations

import ast
import functools
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

from benchbase.plugins.catalogue import describe_all

ROOT = Path(__file__).parent.parent
CORE = sorted(ROOT.glob("benchbase/**/*.py"))
PLUGINS = sorted(
    path for path in ROOT.glob("plugins/*/**/*.py") if not {"tests", "build"} & set(path.parts)
)

each_file = pytest.mark.parametrize(
    "path", CORE + PLUGINS, ids=lambda path: str(path.relative_to(ROOT))
)

LAYERS = [
    {"errors"},
    {"files", "sources"},
    {"options", "seeding", "cell", "hookspecs"},
    {"backbones.contract"},
    {"task"},
    {"api"},
    {"kit", "data", "backbones"},
    {"judging"},
    {"boards.toml_file", "boards.selectors", "boards.conditions", "boards.places", "boards.shape"},
    {"boards.own_data"},
    {"boards.scenarios"},
    {"boards.board"},
    {"records"},
    {"plugins"},
    {"running", "leaderboard", "boards", "plugins.own"},
    {"testing", "pipeline", "suspects"},
    {"advising"},
    {"cli"},
]
"""Lowest first: a module imports from its own layer and from those before it."""

UPWARD = {
    ("benchbase.api", "benchbase.kit.loops"): (
        "LossWeighter.fit is eight lines over the kit's loop; imported when it runs"
    ),
}
"""The imports that point upward, each with its reason."""

TORCH_FREE = [
    "benchbase",
    "benchbase.cell",
    "benchbase.cli",
    "benchbase.errors",
    "benchbase.hookspecs",
    "benchbase.leaderboard",
    "benchbase.options",
    "benchbase.plugins",
    "benchbase.boards.board",
    "benchbase.seeding",
    "benchbase.judging.statistics",
    "benchbase.records.store",
]

TESTED_THROUGH = {
    "backbones.contract": "unit/backbones/test_backbones.py",
    "boards.scenarios": "unit/boards/test_board.py",
    "boards.toml_file": "unit/boards/test_board.py",
    "cli.plot": "unit/cli/test_site.py",
    "cli.predictions": "unit/cli/test_show.py",
    "data.own": "unit/data/own",
    "kit.lookahead": "unit/kit/test_bilevel.py",
    "leaderboard.pages.csv": "unit/leaderboard/pages/test_files.py",
    "leaderboard.pages.drawing": "unit/leaderboard/pages/test_forest_chart.py",
    "leaderboard.results": "end_to_end/test_python.py",
    "leaderboard.site.insights": "unit/leaderboard/site/test_figures.py",
    "leaderboard.site.scores": "unit/leaderboard/site/test_figures.py",
    "leaderboard.submission": "unit/cli/test_submit.py",
    "leaderboard.table": "unit/leaderboard/test_rows.py",
    "plugins.kinds": "unit/plugins/test_loading.py",
    "records.decoding": "unit/records/test_record.py",
    "records.last": "unit/cli/test_show.py",
    "records.predictions": "unit/records/test_rescoring.py",
    "records.provenance": "end_to_end/test_one_cell.py",
    "running.executors.inline": "end_to_end/test_run.py",
    "running.scout": "unit/cli/test_list.py",
    "running.tally": "unit/running/test_counting.py",
    "running.typechecking": "conftest.py",
    "running.workers": "end_to_end/test_run.py",
    "suspects.folds": "unit/suspects/test_searching.py",
    "suspects.room": "end_to_end/test_suspects.py",
    "task": "unit/testing/test_toy.py",
    "testing": "conformance",
    "testing.accelerator": "conformance/test_accelerator.py",
    "testing.pretend": "conformance/test_accelerator.py",
}
"""Modules and rooms that no test beside them names, and the test of whatever uses them."""

VAGUE = {"utils", "util", "misc", "common", "helpers", "helper", "manager", "tools", "stuff"}

SEEDING = {
    "manual_seed", "manual_seed_all", "seed", "default_rng",
    "RandomState", "SeedSequence", "PCG64", "MT19937", "Philox", "SFC64",
}  # fmt: skip
"""Functions and classes that start a random stream; putting back a state is no new stream."""


class Import(NamedTuple):
    """One import that runs: not one that only type checkers see."""

    importer: str
    imported: str
    at_top: bool


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(path): path for path in CORE}


UNIT_TESTS = [path.read_text() for path in ROOT.glob("tests/unit/**/*.py")]


def is_package(module: str) -> bool:
    return MODULES[module].stem in {"__init__", "__main__"}


def is_type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def walk_running(node: ast.AST, at_top: bool = True) -> Iterator[tuple[ast.AST, bool]]:
    """Walk the code that runs, telling what runs at import."""
    for child in ast.iter_child_nodes(node):
        if is_type_checking(child):
            continue
        yield child, at_top
        inside = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        yield from walk_running(child, at_top and not inside)


def imports_of(name: str) -> Iterator[Import]:
    for node, at_top in walk_running(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(name, alias.name, at_top)
        elif isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield Import(name, whole if whole in MODULES else node.module, at_top)


def part(module: str) -> str:
    """Give the part of benchbase that a module belongs to, the unit of the layers."""
    inside = ".".join(module.split(".")[1:])
    known = set().union(*LAYERS)
    return inside if inside in known else [*module.split("."), "__init__"][1]


def layer(module: str) -> int:
    return next(level for level, parts in enumerate(LAYERS) if part(module) in parts)


@functools.cache
def imports() -> list[Import]:
    """Read who imports whom within benchbase; once, and not while tests are collected."""
    return [
        each
        for name in MODULES
        for each in imports_of(name)
        if each.imported.split(".")[0] == "benchbase"
    ]


def test_every_module_has_a_layer() -> None:
    known = set().union(*LAYERS) | {"__init__", "__main__"}
    assert sorted({part(name) for name in MODULES} - known) == []


def test_no_module_imports_from_a_higher_layer() -> None:
    upward = {
        (each.importer, each.imported)
        for each in imports()
        if part(each.importer) not in {"__init__", "__main__"}
        and part(each.imported) != "__init__"
        and layer(each.imported) > layer(each.importer)
    }
    assert sorted(upward - UPWARD.keys()) == []


def test_every_exception_to_the_layers_is_still_needed() -> None:
    assert {(each.importer, each.imported) for each in imports()} >= UPWARD.keys()


def test_no_modules_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {name: set() for name in MODULES}
    for each in imports():
        if each.at_top and each.importer != each.imported:
            graph[each.importer].add(each.imported)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a circle: {' -> '.join(error.args[1])}")


ROOMS = {path.parent.name for path in ROOT.glob("benchbase/*/__init__.py")}
"""The packages below benchbase."""


def rooms_imported_by(room: str) -> set[str]:
    inside = f"benchbase.{room}."
    found = {each.imported for each in imports() if f"{each.importer}.".startswith(inside)}
    return {part(name).split(".")[0] for name in found} & ROOMS - {room}


@pytest.mark.parametrize(
    "room",
    [path for path in CORE if path.name == "__init__.py" and path.parent.name != "benchbase"],
)
def test_a_room_says_what_it_is_for_and_what_it_imports(room: Path) -> None:
    told = re.search("[Ii]mports? .*", ast.get_docstring(ast.parse(room.read_text())) or "")
    assert told is not None
    if not re.search("below|every|all rooms|what", told[0]):  # of those the layers say the rest
        assert rooms_imported_by(room.parent.name) <= {*re.findall("`([a-z]+)`", told[0])}


def test_only_the_home_names_what_lies_below_it() -> None:
    below = re.compile(r"(home\.path|Home\.at\([^)]*\)\.path) /")
    guilty = [path for path in CORE if below.search(path.read_text()) and path.name != "home.py"]
    assert guilty == []


def test_the_root_holds_at_most_ten_modules() -> None:
    root = {path.name for path in CORE if path.parent.name == "benchbase"}
    assert len(root - {"__init__.py", "__main__.py"}) <= 10


def run_python(program: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", program]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_planning_storing_and_tabulating_never_import_torch() -> None:
    program = (
        "import importlib, json, sys\n"
        "guilty = []\n"
        f"for name in {TORCH_FREE}:\n"
        "    importlib.import_module(name)\n"
        "    if 'torch' in sys.modules:\n"
        "        guilty.append(name)\n"
        "        break\n"
        "print(json.dumps(guilty))"
    )
    ran = run_python(program)
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout) == []


@each_file
def test_a_module_is_short_and_named_for_what_it_holds(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300
    assert path.stem not in VAGUE


def unit_tests_name(module: str) -> bool:
    """Tell whether a module has a mirror among the unit tests, or one of them imports it."""
    above, _, name = module.rpartition(".")
    mirror = ROOT / "tests" / "unit" / "/".join(above.split(".")[1:]) / f"test_{name}.py"
    named = re.compile(rf"{re.escape(module)}\b|from {re.escape(above)} import [^\n]*\b{name}\b")
    return mirror.exists() or any(named.search(text) for text in UNIT_TESTS)


def test_every_module_is_tested_beside_others_of_its_room() -> None:
    alone = {name.partition(".")[2] for name in MODULES if not unit_tests_name(name)}
    packages = {name.partition(".")[2] for name in MODULES if is_package(name)}
    known = {name for name in alone for one in TESTED_THROUGH if f"{name}.".startswith(f"{one}.")}
    assert sorted(alone - packages - known) == [], "write tests/unit/ROOM/test_MODULE.py"


def test_every_exception_to_the_mirrors_has_its_test() -> None:
    tests = {ROOT / "tests" / where for where in TESTED_THROUGH.values()}
    assert [path for path in tests if not path.exists()] == []


def weighter_names() -> set[str]:
    return {entry.name for entry in describe_all().of("weighters")}


def test_the_leaderboard_reads_no_text_that_somebody_typed() -> None:
    for path in ROOT.glob("benchbase/leaderboard/**/*.py"):
        assert not re.search(r"\bparse_(selector|noise|imbalance)", path.read_text()), path


def test_the_core_never_mentions_a_weighter_by_name() -> None:
    names = weighter_names()
    assert names
    one_of_them = re.compile(
        rf"(?<![\w-])(?:{'|'.join(map(re.escape, sorted(names)))})(?![\w-])", re.IGNORECASE
    )
    mentions = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in CORE
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if one_of_them.search(line)
    ]
    assert mentions == []


@each_file
def test_only_one_module_asks_torch_for_a_gpu(path: Path) -> None:
    # The other one copies in a stream of its own, while the device computes.
    if path not in {MODULES["benchbase.kit.devices"], MODULES["benchbase.kit.feed"]}:
        assert not re.search(r"torch\.(backends\.)?(cuda|cudnn)", path.read_text())


@each_file
def test_only_the_streams_of_seeding_draw_random_numbers(path: Path) -> None:
    if path == MODULES["benchbase.seeding"]:
        return
    tree = ast.parse(path.read_text())
    found = {
        node.attr if isinstance(node, ast.Attribute) else node.id
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        for node in [call.func]
        if isinstance(node, ast.Attribute | ast.Name)
    }
    assert sorted(found & SEEDING) == []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            assert "random" not in {alias.name for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.module not in {"random", "numpy.random", "torch.random"}
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute):
            # numpy's global generator; the classes of its annotations are none
            legacy = ast.unparse(node.value) in {"np.random", "numpy.random"}
            assert not legacy or node.attr == "Generator", ast.unparse(node)

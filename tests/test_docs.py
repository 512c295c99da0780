"""The documentation is true: its commands, hooks, settings, snippets and links exist."""

from __future__ import annotations

import ast
import importlib
import inspect
import itertools
import json
import re
import shlex
import sys
import textwrap
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from benchbase import cli, hookspecs
from benchbase.kit.meta import MetaWeighter
from benchbase.options import options_of
from tests import help_texts
from tests.help_texts import DOCUMENTS

ROOT = Path(__file__).parent.parent
BLOCK = re.compile(r"^ *```(\w+)?([^\n]*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")


each_document = pytest.mark.parametrize(
    "path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT))
)


class Block(NamedTuple):
    """A fenced block: its language, what else its first line says, its text and its place."""

    language: str
    note: str
    text: str
    place: str


def blocks() -> Iterator[Block]:
    for path in DOCUMENTS:
        text = path.read_text()
        for found in BLOCK.finditer(text):
            line = text.count("\n", 0, found.start()) + 1
            place = f"{path.relative_to(ROOT)}:{line}"
            yield Block(
                found[1] or "", found[2].strip(), textwrap.dedent(found[3]).strip("\n"), place
            )


def blocks_in(*languages: str) -> pytest.MarkDecorator:
    chosen = [block for block in blocks() if block.language in languages]
    return pytest.mark.parametrize("block", chosen, ids=lambda block: block.place)


def command_lines() -> Iterator[tuple[str, list[str]]]:
    """Give every ``benchbase ...`` of a shell block or of a span of code, cut into words."""
    texts = [
        (block.place, block.text.replace("\\\n", " "))
        for block in blocks()
        if block.language in {"sh", "bash", "shell", "console"}
    ]
    for path in DOCUMENTS:
        prose = BLOCK.sub("", path.read_text())
        texts += [(path.name, span) for span in re.findall(r"`(benchbase [^`\n]+)`", prose)]
    for place, text in texts:
        for line in text.splitlines():
            for command in re.split(r"&&|\|\|?|;|>", line):
                started = re.match(r"\s*\$?\s*(?:uv run )?benchbase( .*)?$", command)
                if started:
                    yield place, shlex.split(started[1] or "", comments=True)


@each_document
def test_the_help_texts_in_it_are_those_of_the_command_line(path: Path) -> None:
    assert path.read_text() == help_texts.renewed(path.read_text())


def test_the_documentation_shows_commands() -> None:
    assert len(list(command_lines())) >= 5


@pytest.mark.parametrize(
    ("place", "words"),
    list(command_lines()),
    ids=lambda value: value if isinstance(value, str) else " ".join(value)[:60],
)
def test_a_command_in_the_documentation_exists_with_its_options(
    place: str, words: list[str]
) -> None:
    command = words[0] if words and re.fullmatch(r"[a-z][a-z-]*", words[0]) else ""
    text = help_texts.help_of(command)
    options = [word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    unknown = [option for option in options if not re.search(rf"(?<!\S){option}(?![\w-])", text)]
    assert unknown == [], place


HOOKS = {
    name: hook
    for name, hook in vars(hookspecs).items()
    if inspect.isfunction(hook) and hasattr(hook, "benchbase_spec")
}


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_with_its_arguments(name: str) -> None:
    arguments = ", ".join(inspect.signature(HOOKS[name]).parameters)
    assert f"{name}({arguments})" in (ROOT / "plugins" / "README.md").read_text()


def test_the_documentation_names_no_hook_that_does_not_exist() -> None:
    text = "\n".join(path.read_text() for path in DOCUMENTS)
    assert set(re.findall(r"(?<![.\w])(register_\w+|cell_\w+)\(", text)) <= set(HOOKS)


def source_trees() -> Iterator[ast.Module]:
    for path in ROOT.glob("benchbase/**/*.py"):
        yield ast.parse(path.read_text())


def environment_variables() -> set[str]:
    """Give the variables of ours that the code names in a string."""
    texts = {
        node.value
        for tree in source_trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    named = {text for text in texts if re.fullmatch(r"BENCHBASE_[A-Z_]+", text)}
    return named - {"BENCHBASE_API"}  # what a plugin's module says, not the environment


def exit_codes() -> set[int]:
    """Give the codes that the command line's docstring lists, and those that its code ends with."""
    codes = {int(code) for code in re.findall(r"(\d+)\s[a-z]", cli.__doc__ or "")}
    shared = {name: ast.Constant(value) for name, value in vars(cli).items() if name.isupper()}
    for tree in source_trees():
        constants = shared | {
            ast.unparse(node.targets[0]): node.value
            for node in tree.body
            if isinstance(node, ast.Assign)
        }
        for node in ast.walk(tree):
            if not (isinstance(node, ast.Call) and node.args):
                continue
            if re.search(r"(^|\.)(exit|SystemExit|Exit)$", ast.unparse(node.func)):
                value = constants.get(ast.unparse(node.args[0]), node.args[0])
                if isinstance(value, ast.Constant) and isinstance(value.value, int):
                    codes.add(value.value)
    return codes


@pytest.mark.parametrize("name", sorted(environment_variables()))
def test_every_environment_variable_is_documented(name: str) -> None:
    assert any(re.search(rf"\b{name}\b", path.read_text()) for path in DOCUMENTS)


def test_every_exit_code_is_documented() -> None:
    text = "\n".join(path.read_text() for path in DOCUMENTS)
    section = re.search(r"^#+ Exit codes\n(.*?)(?=^#|\Z)", text, re.DOTALL | re.MULTILINE)
    assert section, "a section `Exit codes` lists them"
    documented = {int(code) for code in re.findall(r"^\W*(\d+)\b", section[1], re.MULTILINE)}
    assert documented == exit_codes()


@blocks_in("python")
def test_a_python_snippet_runs(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    code = compile(block.text, block.place, "exec")
    if block.note == "fragment":  # part of a larger whole: it must only parse
        return
    module = types.ModuleType("snippet")
    monkeypatch.setitem(sys.modules, "snippet", module)  # dataclasses look themselves up there
    exec(code, vars(module))  # noqa: S102 - our own documentation


@blocks_in("toml", "json")
def test_a_data_snippet_parses(block: Block) -> None:
    if block.language == "toml":
        tomllib.loads(block.text)
    else:
        json.loads(block.text)


def anchors(path: Path) -> set[str]:
    """Give the anchors that a Markdown viewer makes of a document's headings."""
    prose = BLOCK.sub("", path.read_text())
    headings = re.findall(r"^#+ +(.+?) *$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@each_document
def test_every_link_leads_somewhere(path: Path) -> None:
    for target in LINK.findall(BLOCK.sub("", path.read_text())):
        if re.match(r"[a-z]+:", target):
            continue  # an address on the web
        name, _, anchor = target.partition("#")
        linked = (path.parent / name).resolve() if name else path
        assert linked.exists(), target
        assert linked.is_relative_to(ROOT), target
        if anchor:
            assert anchor in anchors(linked), target


@pytest.mark.parametrize(
    "plugin", sorted((ROOT / "plugins").glob("benchbase-*")), ids=lambda path: path.name
)
def test_each_option_of_a_plugin_is_named_in_its_readme(plugin):
    """Those of the kit's weighting networks stand in one place, with the baselines."""
    text = (plugin / "README.md").read_text()
    of_the_kit = (ROOT / "plugins" / "benchbase-baselines" / "README.md").read_text()
    project = tomllib.loads((plugin / "pyproject.toml").read_text())["project"]
    if plugin.name == "benchbase-ray":
        pytest.importorskip("benchbase_ray", reason="is in no default group")
    module = importlib.import_module(project["entry-points"]["benchbase"][plugin.name])
    hooks = (getattr(module, name, list) for name in ("register_weighters", "register_backbones"))
    for cls in itertools.chain.from_iterable(hook() for hook in hooks):
        kit = (
            {option.name for option in options_of(MetaWeighter)}
            if issubclass(cls, MetaWeighter)
            else set()
        )
        for option in options_of(cls):
            where = of_the_kit if option.name in kit else text
            assert f"`{option.name}`" in where, f"{cls.__name__}: {option.name}"


def test_the_map_of_the_code_names_every_folder() -> None:
    text = (ROOT / "README.md").read_text().partition("## Map of the code")[2]
    folders = {
        path.parent.relative_to(ROOT)
        for path in (ROOT / "benchbase").rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }
    for folder in folders - {Path("benchbase")}:
        # A folder within a room is named in the room's own line.
        line = next(line for line in text.splitlines() if f"`benchbase/{folder.parts[1]}/`" in line)
        assert folder.name in line, folder


def test_what_the_readme_says_of_a_board_stands_on_its_page() -> None:
    text = (ROOT / "README.md").read_text()
    said = re.search(r"(?ms)^On the board \[\w+\]\((.*?)\).*?\n\n((?:^>[^\n]*\n)+)", text)
    assert said is not None
    page = (ROOT / said[1]).read_text()
    sentences = re.split(r"(?:^| )- ", " ".join(said[2].replace(">", "").split()))[1:]
    assert sentences
    for sentence in sentences:
        assert f"- {sentence}\n" in page

"""Weighters from installed names, files and modules."""

from __future__ import annotations

import pickle
import sys
from pathlib import Path
from typing import Any

import pytest

from benchbase.backbones import small_cnn
from benchbase.errors import PluginError, UsageError
from benchbase.plugins.catalogue import describe_given, describe_installed
from benchbase.plugins.code import code_hash
from benchbase.plugins.installed import Installed, module_files_hash, module_source_hash
from benchbase.plugins.source import Source, given_source
from benchbase.testing.site import PluginSite

METHOD = '''\
from dataclasses import dataclass

from benchbase import LossWeighter, Need, option


@dataclass(frozen=True)
class SmallLoss(LossWeighter):
    """Drop the images with the largest losses.

    More is said here.
    """

    name = "small-loss"
    needs = frozenset({Need.TRUSTED, Need.NOISE_RATE})
    keep: float = option(0.8, "Share of the batch to keep.", min=0, max=1)

    def prepare(self, task):
        return lambda step: (step.losses <= step.losses.detach().quantile(self.keep)).float()
'''
HOOKS = """
from benchbase import hookimpl

BENCHBASE_API = 2


@hookimpl
def register_weighters():
    return [SmallLoss]
"""


@pytest.fixture
def write(tmp_path: Path):
    def write(source: str, name: str = "my_method.py") -> Source | None:
        path = tmp_path / name
        path.write_text(source)
        return given_source(str(path))

    return write


def load_weighters(source: Source) -> list[type[Any]]:
    return [entry.load() for entry in describe_given(source)]


def reason(source: Source) -> str:
    with pytest.raises(PluginError) as caught:
        load_weighters(source)
    return str(caught.value)


def test_a_file_needs_only_a_weighter_with_a_name(write) -> None:
    [cls] = load_weighters(write(METHOD))
    assert cls.name == "small-loss"
    method: Any = cls
    pickled = pickle.dumps(method(keep=0.5))
    assert pickle.loads(pickled) == method(keep=0.5)  # noqa: S301 - it was made a line above


def test_all_weighters_of_a_file_are_taken_and_imported_ones_are_not(write) -> None:
    source = METHOD + (
        "\nfrom benchbase_baselines import Focal\n"
        "class _Base(SmallLoss):\n    pass\n"
        "class Other(_Base):\n    name = 'other'\n"
    )
    assert [cls.name for cls in load_weighters(write(source))] == ["small-loss", "other"]


def test_a_file_leaves_no_bytecode_behind_and_is_read_anew(write, tmp_path: Path) -> None:
    load_weighters(write(METHOD))
    [cls] = load_weighters(write(METHOD.replace("small-loss", "tiny-loss")))
    assert cls.name == "tiny-loss"
    assert [path.name for path in tmp_path.iterdir()] == ["my_method.py"]


def test_a_file_that_does_not_import_is_told_with_line_and_exception(write) -> None:
    message = reason(write("import json\n\njson.loads('{')\n"))
    assert "my_method.py: its import raised JSONDecodeError: Expecting property name" in message
    assert message.endswith("my_method.py, line 3)")
    assert "benchbase_plugin_file" not in sys.modules


def test_a_file_with_a_syntax_error_is_told_with_its_line(write) -> None:
    message = reason(write("x = 1\ndef broken(:\n"))
    assert "SyntaxError: invalid syntax" in message
    assert message.endswith("my_method.py, line 2)")


def test_a_file_that_exits_is_told(write) -> None:
    assert "SystemExit: 1" in reason(write("raise SystemExit(1)"))


def test_a_file_without_a_weighter_is_told(write) -> None:
    assert "it holds no weighter" in reason(write("x = 1\n"))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "@dataclass(frozen=True)\n",
            "",
            "has the options keep and is not a frozen dataclass: add",
        ),
        ("(frozen=True)", "", "is a dataclass that can change: write @dataclass(frozen=True)"),
        ('name = "', 'label = "', "SmallLoss has no name"),
        ('"small-loss"', '"Small Loss"', "'Small Loss': expected lower-case letters"),
        ('name = "', 'name: str = "', "SmallLoss.name is annotated, which makes it an option"),
        ("def prepare", "def prepair", "SmallLoss is abstract: it lacks prepare"),
        ("frozenset({", "list({", "expected a frozenset of Need"),
        ("Need.TRUSTED, Need.NOISE_RATE", "'trusted'", "expected a frozenset of Need"),
        ("keep: float", "keep: list", "SmallLoss.keep: an option is int, float, bool or str"),
        ("option(0.8", "option(8", "its default does not fit"),
        ('name = "small', 'honesty = "good"\n    name = "small', "honesty is 'good': expected one"),
        ('name = "small', 'paper = 2019\n    name = "small', "paper is 2019: expected a text"),
    ],
)
def test_a_class_that_breaks_the_contract_is_told(write, old: str, new: str, expected: str) -> None:
    assert old in METHOD
    assert expected in reason(write(METHOD.replace(old, new, 1)))


def test_a_class_without_options_needs_no_dataclass(write) -> None:
    plain = (
        "from benchbase import LossWeighter\n"
        "class Plain(LossWeighter):\n"
        "    name: str = 'plain'\n"
        "    def prepare(self, task):\n"
        "        return lambda step: step.losses.detach() * 0 + 1\n"
    )
    [cls] = load_weighters(write(plain))
    assert cls() is not None


def test_an_init_instead_of_options_is_told(write) -> None:
    plain = (
        "from benchbase import LossWeighter\n"
        "class Plain(LossWeighter):\n"
        "    name = 'plain'\n"
        "    def __init__(self, keep=1): ...\n"
        "    def prepare(self, task): ...\n"
    )
    assert "Plain has an __init__ of its own: options are the fields" in reason(write(plain))


def test_two_weighters_of_one_name_are_told(write) -> None:
    twice = METHOD + "\nclass Again(SmallLoss):\n    name = 'small-loss'\n"
    assert "two weighters are called 'small-loss'" in reason(write(twice))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("nothing.py", "no such file"),
        ("my_metod.py", "no such file; did you mean my_method.py"),
        ("folder.py", "expected a .py file, this is a directory"),
        ("folder.py/", "expected a .py file, this is a directory"),
        ("notes.txt", "expected a .py file"),
    ],
)
def test_a_path_that_is_no_file_is_a_usage_error(tmp_path: Path, name: str, expected: str) -> None:
    (tmp_path / "my_method.py").write_text(METHOD)
    (tmp_path / "notes.txt").write_text(METHOD)
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(UsageError) as caught:
        given_source(f"{tmp_path}/{name}")
    assert expected in str(caught.value)


def test_a_path_is_kept_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "my_method.py").write_text(METHOD)
    monkeypatch.chdir(tmp_path)
    assert given_source("my_method.py") == given_source("./my_method.py")
    assert given_source("my_method.py").target == str(tmp_path / "my_method.py")


def test_a_module_is_resolved_without_importing_it_or_its_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "my_package"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError")
    (package / "method.py").write_text(METHOD)
    monkeypatch.syspath_prepend(str(tmp_path))
    assert given_source("my_package.method") == Source("module", "my_package.method")
    assert given_source("my_package.metod") is None
    with pytest.raises(PluginError, match="no source file"):
        module_source_hash("my_package.metod")
    assert "AssertionError" in reason(Source("module", "my_package.method"))


def test_a_methods_code_is_its_file_or_its_whole_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "lone_method.py").write_text(METHOD)
    assert module_source_hash("lone_method") == code_hash(METHOD.encode())
    package = tmp_path / "family"
    package.mkdir()
    for name in ("__init__", "losses", "method"):
        (package / f"{name}.py").write_text(f"x = {name!r}")
    code, files = module_source_hash("family.method"), module_files_hash("family.method")
    assert module_source_hash("family") == code
    (package / "losses.py").write_text("x = 'losses'  # a remark")
    assert module_source_hash("family.method") == code
    assert module_files_hash("family.method") != files
    (package / "losses.py").write_text("x = 'other'")
    assert module_source_hash("family.method") != code
    (package / "__init__.py").unlink()  # a package all the same
    code = module_source_hash("family.method")
    (package / "losses.py").write_text("x = 'third'")
    assert module_source_hash("family.method") != code
    own = module_source_hash("benchbase.backbones.small_cnn")
    assert own == code_hash(Path(small_cnn.__file__).read_bytes())


@pytest.mark.parametrize("kind", ["installed", "file", "module"])
def test_an_entry_holds_what_the_parent_needs(
    kind: str, plugin_site: PluginSite, tmp_path: Path
) -> None:
    text = METHOD + HOOKS
    plugin_site.add("tiny-losses", "tiny_losses", version="2.1", tiny_losses=text)
    (tmp_path / "mine.py").write_text(text)
    if kind == "installed":
        installed = Installed("tiny-losses", "2.1", "tiny_losses")
        [weighter] = describe_installed(installed).entries
    else:
        name = {"file": f"{tmp_path}/mine.py", "module": "tiny_losses"}[kind]
        [weighter] = describe_given(given_source(name))
    assert weighter.source.kind == kind
    assert weighter.name == "small-loss"
    assert weighter.needs == ("noise rate", "trusted")
    assert weighter.summary == "Drop the images with the largest losses."
    assert weighter.honesty == "defined here"
    assert [(one.name, one.default, one.max) for one in weighter.options] == [("keep", 0.8, 1)]
    assert weighter.source_hash == code_hash(text.encode())
    owner = {"installed": ("tiny-losses", "2.1"), "file": ("file", ""), "module": ("module", "")}
    assert (weighter.distribution, weighter.distribution_version) == owner[kind]


def test_a_class_without_a_docstring_has_no_summary(write) -> None:
    [entry] = describe_given(write(METHOD.replace('"""Drop', '_ = """Drop')))
    assert entry.summary == ""


@pytest.mark.parametrize("kind", ["installed", "file"])
def test_a_stated_version_stands_for_the_code_of_what_is_installed(
    kind: str, plugin_site: PluginSite, tmp_path: Path
) -> None:
    stated = METHOD.replace("    name = ", '    version = "3"\n    name = ', 1)
    heir = "\n\nclass Heir(SmallLoss):\n    name = 'heir'\n"
    hooks = HOOKS.replace("[SmallLoss]", "[SmallLoss, Heir]")
    plugin_site.add("tiny-losses", "tiny_losses", tiny_losses=stated + heir + hooks)
    (tmp_path / "mine.py").write_text(stated + heir)
    if kind == "installed":
        entries = describe_installed(Installed("tiny-losses", "2.1", "tiny_losses")).entries
    else:
        entries = describe_given(given_source(f"{tmp_path}/mine.py"))
    found = {entry.name: entry for entry in entries}
    small, heir_of_it = found["small-loss"], found["heir"]
    assert (small.version, heir_of_it.version) == ("3" if kind == "installed" else "", "")
    expected = "version 3" if kind == "installed" else small.source_hash
    assert small.identity == expected
    assert heir_of_it.identity == heir_of_it.source_hash


def test_a_version_is_a_text(write) -> None:
    stated = METHOD.replace("    name = ", "    version = 3\n    name = ", 1)
    assert 'version is 3: expected a text, such as "1"' in reason(write(stated))

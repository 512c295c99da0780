"""``benchbase new``: a start that works, as a file or as a distribution."""

from __future__ import annotations

import importlib.util
import keyword
from importlib import resources
from pathlib import Path
from string import Template

import click

import benchbase
from benchbase.errors import UsageError
from benchbase.hookspecs import API_VERSION
from benchbase.plugins.catalogue import describe_all
from benchbase.plugins.kinds import KINDS, NAME

EPILOG = """\b
Examples:
  benchbase new weighter my-method              writes my_method.py
  benchbase new weighter my-method --package    writes benchbase-my-method/
  benchbase new dataset my-images               writes benchbase-my-images/
"""


@click.command(epilog=EPILOG)
@click.argument("kind", type=click.Choice([plural.removesuffix("s") for plural in KINDS]))
@click.argument("name")
@click.option("--package", is_flag=True, help="Write a weighter, too, as a distribution.")
def new(kind: str, name: str, package: bool) -> None:
    """Write a working start for a plugin of yours, into the folder that you are in.

    A weighter is one file. What is of another kind has to be installed, so it is a distribution
    with its test. All of them pass the checks.
    """
    words = _words(kind, name)
    if kind == "weighter" and not package:
        path = Path(f"{words['module']}.py")
        if not path.exists() and importlib.util.find_spec(words["module"]) is not None:
            raise UsageError(f"{path} would hide the module {words['module']!r}: take another name")
        _write({path: _filled("weighter.py", words)})
        _say_next(f"benchbase check ./{path}", f"benchbase run --plugin ./{path}")
        return
    folder = Path(f"benchbase-{name.replace('_', '-')}")
    words |= {"distribution": folder.name, "module": f"benchbase_{words['module']}"}
    plugin, test = _filled(f"{kind}.py", words), _filled("test_plugin.py", words)
    if kind == "weighter":
        plugin = plugin.replace("import LossWeighter,", "import LossWeighter, hookimpl,")
        test += _filled("test_weighter.py", words)
    _write(
        {
            folder / "pyproject.toml": _filled("pyproject.toml", words),
            folder / f"{words['module']}.py": plugin + _filled("registration.py", words),
            folder / f"test_{words['module']}.py": test,
        }
    )
    option = {"weighter": f" --plugin {name}", "metric": ""}.get(kind, f" --{kind} {name}")
    _say_next(f"cd {folder}", "pip install -e .", "pytest", f"benchbase run{option}")


def _words(kind: str, name: str) -> dict[str, str]:
    """Give what the templates are filled with.

    Raises:
        UsageError: nothing new can have this name.
    """
    if not NAME.fullmatch(name):
        raise UsageError(
            f"name {name!r}: expected lower-case letters, digits, - and _, starting with a "
            "letter, such as my-method"
        )
    plural = f"{kind}s"
    if describe_all().matching(plural, name):
        raise UsageError(f"an installed {KINDS[plural].thing} is called {name}: take another name")
    module = name.replace("-", "_")
    class_name = "".join(word.capitalize() for word in module.split("_"))
    taken = [*benchbase.__all__, *keyword.kwlist]
    if class_name in taken or module in taken:
        raise UsageError(f"name {name!r} has a meaning in Python or benchbase: take another name")
    return {
        "kind": kind,
        "name": name,
        "module": module,
        "class_name": class_name,
        "version": benchbase.__version__,
        "api_version": str(API_VERSION),
    }


def _filled(template: str, words: dict[str, str]) -> str:
    text = resources.files("benchbase.cli").joinpath("templates", f"{template}.txt").read_text()
    return Template(text).substitute(words)


def _write(files: dict[Path, str]) -> None:
    """Write all files, or none where one is there."""
    for path in files:
        if path.exists():
            raise UsageError(f"{path} is there already: take another name, or move it away")
    for path, text in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        click.echo(f"Written: {path}")


def _say_next(*commands: str) -> None:
    click.echo("Next:")
    for command in commands:
        click.echo(f"  {command}")

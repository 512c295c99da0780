"""``benchbase info NAME``: what a thing is, what it needs, and how to use it."""

from __future__ import annotations

import dataclasses
import json
import shlex
import textwrap
from dataclasses import dataclass, field
from typing import Any

import click

from benchbase.cell import GIVEN
from benchbase.errors import UsageError
from benchbase.options import (
    OptionSpec,
    expand,
    looks_like_path,
    options_of,
    parse_selector,
    unknown,
)
from benchbase.plugins import KINDS, Found, PluginSource, describe, load, resolve_source
from benchbase.plugins.description import WeighterDescription, summary_of
from benchbase.plugins.discovery import (
    find_all,
    matching,
    module_path,
    reachable_names,
    thing,
)

EPILOG = """\b
Examples:
  benchbase info ./my_method.py     the weighters of a file, with their options
  benchbase info my_package.method  those of a module
  benchbase info nuclei             a data set; likewise a backbone, a kind of noise, ...
"""


@dataclass(frozen=True)
class Page:
    """What is known of one thing."""

    kind: str
    """``weighter``, ``backbone``, ``data set``, ``corruption``, ``metric`` or ``executor``."""
    name: str
    distribution: str
    version: str
    summary: str
    options: tuple[OptionSpec, ...]
    example: str
    """A command that uses it; empty where none names it."""
    facts: dict[str, str] = field(default_factory=dict)


@click.command(epilog=EPILOG)
@click.argument("name", metavar="NAME|FILE.py|MODULE")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")
def info(name: str, as_json: bool) -> None:
    """Explain a weighter, backbone, data set, kind of noise or imbalance, metric or executor.

    Its module is imported for that.
    """
    selector = parse_selector(name)
    pages = pages_of(selector.name)
    for page in pages:
        expand(selector, page.options)  # options that it has not are an error here as in `run`
    if as_json:
        click.echo(json.dumps({"found": [dataclasses.asdict(page) for page in pages]}, indent=1))
    else:
        click.echo("\n\n".join(_text(page) for page in pages))


def pages_of(name: str) -> list[Page]:
    """Look a name up in every kind.

    Raises:
        UsageError: nothing has that name (the error names the nearest).
        PluginError: what has it does not load.
    """
    if looks_like_path(name):
        return _weighter_pages(resolve_source(name), name)
    kinds = [kind for kind in KINDS if kind != "commands"]
    found = [one for kind in kinds for one in matching(kind, name)]
    if found:
        return [page for one in found for page in _pages(one)]
    if module_path(name) is not None:
        return _weighter_pages(PluginSource("module", name), name)
    installed = find_all()
    known = [known for kind in kinds for known in reachable_names(installed[kind])]
    raise UsageError(unknown("name", name, known))


def _pages(found: Found) -> list[Page]:
    if found.kind == "weighters":
        return _weighter_pages(PluginSource("installed", found.qualified), found.name)
    cls = load(found)
    options = options_of(cls)
    facts = {}
    argument = ""
    if found.kind == "datasets":
        facts["flips"] = str(cls.flips)
        argument = f"--dataset {found.name}"
    elif found.kind == "backbones":
        argument = f"--backbone {found.name}"
    elif found.kind == "corruptions":
        facts["kind"], argument = _corruption(found.name, cls, options)
    return [
        Page(
            kind=thing(found.kind),
            name=found.name,
            distribution=found.distribution,
            version=found.version,
            summary=summary_of(cls),
            options=options,
            example=f"benchbase run {argument}" if argument else "",
            facts=facts,
        )
    ]


def _corruption(name: str, cls: type[Any], options: tuple[OptionSpec, ...]) -> tuple[str, str]:
    from benchbase.data.contract import Noise

    level: str
    if issubclass(cls, Noise):
        from_file = any(spec.name == "file" for spec in options)
        level = "" if name == "none" else ":FILE.csv" if from_file else ":0.4"
        return "label noise", f"--noise {name}{level}"
    level = "" if name == "natural" else ":10"
    return "class imbalance", f"--imbalance {name}{level}"


def _weighter_pages(source: PluginSource, given: str) -> list[Page]:
    return [_weighter_page(one, given) for one in describe(source).weighters]


def _weighter_page(weighter: WeighterDescription, given: str) -> Page:
    setting = next((f"[{one.name}={one.default}]" for one in weighter.options), "")
    return Page(
        kind="weighter",
        name=weighter.name,
        distribution=weighter.distribution,
        version=weighter.version,
        summary=weighter.summary,
        options=weighter.options,
        example=f"benchbase run --plugin {shlex.quote(given + setting)}",
        facts={
            "needs": ", ".join(weighter.needs) or "nothing beyond the training images",
            "honesty": weighter.honesty,
            "paper": weighter.paper,
        },
    )


def _text(page: Page) -> str:
    owner = f"{page.distribution} {page.version}".strip()
    given = page.distribution in GIVEN
    whose = f"from a {page.distribution}" if given else f"of {owner}"
    lines = [f"{click.style(page.name, bold=True)}: {page.kind} {whose}"]
    lines += _wrapped(page.summary, "  ", 2)
    for label, value in page.facts.items():
        lines += _wrapped(value, f"  {label:<10}", 12)
    lines += ["  options" if page.options else "  options   none"]
    width = max((len(spec.name) for spec in page.options), default=0)
    for spec in page.options:
        default = "empty" if spec.default == "" else spec.default
        lines += [f"    {spec.name:<{width}}  {spec.expects} [default: {default}]"]
        lines += _wrapped(spec.help, " " * (width + 6), width + 6)
    if page.example:
        lines += [f"  try it    {page.example}"]
    return "\n".join(lines)


def _wrapped(text: str, start: str, indent: int) -> list[str]:
    return textwrap.wrap(text, 88, initial_indent=start, subsequent_indent=" " * indent)

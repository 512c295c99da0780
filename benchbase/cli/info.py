"""``benchbase info NAME``: what a thing is, what it needs, and how to use it."""

from __future__ import annotations

import dataclasses
import shlex
import shutil
import textwrap
from dataclasses import dataclass, field

import click

from benchbase.boards.selectors import looks_like_path, parse_selector, settle
from benchbase.cell import GIVEN
from benchbase.cli import options
from benchbase.cli.streams import print_json
from benchbase.data.own.sources import SOURCES
from benchbase.judging.scales import SCALES
from benchbase.options import OptionSpec, write_value
from benchbase.plugins import KINDS, Entry
from benchbase.plugins.installed import OWN_DISTRIBUTION
from benchbase.plugins.source import given_source
from benchbase.records.home import Home
from benchbase.running.executors.forkserver import ForkServer
from benchbase.running.scouting import describe_sources, read_catalogue

EPILOG = """\b
Examples:
  benchbase info ./my_method.py     the weighters of a file, with their options
  benchbase info my_package.method  those of a module
  benchbase info nuclei             a data set; likewise a backbone, a kind of noise, ...
  benchbase info macro_auroc        a score: its range, and how a board ranks by it
"""


@dataclass(frozen=True)
class Page:
    """What is known of one thing."""

    kind: str
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
@options.as_json
def info(name: str, as_json: bool) -> None:
    """Explain a weighter, backbone, data set, noise, imbalance, metric, score or executor."""
    selector = parse_selector(name)
    server = ForkServer()
    try:
        pages = _pages(server, selector.target)
    finally:
        server.close()
    for page in pages:
        settle(selector, page.options)  # options that it has not are an error here as in `run`
    if as_json:
        print_json({"found": [dataclasses.asdict(page) for page in pages]}, indent=1)
    else:
        click.echo("\n\n".join(page_text(page) for page in pages))


def _pages(server: ForkServer, name: str) -> list[Page]:
    """Look a name up in every kind, and among the scores.

    Raises:
        UsageError: nothing has that name (the error names the nearest).
        PluginError: what has it does not load.
    """
    home = Home.at()
    if not looks_like_path(name):
        catalogue = read_catalogue(server, home)
        found = [page_of(entry, name) for entry in catalogue.of_any_kind(name)]
        if name in SCALES:
            found.append(_score_page(name))
        if found:
            return found
    source = given_source(name)
    if source is None:
        raise catalogue.nowhere(name, SCALES)
    return [page_of(entry, name) for entry in describe_sources(server, [source], home)[source]]


def _score_page(name: str) -> Page:
    scale = SCALES[name]
    facts = {"range": scale.reading, "ranks": "no"}
    if scale.ranks:
        facts["ranks"] = f'with `metric = "{name}"` in board.toml'
    if scale.set_up:
        facts["set up"] = f"with `metric_options = {{ {scale.set_up} }}` in board.toml"
    return Page("score", name, OWN_DISTRIBUTION, "", scale.meaning, (), "", facts)


def page_of(entry: Entry, given: str) -> Page:
    """Tell what is known of one thing; ``given`` is how it was asked for."""
    facts = {}
    if entry.kind == "weighters":
        facts = {
            "needs": ", ".join(entry.needs) or "nothing beyond the training images",
            "honesty": entry.honesty,
            "paper": entry.paper,
        }
    if entry.kind == "datasets":
        facts = {"labels": entry.labels, "augments": entry.invariances}
        facts |= {} if entry.card is None else entry.card.lines()
    argument = _argument(entry, given)
    return Page(
        kind=KINDS[entry.kind].thing,
        name=entry.name,
        distribution=entry.distribution,
        version=entry.distribution_version,
        summary=entry.summary,
        options=entry.options,
        example=f"benchbase run {argument}" if argument else "",
        facts=facts,
    )


def _argument(entry: Entry, given: str) -> str:
    """Give an argument of ``benchbase run`` that uses a thing; empty where none names it."""
    if entry.kind == "weighters":
        setting = next((f"[{one.name}={write_value(one.default)}]" for one in entry.options), "")
        return f"--plugin {shlex.quote(given + setting)}"
    levels = {"file": ":FILE.csv", "rate": ":0.4", "ratio": ":10"}
    level = next((levels[one.name] for one in entry.options if one.name in levels), "")
    if entry.kind == "noises":
        return f"--noise {given}{level}"
    if entry.kind == "imbalances":
        return f"--imbalance {given}{level}"
    if entry.kind == "datasets" and entry.name in SOURCES:
        return f"--dataset {given}:PATH"
    option = {"datasets": "dataset", "backbones": "backbone", "executors": "executor"}
    return f"--{option[entry.kind]} {given}" if entry.kind in option else ""


def page_text(page: Page) -> str:
    """Write what is known, wrapped between words to the terminal's width."""
    owner = f"{page.distribution} {page.version}".strip()
    given = page.distribution in GIVEN
    whose = f"from a {page.distribution}" if given else f"of {owner}"
    lines = [f"{click.style(page.name, bold=True)}: {page.kind} {whose}"]
    lines += _wrapped(page.summary, "  ", 2)
    for label, value in page.facts.items():
        lines += _wrapped(value, f"  {label:<10}", 12)
    if page.kind != "score":
        lines += ["  options" if page.options else "  options   none"]
    width = max((len(spec.name) for spec in page.options), default=0)
    for spec in page.options:
        default = "empty" if spec.default == "" else spec.default
        kind = f"{spec.expects} [default: {default}]"
        lines += _wrapped(kind, f"    {spec.name:<{width}}  ", width + 6)
        lines += _wrapped(spec.help, " " * (width + 6), width + 6)
    if page.example:
        lines += [f"  try it    {page.example}"]
    return "\n".join(lines)


def _wrapped(text: str, start: str, indent: int) -> list[str]:
    return textwrap.wrap(
        text,
        min(88, shutil.get_terminal_size().columns),
        initial_indent=start,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )

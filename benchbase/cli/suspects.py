"""``benchbase suspects DATASET``: which labels look wrong, and which ranking of them to trust."""

from __future__ import annotations

import time
from pathlib import Path

import click
from tabulate import tabulate

from benchbase.boards.order import Order
from benchbase.cli import options
from benchbase.cli.streams import print_json
from benchbase.data.own.images import OwnImages
from benchbase.files import replace_file

EPILOG = """\b
Examples:
  benchbase suspects folder:moles
  benchbase suspects "csv:labels.csv[label=dx,group=lesion_id]" --size 64 --budget 30m
"""


@click.command(epilog=EPILOG)
@click.argument("dataset", metavar="NAME|SOURCE:PATH")
@options.size
@options.backbone
@click.option("--epochs", type=click.IntRange(min=2), default=12, show_default=True)
@options.budget("10m", "Time for all of it; rankings that do not fit are left out by name.")
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Networks trained at a time [default: cores]."
)
@click.option(
    "--trusted",
    metavar="FILE.csv|COLUMN",
    help="Rows of your own images whose labels somebody verified: networks learn from them, and "
    "they are not ranked.",
)
@options.split
@options.device
@options.data_roots
@options.home
@options.as_json
def suspects(
    dataset: str,
    *,
    size: int | None,
    backbone: str | None,
    epochs: int,
    budget: float,
    jobs: int | None,
    trusted: str | None,
    split: Path | None,
    device: str,
    roots: tuple[Path, ...],
    home: Path | None,
    as_json: bool,
) -> None:
    """Rank the labels of a data set by how doubtful they are, and measure the rankings.

    Networks are trained out of fold, with whole groups on one side; then the same is done with
    injected noise of the kind and rate that the labels suggest, so that each ranking's precision
    is known. A CSV of all labels and a page with the first 200 come out. Images of every part are
    ranked, also those of validation and test.
    """
    started = time.time()
    order = Order(
        dataset=dataset,
        size=size,
        backbone=backbone,
        epochs=epochs,
        jobs=jobs,
        trusted=trusted,
        split=split,
        device=device,  # type: ignore[arg-type]
        roots=roots,
        home=home,
    )
    # Imported here: these are what takes the seconds.
    from benchbase.suspects.page import write_page
    from benchbase.suspects.room import prepare
    from benchbase.suspects.searching import Search
    from benchbase.suspects.telling import csv_text, left_out, sentences, table

    room = prepare(order, deadline=started + budget)
    if room.told:
        click.echo(room.told, err=True)
    search = Search(
        room.school, room.images, workers=room.workers, say=lambda text: click.echo(text, err=True)
    )
    findings = search.run(room.methods)
    own = room.dataset if isinstance(room.dataset, OwnImages) else None
    written = [room.folder / "suspects.html", room.folder / "suspects.csv"]
    replace_file(written[0], write_page(findings, room.name, own))
    replace_file(written[1], csv_text(findings))
    if as_json:
        print_json(
            {
                "labels": len(findings.images),
                "rate": findings.suggested.rate,
                "best": findings.best,
                "places": findings.places,
                "measured": findings.measured,
                "left_out": findings.left_out,
                "written": [str(path) for path in written],
            }
        )
        return
    header, rows = table(findings)
    click.echo(tabulate(rows, header, disable_numparse=True))
    for text in sentences(findings):
        click.echo(text)
    for text in left_out(findings):
        click.echo(text)
    for path in written:
        click.echo(f"Written: {path}")

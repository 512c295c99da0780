"""One page with the most doubtful labels: no network, no other file, usable by keyboard."""

from __future__ import annotations

from typing import Any

import numpy as np
from jinja2 import Environment, PackageLoader, StrictUndefined
from numpy.typing import NDArray

from benchbase.data.own.images import OwnImages
from benchbase.data.own.reading import read_picture
from benchbase.data.thumbnails import picture_address
from benchbase.suspects.rankings import ranks
from benchbase.suspects.searching import Findings
from benchbase.suspects.telling import explained, left_out, sentences, table

SHOWN = 200
THUMBNAIL = 96
"""Pixels a side of images that are read again for the page."""


def write_page(findings: Findings, title: str, own: OwnImages | None) -> str:
    """Write the page; of one's own images the thumbnails are read from the files."""
    images, suggested = findings.images, findings.suggested.classes
    first = ranks(findings.scores[findings.best]).argsort()[: min(SHOWN, images.doubtful)]
    places = {name: ranks(scores) for name, scores in findings.scores.items()}
    cards = [
        {
            "name": images.names[row],
            "given": images.classes[images.labels[row]],
            "suggested": images.classes[suggested[row]],
            "ranks": [(name, int(each[row])) for name, each in places.items()],
            "source": picture_address(pixels),
        }
        for row, pixels in zip(first, _pictures(findings, first, own), strict=True)
    ]
    header, rows = table(findings)
    environment = Environment(
        loader=PackageLoader("benchbase.suspects"), autoescape=True, undefined=StrictUndefined
    )
    return environment.get_template("page.html").render(
        title=title,
        sentences=[*sentences(findings)],
        header=header,
        rows=[(row, explained(row[0])) for row in rows],
        left_out=left_out(findings),
        best=findings.best,
        classes=images.classes,
        cards=cards,
    )


def _pictures(findings: Findings, rows: NDArray[np.int64], own: OwnImages | None) -> list[Any]:
    images = findings.images
    if own is None:
        return [images.pixels[row] for row in rows]
    listing = own.complete()
    places = {name: place for place, name in enumerate(listing.names)}
    found = [places[images.names[row]] for row in rows]
    return [
        read_picture(listing.picture(it), listing.names[it], THUMBNAIL, "pad").pixels
        for it in found
    ]

"""What was found, in sentences and tables."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from benchbase.suspects.noise import Noise
from benchbase.suspects.rankings import EXPLAINED, ranks
from benchbase.suspects.searching import Findings

FEWEST = 0.005
"""A direction of the noise with a smaller share of all images is not told."""


def noise_sentences(noise: Noise, classes: Sequence[str]) -> Iterator[str]:
    """Say how many labels look wrong, and in which direction."""
    count = len(noise.classes)
    yield (
        f"Of {count:,} labels some {round(noise.rate * count):,} ({noise.rate:.0%}) look wrong, as "
        "confident learning estimates: too many where classes look alike, too few where images of "
        "one look are nearly all mislabelled."
    )
    ways = [
        (noise.joint[true, given], classes[given], classes[true])
        for true in range(len(classes))
        for given in range(len(classes))
        if true != given and noise.joint[true, given] >= FEWEST
    ]
    if ways:
        said = [
            f"{given} that is {true} ({share:.1%})"
            for share, given, true in sorted(ways, reverse=True)[:4]
        ]
        yield f"Most often: {'; '.join(said)}."


def sentences(findings: Findings) -> Iterator[str]:
    """Say how many labels look wrong, in which direction, and which ranking to trust how far."""
    yield from noise_sentences(findings.suggested, findings.images.classes)
    verified = len(findings.images) - findings.images.doubtful
    if verified:
        yield f"{verified:,} labels are verified: networks learn from them, and nobody doubts them."
    if not findings.measured:
        yield (
            "No ranking was measured: there was no time to train again on injected noise "
            "(--budget). Which one to trust is not known."
        )
        return
    shares = findings.measured[findings.best]
    found = ", ".join(
        f"{share:.0%} of the first {place:,}"
        for place, share in zip(findings.places, shares, strict=True)
    )
    yield (
        f"Trust {findings.best}: of noise of this kind and rate, injected into these images, it "
        f"found {found} (chance: {findings.chance:.0%}). Real mistakes sit on images that are hard "
        "to tell: expect less."
    )


def table(findings: Findings) -> tuple[list[str], list[list[str]]]:
    """Give a header and a row a ranking: its measured precisions, best first, then what is not."""
    header = ["ranking", *(f"precision at {place:,}" for place in findings.places)]
    order = sorted(findings.scores, key=lambda name: -sum(findings.measured.get(name, [0])))
    rows = []
    for name in order:
        shares = findings.measured.get(name)
        cells = ["not measured"] * len(findings.places)
        rows.append([name, *(cells if shares is None else (f"{it:.2f}" for it in shares))])
    return header, rows


def left_out(findings: Findings) -> list[str]:
    """Name the rankings that are not there, with the reason, a line a reason."""
    reasons: dict[str, list[str]] = {}
    for name, reason in findings.left_out.items():
        reasons.setdefault(reason, []).append(name)
    return [f"Left out, since {reason}: {', '.join(names)}" for reason, names in reasons.items()]


def explained(name: str) -> str:
    """Say what a ranking goes by."""
    return EXPLAINED.get(name, "how little weight the method gave the image while it trained")


def csv_text(findings: Findings) -> str:
    """Write every image whose label nobody verified, the most doubtful label first."""
    images, suggested = findings.images, findings.suggested.classes
    places = {name: ranks(scores) for name, scores in findings.scores.items()}
    best = findings.scores[findings.best]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    names = [f"rank {name}".replace(" ", "_") for name in places]
    writer.writerow(["path", "given", "suggested", "score", *names])
    for row in places[findings.best].argsort()[: images.doubtful]:
        writer.writerow(
            [
                images.names[row],
                images.classes[images.labels[row]],
                images.classes[suggested[row]],
                f"{best[row]:.6g}",
                *(each[row] for each in places.values()),
            ]
        )
    return out.getvalue()

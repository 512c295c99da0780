"""Whether results are of the code that is installed now; said on a terminal, never on a page.

In a cell's key a stated version may stand for code, and that may have changed since.
"""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from benchbase.backbones.weights import parted
from benchbase.plugins import Catalogue, Entry

if TYPE_CHECKING:
    from benchbase.boards.plan import Plan
    from benchbase.records.glimpses import Glimpse
    from benchbase.records.record import Record
    from benchbase.running.executors.contract import Job

NOT_REPLAYED = "code changed since, not replayed"


def changed_names(record: Record | Glimpse, entries: Iterable[Entry]) -> list[str]:
    """Name the weighter and backbone that a record is of by version, and not by code."""
    spec, ran = record.spec, record.provenance
    known = {
        "weighters": (f"version {spec.weighter.version}", ran.source),
        "backbones": (parted(spec.backbone_source)[0], ran.backbone_source),
    }
    return [
        entry.name
        for entry in entries
        for identity, source in [known[entry.kind]]
        if entry.version and identity == entry.identity and source not in ("", entry.source_hash)
    ]


def not_replayed(records: Iterable[Record | Glimpse], catalogue: Catalogue) -> list[str]:
    """Say of which weighters and backbones there are results of other code than today's."""
    matching = functools.cache(catalogue.matching)
    counts: Counter[str] = Counter()
    for record in records:
        weighter = record.spec.weighter
        entries = (
            *matching("weighters", f"{weighter.distribution}:{weighter.name}"),
            *matching("backbones", record.spec.scenario.backbone),
        )
        counts.update(changed_names(record, entries))
    return [f"{name}: {NOT_REPLAYED} ({count} results)" for name, count in sorted(counts.items())]


def found_again(plan: Plan) -> Iterator[str]:
    """Say of each method when its finished cells were run and by which code, a line each.

    What that code imports from elsewhere nobody can know; whoever reads this may.
    """
    found: dict[str, list[Job]] = {}
    for job in plan.jobs:
        if job.cell.key in plan.done:
            found.setdefault(job.cell.weighter.label, []).append(job)
    for label, jobs in found.items():
        records = [plan.done[job.cell.key] for job in jobs]
        ended = sorted(record.provenance.finished for record in records)
        times = dict.fromkeys(_clock(seconds) for seconds in (ended[0], ended[-1]))
        codes = sorted({record.provenance.source[:12] or "unknown" for record in records})
        changed = {
            name
            for job, record in zip(jobs, records, strict=True)
            for name in changed_names(record, (job.weighter, job.backbone))
        }
        since = f"; {', '.join(sorted(changed))}: {NOT_REPLAYED}" if changed else ""
        yield (
            f"found: {label}: {len(jobs)} cells run at {' to '.join(times)} with code "
            f"{', '.join(codes)}{since}"
        )


def _clock(seconds: float) -> str:
    """Give the local time to the minute."""
    return f"{datetime.fromtimestamp(seconds, UTC).astimezone():%Y-%m-%d %H:%M}"

"""The text of single table cells, alike in Markdown and on the terminal."""

from __future__ import annotations

from benchbase.judging.scales import SCALES
from benchbase.judging.statistics import Estimate
from benchbase.leaderboard.headroom import Share
from benchbase.leaderboard.table import CONTROL, PROVISIONAL, SEES_TRUTH, Row

METRIC_ORDER = tuple(SCALES)
RULE_NAMES = {
    "tail": "last fifth of the epochs",
    "last": "last epoch",
    "last5": "last five epochs",
    "val_noisy": "best on noisy validation",
    "val_clean": "best on validation before noise*",
    "oracle": "best on test*",
}
NOTHING = "–"


def metric_name(metric: str) -> str:
    """Write a metric's name for a reader."""
    return SCALES[metric].words if metric in SCALES else metric


def rule_name(rule: str) -> str:
    """Write a selection rule's name for a reader."""
    return RULE_NAMES[rule]


def rank_text(row: Row) -> str:
    """Write ``2``, ``2–4``, with ``*`` where it is provisional, or a dash."""
    if row.ranks is None:
        return NOTHING
    best, worst = row.ranks
    star = "*" if row.standing == PROVISIONAL else ""
    return (f"{best}" if best == worst else f"{best}–{worst}") + star


def in_percent(share: float, form: str = ".1f") -> str:
    """Write a share in percent, or a difference in points: every output rounds here, and alike.

    What rounds to zero has no minus.
    """
    return format(100 * share, form.replace(".", "z."))


def score_text(score: Estimate | None, failures: int = 0, covered: int = 1) -> str:
    """Write a score in percent with half its interval: ``87.1 ± 1.2``; none over failures."""
    if score is None:
        return NOTHING
    if failures and failures == covered:
        return "failed"
    text = in_percent(score.mean)
    if failures:
        return text
    if score.high is None:
        return text + _range_text(score, ".1f")
    return f"{text} ± {in_percent(score.high - score.mean)}"


def _range_text(score: Estimate, form: str) -> str:
    """Write the values of two blocks, which make no interval: `` (75.2 to 77.0)``."""
    if len(score.values) < 2:
        return ""
    return f" ({in_percent(score.values[0], form)} to {in_percent(score.values[-1], form)})"


def last_epoch_text(row: Row) -> str:
    """Write the score of the finished model in percent, without an interval."""
    score = None if row.last_epoch is None else Estimate(row.last_epoch, None, None, 1)
    return score_text(score, row.failed, row.covered)


def difference_text(row: Row, reference: Row) -> str:
    """Write the paired difference in points: ``+2.1 ± 1.7 better``, ``tied`` where it may be 0.

    Zeros of failed cells, of the one or the other, make no interval.
    """
    if row.label == reference.label:
        return "reference"
    if row.difference is None:
        return NOTHING
    if row.failed or reference.failed:
        return in_percent(row.difference.mean, "+.1f")
    text = gap_text(row.difference)
    return text if row.difference.high is None else f"{text} {row.difference.verdict}"


def gap_text(difference: Estimate) -> str:
    """Write a difference in points with half its interval: ``+2.1 ± 1.7``."""
    text = in_percent(difference.mean, "+.1f")
    if difference.high is None:
        return text + _range_text(difference, "+.1f")
    return f"{text} ± {in_percent(difference.high - difference.mean)}"


def share_text(share: Share | None) -> str:
    """Write a share of the headroom: ``60 % (41 to 79)``, or why there is none."""
    if share is None:
        return NOTHING
    if share.value is None or share.value.low is None or share.value.high is None:
        return share.reason
    ends = f"{in_percent(share.value.low, '.0f')} to {in_percent(share.value.high, '.0f')}"
    return f"{in_percent(share.value.mean, '.0f')} % ({ends})"


def failures_text(row: Row) -> str:
    """Write ``0``, or the number of failed cells with their statuses."""
    if not row.failed:
        return "0" if row.covered else NOTHING
    return f"{row.failed} ({', '.join(f'{n} {status}' for status, n in row.failures.items())})"


def cost_text(row: Row) -> str:
    """Write training time against the reference's: ``x 1.9``."""
    relative = row.cost.relative_seconds
    return NOTHING if relative is None else f"x {relative:.2f}"


def memory_text(row: Row) -> str:
    """Write the peak memory: ``312 MiB``."""
    return number_text(row.cost.peak_memory_bytes, ",.0f", 2**-20, " MiB")


def needs_text(row: Row) -> str:
    """Write what the method asks for beyond noisy labels, and what it was given."""
    return ", ".join(f"{need} ({grant})" for need, grant in row.needs.items()) or "nothing"


def percent_text(share: float | None, form: str = ".1f") -> str:
    """Write ``in_percent``, or a dash."""
    return NOTHING if share is None else in_percent(share, form)


def number_text(value: float | None, form: str, scale: float = 1.0, unit: str = "") -> str:
    """Format ``scale * value``, or write a dash."""
    return NOTHING if value is None else format(scale * value, form) + unit


def label_text(row: Row) -> str:
    """Write the label, ``>`` before one's own, and what makes it no rival after it.

    That is a control, or who sees the truth.
    """
    label = f"> {row.label}" if row.is_own else row.label
    if row.is_control:
        return f"{label} ({CONTROL})"
    return f"{label} ({SEES_TRUTH})" if row.standing == SEES_TRUTH else label


def marked_label(row: Row) -> str:
    """Write the label, with a dagger where cells failed."""
    return f"{label_text(row)} †" if row.failed else label_text(row)

"""What each kind of plugin has to keep, as checks in the order in which they are run.

Imports what `testing` does.
"""

from benchbase.testing.check import Check
from benchbase.testing.checks import (
    accelerating,
    backbones,
    datasets,
    executors,
    imbalances,
    metrics,
    noises,
    odd_data,
    resuming,
    weighters,
)
from benchbase.testing.checks.options import options_survive_json

CHECKS: dict[str, list[Check]] = {
    kind: [Check(options_survive_json), *checks]
    for kind, checks in {
        "weighters": [
            *weighters.CHECKS,
            *resuming.CHECKS,
            *odd_data.CHECKS,
            *accelerating.CHECKS,
        ],
        "backbones": [*backbones.CHECKS, *accelerating.CHECKS],
        "datasets": datasets.CHECKS,
        "noises": noises.CHECKS,
        "imbalances": imbalances.CHECKS,
        "metrics": metrics.CHECKS,
        "executors": executors.CHECKS,
    }.items()
}

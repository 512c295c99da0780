"""What the papers' full protocols cost: the tables of `benchbase/docs/cost.md`.

``uv run python -m tests.benchmarks.protocol_costs`` prints them, in a few minutes.
"""

from __future__ import annotations

import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch.nn import functional as F

from benchbase.backbones.contract import Classifier, ImageShape
from benchbase.backbones.resnet32 import ResNet32
from benchbase.backbones.torchvision_families import ResNet18
from benchbase.running.executors.contract import Job
from benchbase.seeding import seeded
from tests.benchmarks.simulated import simulate
from tests.unit.jobs import make_job

ROOT = Path(__file__).parents[2]
RECORDED = ROOT / "leaderboards" / "nuclei" / "results"
MEMORY = Path("/dev/shm")  # noqa: S108 - thirty thousand records that nobody keeps
METHODS = ("erm", "co-teaching", "mwnet", "cc-dsw", "dlsa-sw", "dsr-pgc")
CONDITIONS, SEEDS = 8, 5
"""Four noise rates with and without imbalance; five seeds rank firmly."""
ROOF = 276_000
"""Training images a second of a ResNet-32 at 32 pixels on one H100, by its bandwidth."""


@dataclass(frozen=True)
class Protocol:
    """A paper's training of one method, as far as it is public (`README.md` of the plugin)."""

    data: str
    train: int
    judged: int
    """Validation and test images, at each checkpoint."""
    network: str
    pixels: int
    epochs: int
    batch: int


PROTOCOLS = (
    Protocol("PCam", 262_144, 65_536, "resnet32", 96, 100, 100),
    Protocol("ISIC 2020", 26_501, 6_625, "resnet32", 96, 100, 100),
    Protocol("NCT-CRC-HE", 90_000, 17_180, "resnet18", 224, 50, 128),
)


@dataclass(frozen=True)
class Throughput:
    """Images a second of processor time, by one thread."""

    training: float
    judging: float
    operations: float
    """Of one image forward, in billions of multiplications."""


def main() -> None:
    """Print the tables."""
    torch.set_num_threads(1)
    print("\n".join(protocol_table()))
    print()
    with tempfile.TemporaryDirectory(dir=MEMORY if MEMORY.is_dir() else None) as folder:
        print("\n".join(spread(cells=10_000, folder=Path(folder))))


def protocol_table() -> Iterator[str]:
    """Measure each protocol's step, and write what the whole of it takes."""
    yield "| data | network | images/s: training, judging | erm, CPU h | 6 methods, CPU h | GPU h |"
    yield "|---|---|---|---|---|---|"
    reference = _operations("resnet32", 32)
    ratios = training_ratios()
    for protocol in PROTOCOLS:
        measured = throughput(protocol)
        judging = protocol.epochs * protocol.judged / measured.judging
        training = protocol.epochs * protocol.train / measured.training
        erm = (training + judging) / 3600
        cells = CONDITIONS * SEEDS
        all_methods = sum(ratios[name] * training + judging for name in METHODS) * cells / 3600
        trained = protocol.epochs * protocol.train * sum(ratios[name] for name in METHODS) * cells
        on_gpu = trained * measured.operations / reference / ROOF / 3600
        yield (
            f"| {protocol.data} | {protocol.network}, {protocol.pixels} px "
            f"| {measured.training:,.0f}, {measured.judging:,.0f} | {erm:,.0f} "
            f"| {all_methods:,.0f} | {on_gpu:,.0f} |"
        )


def throughput(protocol: Protocol, batch: int = 16) -> Throughput:
    """Time three steps and three predictions at the protocol's size, after one of each."""
    with seeded(0, "throughput"):
        model = _build(protocol.network, protocol.pixels).to(memory_format=torch.channels_last)
        images = torch.randn(batch, 3, protocol.pixels, protocol.pixels)
        labels = torch.randint(2, (batch,))
    images = images.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, weight_decay=5e-4)

    def step() -> None:
        optimiser.zero_grad()
        F.cross_entropy(model(images), labels).backward()
        optimiser.step()

    @torch.no_grad()
    def predict() -> None:
        model(images)

    seconds = {}
    for work in (step, predict):
        work()
        before = time.process_time()
        for _ in range(3):
            work()
        seconds[work] = (time.process_time() - before) / (3 * batch)
    operations = _operations(protocol.network, protocol.pixels)
    return Throughput(1 / seconds[step], 1 / seconds[predict], operations)


def _build(network: str, pixels: int) -> Classifier:
    backbone = {"resnet32": ResNet32, "resnet18": ResNet18}[network]()
    return backbone.build(ImageShape(3, pixels, pixels), 2)


def _operations(network: str, pixels: int) -> float:
    """Count the multiplications of one image forward, in billions."""
    from torch.utils.flop_counter import FlopCounterMode

    counter = FlopCounterMode(display=False)
    with counter, torch.no_grad():
        _build(network, pixels).eval()(torch.zeros(1, 3, pixels, pixels))
    return counter.get_total_flops() / 2e9


def recorded(name: str) -> dict[str, list[float]]:
    """Give a cost of each method's cells on the nuclei board, in seconds."""
    found = {}
    for path in sorted(RECORDED.glob("*/*.jsonl")):
        costs = [json.loads(line)["cost"][name] for line in path.read_text().splitlines()]
        found[path.stem] = [cost for cost in costs if cost]
    return found


def training_ratios() -> Mapping[str, float]:
    """Give each method's training time by erm's, medians of the nuclei board."""
    medians = {name: statistics.median(costs) for name, costs in recorded("seconds_train").items()}
    return {name: medians[name] / medians["erm"] for name in METHODS}


def spread(cells: int, folder: Path) -> list[str]:
    """Sweep cells as long as those of the nuclei board were, over 1, 8 and 64 workers."""
    costs = recorded("seconds_total")
    jobs: list[Job] = []
    seconds: dict[str, float] = {}
    for seed in itertools.count():
        for name, took in costs.items():
            jobs.append(make_job(name, seed))
            seconds[jobs[-1].cell.key] = took[seed % len(took)]
        if len(jobs) >= cells:
            break
    jobs = jobs[:cells]
    total = sum(seconds[job.cell.key] for job in jobs)
    lines = ["| workers | hours | of the ideal |", "|---|---|---|"]
    for workers in (1, 8, 64):
        makespan, tally = simulate(
            jobs, lambda job: seconds[job.cell.key], workers, folder / str(workers)
        )
        assert len(tally.records) == cells
        ideal = total / workers
        lines.append(f"| {workers} | {makespan / 3600:,.2f} | {ideal / makespan:.1%} |")
    return lines


if __name__ == "__main__":
    main()

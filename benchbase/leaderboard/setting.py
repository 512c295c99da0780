"""What was compared, from the scenarios and the records: one line, and which scenarios count."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchbase.backbones.weights import parted
from benchbase.boards.board import Board
from benchbase.cell import Scenario
from benchbase.data.own.sources import SOURCES
from benchbase.errors import StoreError
from benchbase.judging.clinical import SPECIFICITY, Sensitivity
from benchbase.leaderboard.choose import Entry, Place, one_of_each_place
from benchbase.leaderboard.pages.captions import scenario_labels
from benchbase.records.record import Corruption

_TRACKS = {
    "T0": "no trusted images",
    "TM": "the balanced meta set of 1,000 trusted images",
    "TV": "the training images that somebody verified, for methods that need clean labels",
}


def setting_text(board: Board, entries: Sequence[Entry]) -> str:
    """Write the data, the networks, the length of training, the tracks and the seeds."""
    backbones = _networks(board, entries)
    tracks = sorted({scenario.track for scenario in board.scenarios})
    parts = [
        f"Data: {' and '.join(_data_text(name, board, entries) for name in _data_sets(board))}",
        f"network{'s' * (len(backbones) > 1)} {', '.join(backbones)}",
        f"{_span(scenario.recipe.epochs for scenario in board.scenarios)} epochs",
        *(f"track {_track_text(track)}" for track in tracks),
        *_label_texts(board.scenarios),
        f"seed{'s' * (len(board.seeds) > 1)} {_seeds_text(board.seeds)}",
    ]
    if board.noise_secret:
        parts.append(f"split and noise drawn with the secret {board.noise_secret}")
    return f"{'; '.join([*parts, *_sandbox_texts(entries)])}."


def _sandbox_texts(entries: Sequence[Entry]) -> list[str]:
    """Say which cells ran in a sandbox, where any did."""
    ran = [record.provenance.sandbox for entry in entries for record in entry.cells.values()]
    inside = [name for name in ran if name]
    who = "every cell" if len(inside) == len(ran) else f"{len(inside)} of {len(ran)} cells"
    return [f"{who} in a sandbox ({', '.join(sorted({*inside}))})"] if inside else []


def _networks(board: Board, entries: Sequence[Entry]) -> list[str]:
    """Name the networks, each with the weights that it started from, where it had any."""
    started = {
        (board.scenarios[place[0]].backbone, record.spec.backbone_source)
        for place, record in one_of_each_place(entries).items()
    }
    texts = {
        name: f"{name} (weights {weights})"
        for name, source in started
        if (weights := parted(source)[1])
    }
    return [texts.get(it, it) for it in sorted({one.backbone for one in board.scenarios})]


def chance_text(board: Board, entries: Sequence[Entry]) -> str:
    """Say what guessing scores, as far as records name the classes and the metric has a chance."""
    classes = {
        (record.spec.scenario.data, len(record.corruption.classes))
        for entry in entries
        for record in entry.cells.values()
        if record.corruption is not None and record.corruption.classes
    }
    if board.metric == "macro_auroc":
        return "Chance level: 50.0 %"
    if board.metric == Sensitivity.name:
        alarms = 1 - board.metric_options.get("specificity", SPECIFICITY)
        return f"Chance level: {100 * alarms:.1f} %"
    if board.metric != "balanced_accuracy" or not classes:
        return ""
    several = len(classes) > 1
    levels = [f"{100 / n:.1f} %" + f" ({name})" * several for name, n in sorted(classes)]
    return f"Chance level: {', '.join(levels)}"


def augmentation_texts(board: Board, entries: Sequence[Entry]) -> tuple[str, ...]:
    """Say what augmentation may do to the images of each data set, as the records have it."""
    stated = {
        (board.scenarios[place[0]].data, record.spec.data.invariances)
        for place, record in one_of_each_place(entries).items()
    }
    texts = sorted((name, str(invariances)) for name, invariances in stated)
    return tuple(f"Augmentation of {name}: {text}." for name, text in texts)


def as_given_texts(board: Board, entries: Sequence[Entry]) -> tuple[str, ...]:
    """Write a sentence for each data set whose labels nobody knows to be right."""
    given = {
        board.scenarios[place[0]].data: _given_text(board.scenarios[place[0]], record.corruption)
        for entry in entries
        for place, record in entry.cells.items()
        if not record.spec.data.truth_known
    }
    return tuple(text for _, text in sorted(given.items()))


def _given_text(scenario: Scenario, drawn: Corruption | None) -> str:
    verified = scenario.dataset_options.keys() & {"trusted_column", "trusted_file"}
    judging = "those of test too"
    if drawn is not None and drawn.test_verified:
        judging = f"but for the {drawn.test_count:,} of test, which are verified"
    trusted = ", and trusted images may be wrong as well"
    if scenario.dataset in SOURCES:
        trusted += ": no method that needs clean labels is honestly usable on them before "
        trusted += "--trusted names rows that somebody verified"
    return (
        f"Labels of {scenario.data} are as given, {judging}: how many are wrong is not known. Only "
        f"labels that noise changed count as wrong here{'' if verified else trusted}."
    )


def real_noise_texts(board: Board, entries: Sequence[Entry]) -> tuple[str, ...]:
    """Write a sentence for each data set whose labels people gave and others count as true."""
    rates: dict[str, set[float]] = {}
    for entry in entries:
        for place, record in entry.cells.items():
            scenario = board.scenarios[place[0]]
            if scenario.noise == "real" and record.corruption is not None:
                rate = round(100 * record.corruption.realised_rate, 1)
                rates.setdefault(scenario.data, set()).add(rate)
    return tuple(
        f"Real noise of {name}: methods see the labels that people gave, others count as true and "
        f"judge. {' to '.join(f'{it:g}' for it in sorted({min(known), max(known)}))} % of the "
        "training labels differ, which no method is told."
        for name, known in sorted(rates.items())
    )


def _data_sets(board: Board) -> list[str]:
    return list(dict.fromkeys(scenario.data for scenario in board.scenarios))


def _data_text(name: str, board: Board, entries: Sequence[Entry]) -> str:
    """Write ``nuclei, 312–2,000 training and 1,000 test images``, as far as records say it."""
    drawn = [
        record.corruption
        for entry in entries
        for place, record in entry.cells.items()
        if board.scenarios[place[0]].data == name and record.corruption is not None
    ]
    training = {sum(one.class_counts) for one in drawn if one.class_counts}
    test = {one.test_count for one in drawn if one.test_count}
    counts = [f"{_span(training)} training"] if training else []
    counts += [f"{_span(test)} test"] if test else []
    return f"{name}, {' and '.join(counts)} images" if counts else name


def _track_text(track: str) -> str:
    granted = _TRACKS.get(track) or f"{track[1:]} trusted images a class"
    return f"{track}: {granted}" + " for methods that need them" * (track not in _TRACKS)


def _label_texts(scenarios: Sequence[Scenario]) -> list[str]:
    """Say how many images are labelled and how many labels are for sale, where it is not usual."""
    fractions = (scenario.label_fraction for scenario in scenarios)
    shares = dict.fromkeys("100" if one is None else f"{100 * one:g}" for one in fractions)
    budgets = dict.fromkeys(str(scenario.label_budget or 0) for scenario in scenarios)
    parts = [] if [*shares] == ["100"] else [f"{', '.join(shares)} % of the images labelled"]
    return parts if [*budgets] == ["0"] else [*parts, f"{', '.join(budgets)} labels to buy"]


def _span(values: Iterable[int]) -> str:
    known = set(values)
    low, high = min(known), max(known)
    return f"{low:,}" if low == high else f"{low:,}–{high:,}"


def _seeds_text(seeds: Sequence[int]) -> str:
    first, last = seeds[0], seeds[-1]
    run = len(seeds) > 2 and list(seeds) == list(range(first, last + 1))
    return f"{first}–{last}" if run else ", ".join(map(str, seeds))


def not_identifiable(board: Board, entries: Sequence[Entry]) -> frozenset[int]:
    """Give the scenarios in which the true class is not the most likely label.

    Records of one place have the same data, so they must agree. Untrusted ones (``--executor
    inline``) are asked only about a scenario of which there is no other.

    Raises:
        StoreError: two trusted records on the same data say different things.
    """
    trusted, anyhow = _said([entry for entry in entries if entry.trusted]), _said(entries)
    labels = scenario_labels(board.scenarios)
    for (index, seed), said in sorted(trusted.items()):
        if len(said) > 1:
            keys = ", ".join(sorted(key[:12] for each in said.values() for key in each))
            raise StoreError(
                f"scenario {labels[index]!r} at seed {board.seeds[seed]}: records on the same data "
                f"disagree on whether it is identifiable (cells {keys}): remove the wrong one"
            )
    known = {index for index, _ in trusted}
    return frozenset(
        index
        for (index, seed), said in anyhow.items()
        if False in (trusted.get((index, seed), ()) if index in known else said)
    )


def _said(entries: Sequence[Entry]) -> dict[Place, dict[bool, list[str]]]:
    """Collect what records say: place -> identifiable or not -> their keys."""
    said: dict[Place, dict[bool, list[str]]] = {}
    for entry in entries:
        for place, record in entry.cells.items():
            if record.corruption is not None:
                answer = record.corruption.identifiable
                said.setdefault(place, {}).setdefault(answer, []).append(record.key)
    return said

"""How checks are chosen, run and told: whatever they check."""

from __future__ import annotations

import pytest
import torch

from benchbase.api import LossWeighter, Need, Weighter
from benchbase.data.imbalance import Natural
from benchbase.data.noise import NoNoise
from benchbase.errors import ContractError, PluginError
from benchbase.testing import conformance
from benchbase.testing.checks import CHECKS, accelerating
from benchbase.testing.conformance import (
    check_plugin,
    checks_for,
    kind_of,
    parametrize_with_checks,
    run_checks,
)
from tests.conformance.finding import check_named


class Plain(LossWeighter):
    name = "plain"

    def prepare(self, task):
        return lambda step: torch.ones_like(step.losses)


class TwoClassesAreTooFew(Plain):
    def prepare(self, task):
        return lambda step: step.logits.topk(3).values[:, 2].detach().sigmoid()


class WantsColour(Plain):
    def prepare(self, task):
        return lambda step: step.batch.images[:, 2].mean((1, 2)).abs()


def test_classes_of_two_kinds_are_refused() -> None:
    with pytest.raises(PluginError, match="one kind, got imbalances, noises"):
        parametrize_with_checks([Natural, NoNoise])
    with pytest.raises(PluginError, match="is no plugin: expected a subclass of one of Weighter"):
        kind_of(int)


def test_checks_for_a_need_are_left_out_without_it() -> None:
    class Asking(Plain):
        needs = frozenset({Need.TRUSTED, Need.UNLABELLED, Need.ORACLE, Need.NOISE_RATE})

    class Needy(Plain):
        needs = frozenset({Need.UNLABELLED})

    def names(weighter: type[Weighter]) -> set[str]:
        return {check.name for check in checks_for(weighter)}

    everything = {check.name for check in CHECKS["weighters"]}
    assert names(Asking) == everything
    assert names(Needy) == everything - {
        "works_without_a_budget",
        "works_where_nobody_knows_the_noise_rate",
    }
    assert names(Plain) == names(Needy) - {"works_without_unlabelled_images"}


@pytest.mark.parametrize("name", ["runs_on_an_accelerator", "does_not_stall_it"])
def test_what_cannot_be_run_here_is_skipped_with_the_reason(name, monkeypatch) -> None:
    monkeypatch.setattr(accelerating, "why_no_pretend", lambda: "this torch is too old")
    monkeypatch.setattr(conformance, "CHECKS", {"weighters": [check_named("weighters", name)]})

    class Anew(Plain):
        pass

    [outcome] = run_checks(Anew)
    assert (outcome.error, outcome.skipped) == (None, "this torch is too old")
    check_plugin(Anew)


@pytest.fixture
def few_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run three checks only: what is done with them does not hang on how many there are."""
    few = ("trains_and_yields_checkpoints", "works_with_two_classes", "works_with_one_channel")
    checks = [check_named("weighters", name) for name in few]
    monkeypatch.setattr(conformance, "CHECKS", {"weighters": checks})


@pytest.mark.usefixtures("few_checks")
def test_one_failing_check_leaves_the_others_to_run() -> None:
    outcomes = list(run_checks(WantsColour))
    assert [one.check.name for one in outcomes if one.error] == ["works_with_one_channel"]
    assert len(outcomes) == 3


@pytest.mark.usefixtures("few_checks")
def test_all_failures_are_told_at_once() -> None:
    with pytest.raises(ContractError) as caught:
        check_plugin(TwoClassesAreTooFew)
    assert "plain fails 1 checks:\n  works_with_two_classes: " in str(caught.value)


def test_what_the_class_states_is_checked_first() -> None:
    class Unnamed(Plain):
        name = "Not A Name"

    with pytest.raises(PluginError, match="expected lower-case letters"):
        check_plugin(Unnamed)


def test_a_check_names_itself_in_words() -> None:
    assert check_named("weighters", "leaves_its_task_alone").title == "leaves its task alone"

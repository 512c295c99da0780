import dataclasses

import pytest
import torch
from benchbase_vog_active import CoTeaching, VoG, VoGRandomPart
from benchbase_vog_active.coteaching import Ensemble, SmallLoss, co_teach
from benchbase_vog_active.selection import ForgetSchedule
from torch.nn import functional as F

from benchbase.errors import DivergedError
from benchbase.kit.loops import load_batch, supervised

ONE_PLAIN_STEP = {
    "epochs": 1, "batch_size": 64, "momentum": 0.0, "weight_decay": 0.0, "schedule": "constant",
}  # fmt: skip


class Chosen(SmallLoss):
    """Selects rows that were settled before."""

    def __init__(self, rows):
        self._rows = rows

    def choose(self, step, count):
        mask = torch.isin(step.batch.rows, self._rows)
        assert mask.sum() == count
        return mask


class Watching(SmallLoss):
    """Selects by loss and remembers what it selected in each epoch."""

    def __init__(self):
        self.selected = {}

    def choose(self, step, count):
        mask = super().choose(step, count)
        self.selected.setdefault(step.epoch, []).append(step.batch.rows[mask])
        return mask


def drain(generation):
    """Give a generator's last value and what it returns."""
    last = None
    while True:
        try:
            last = next(generation)
        except StopIteration as end:
            return last, end.value


def one_exchange(points, first_rows, second_rows, rate):
    """Train two networks for a step on settled selections; give their parameters."""
    task = points.task
    networks = Ensemble(task.build_model(), task.build_model())
    selectors = [Chosen(first_rows), Chosen(second_rows)]
    drain(co_teach(task, networks, selectors, ForgetSchedule(rate, ramp=0), epochs=1))
    return dict(networks.named_parameters())


def expected_move(points, which, rows):
    """Give the parameters of a network after a step on the mean loss of ``rows``."""
    task = points.task
    network = [task.build_model(), task.build_model()][which]
    order = torch.randperm(len(task.train), generator=task.rng("order training"))
    batch = load_batch(task, task.train, order, task.rng("augment training"))
    network.train()
    losses = F.cross_entropy(network(batch.images), batch.labels, reduction="none")
    losses[torch.isin(batch.rows, rows)].mean().backward()
    return {
        name: value.detach() - task.recipe.learning_rate * value.grad
        for name, value in network.named_parameters()
    }


def test_each_network_learns_the_mean_loss_of_what_the_other_selected(make_points):
    settings = {"num_classes": 3, "largest": 16, **ONE_PLAIN_STEP}
    first_rows, second_rows = torch.arange(24), torch.arange(12, 36)
    after = one_exchange(make_points(**settings), first_rows, second_rows, rate=0.5)
    for which, name, rows in ((0, "first", second_rows), (1, "second", first_rows)):
        expected = expected_move(make_points(**settings), which, rows)
        for parameter, value in expected.items():
            torch.testing.assert_close(after[f"{name}.{parameter}"].detach(), value)


def test_a_networks_own_selection_does_not_move_it(make_points):
    settings = {"num_classes": 3, "largest": 16, **ONE_PLAIN_STEP}
    second_rows = torch.arange(12, 36)
    runs = [
        one_exchange(make_points(**settings), rows, second_rows, rate=0.5)
        for rows in (torch.arange(24), torch.arange(24, 48))
    ]
    same = {name for name, value in runs[0].items() if torch.equal(value, runs[1][name])}
    assert same >= {name for name in runs[0] if name.startswith("first")}
    assert not same & {"second.body.1.weight", "second.head.weight", "second.head.bias"}


def test_without_forgetting_the_first_network_is_trained_by_plain_cross_entropy(make_points):
    settings = {"num_classes": 3, "largest": 40, "noise_rate": 0.0, "epochs": 4}
    task = make_points(**settings).task
    *_, plain = supervised(task, task.build_model(), lambda step: torch.ones_like(step.losses))
    for weighter in (CoTeaching(), VoG(), VoGRandomPart()):
        *_, last = weighter.fit(make_points(**settings).task)
        assert (last.weights == 1).all()
        assert last.notes["kept"] == 1
        for name, value in plain.model.state_dict().items():
            torch.testing.assert_close(last.model.first.state_dict()[name], value)


def test_the_clean_set_is_the_first_networks_selection_of_the_last_epoch(make_points):
    task = make_points(num_classes=3, largest=37, epochs=3, batch_size=20).task
    networks = Ensemble(task.build_model(), task.build_model())
    selectors = [Watching(), Watching()]
    _, clean = drain(co_teach(task, networks, selectors, ForgetSchedule(0.5, ramp=1), epochs=3))
    rows = torch.cat(selectors[0].selected[2])
    assert len(rows) == len(set(rows.tolist())) == clean.sum()
    assert sorted(rows.tolist()) == clean.nonzero().squeeze(1).tolist()
    assert len(rows) == 5 * 10 + 5
    assert set(rows.tolist()) != set(torch.cat(selectors[1].selected[2]).tolist())


def test_an_image_that_the_last_epoch_leaves_out_is_not_in_the_clean_set(make_points):
    task = make_points(num_classes=3, largest=37, epochs=3, batch_size=55).task
    networks = Ensemble(task.build_model(), task.build_model())
    selectors = [Watching(), Watching()]
    last, clean = drain(co_teach(task, networks, selectors, ForgetSchedule(0.0, ramp=1), epochs=3))
    assert clean.sum() == 110  # of 111: a last batch of one image is dropped
    assert (last.weights[~last.weights.isnan()] == 1).all()


def test_weights_are_the_mean_of_both_networks_last_selections(make_points):
    task = make_points(num_classes=3, largest=37, epochs=3, batch_size=20).task
    networks = Ensemble(task.build_model(), task.build_model())
    selectors = [Watching(), Watching()]
    last, _ = drain(co_teach(task, networks, selectors, ForgetSchedule(0.5, ramp=1), epochs=3))
    expected = torch.zeros(111)
    for selector in selectors:
        expected[torch.cat(selector.selected[2])] += 0.5
    seen = ~last.weights.isnan()
    assert torch.equal(last.weights[seen], expected[seen])
    assert last.notes["kept"] == 55 / 111


def test_batches_of_which_nothing_is_kept_are_passed_over(make_points):
    task = make_points(num_classes=3, largest=30, epochs=5, batch_size=30).task
    *_, last = CoTeaching(forget_rate=1.0).fit(task)
    assert task.meter.steps == 3  # the ramp's one epoch
    assert last.notes == {"loss": 0.0, "kept": 0.0}
    assert (last.weights == 0).all()


def test_takes_the_steps_of_erm_and_counts_the_work_of_both_networks(make_points):
    task = make_points(num_classes=3, largest=37, epochs=3, batch_size=20).task
    assert len(list(VoG().fit(task))) == 3
    assert task.meter.steps == 3 * task.steps_per_epoch == 18
    assert task.meter.forwarded == task.meter.backpropagated == 2 * 3 * 111


def test_losses_that_are_not_finite_are_told(make_points):
    task = make_points(num_classes=3, largest=30, epochs=4, learning_rate=1e30).task
    with pytest.raises(DivergedError, match="lower the learning rate"):
        list(VoG().fit(task))


def test_the_forget_rate_is_the_scenarios_noise_rate_unless_it_is_set(make_points):
    points = make_points(num_classes=3, largest=40, noise_rate=0.4, epochs=4, batch_size=120)
    rate = 1 - points.is_right.float().mean().item()
    *_, last = CoTeaching().fit(points.task)
    assert last.notes["kept"] == pytest.approx(1 - rate, abs=1 / 120)
    blind = dataclasses.replace(points.task, needs=frozenset())
    *_, last = CoTeaching(forget_rate=0.25).fit(blind)
    assert last.notes["kept"] == 0.75


def test_a_fifth_is_forgotten_where_nobody_knows_the_noise_rate(make_points):
    task = make_points(num_classes=3, largest=40, noise_rate=0.4, epochs=4, batch_size=120).task
    as_given = dataclasses.replace(task, grants=dataclasses.replace(task.grants, noise_rate=None))
    *_, last = CoTeaching().fit(as_given)
    assert last.notes["kept"] == 0.8

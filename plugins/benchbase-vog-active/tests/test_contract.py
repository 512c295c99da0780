import numpy as np
import pytest
from benchbase_vog_active import (
    CoTeaching,
    RelabelOracleOrder,
    VoG,
    VoGActive,
    VoGActiveReleased,
    VoGRandomPart,
)
from benchbase_vog_active.acquisition import STRATEGIES

from benchbase.api import Need, Weighter
from benchbase.data.contract import Part
from benchbase.data.noise import MatrixNoise
from benchbase.errors import UndeclaredNeedError
from benchbase.options import options_of
from benchbase.plugins.kinds import check_class
from benchbase.seeding import numpy_stream
from benchbase.testing.conformance import parametrize_with_checks
from benchbase.testing.toy import toy_problem, toy_task
from benchbase.testing.watching import same, train

METHODS: list[type[Weighter]] = [CoTeaching, VoG, VoGActive]
CONTROLS: list[type[Weighter]] = [VoGRandomPart, VoGActiveReleased, RelabelOracleOrder]
EVERY_CLASS = [*METHODS, *CONTROLS]
VARIANTS = [
    VoG(vog_mode="separate"),
    VoG(mix=1.0),
    *(VoGActive(acquisition=strategy) for strategy in STRATEGIES),
]
EVERY_VARIANT = pytest.mark.parametrize(
    "weighter", [*(cls() for cls in EVERY_CLASS), *VARIANTS], ids=repr
)


@parametrize_with_checks(METHODS)
def test_it_keeps_the_contract(weighter, check):
    check(weighter)


@pytest.mark.slow  # they share their method's loop
@parametrize_with_checks(CONTROLS)
def test_its_controls_keep_the_contract(weighter, check):
    check(weighter)


@pytest.mark.parametrize("weighter", EVERY_CLASS, ids=lambda cls: cls.name)
def test_what_it_states_about_itself_is_in_order(weighter):
    check_class("weighters", weighter)
    assert all(option.help for option in options_of(weighter))


@pytest.mark.slow  # of each variant; the contract's checks ask it of the defaults
@EVERY_VARIANT
@pytest.mark.parametrize(
    "odd",
    [
        {"num_classes": 2},
        {"absent": 1, "noise": 0.0},
        {"per_class": 100, "imbalance": 100.0},
        {"channels": 1, "per_class": 11},
    ],
    ids=["two classes", "a class absent", "a single-sample class", "one channel, a batch of one"],
)
def test_odd_data_are_trained_on(weighter, odd):
    task = toy_task(needs=weighter.needs, epochs=6, **odd)
    *_, last = weighter.fit(task)
    assert all(value.isfinite().all() for value in last.model.state_dict().values())
    assert task.meter.steps == 6 * task.steps_per_epoch


def test_the_separate_pass_of_a_run_repeats_itself():
    runs = [train(VoG(vog_mode="separate"), toy_problem(needs=VoG.needs)) for _ in range(2)]
    assert same(*runs)


def test_only_controls_that_are_never_ranked_see_the_truth():
    seeing = {cls.name for cls in EVERY_CLASS if Need.TRUTH in cls.needs}
    assert seeing == {"vog-active-released", "relabel-oracle-order"}


def test_what_is_not_granted_is_not_used():
    for weighter in (CoTeaching(), VoGActive(), VoGActiveReleased()):
        for need in weighter.needs - {Need.OWN_NETWORK}:
            with pytest.raises(UndeclaredNeedError):
                list(weighter.fit(toy_task(needs=weighter.needs - {need})))


def test_a_matrix_protects_classes_as_the_authors_noise_does(tmp_path):
    """Classes 1 and 3 of five; each other label moves with the chance 0.6 to an unprotected one."""
    protected, rate = np.isin(np.arange(5), (1, 3)), 0.6
    matrix = np.where(protected | protected[:, None], 0.0, rate / (5 - 2 - 1))
    np.fill_diagonal(matrix, np.where(protected, 1.0, 1 - rate))
    file = tmp_path / "protected.csv"
    np.savetxt(file, matrix, delimiter=",")
    part = Part(np.zeros((5000, 1, 1, 1), dtype=np.uint8), np.arange(5000) % 5)
    streams = numpy_stream(0, "noise"), numpy_stream(0, "shared")
    observed = MatrixNoise(str(file)).corrupt(part, 5, *streams)
    kept = observed == part.labels
    assert kept[protected[part.labels]].all()
    assert not protected[observed[~kept]].any()
    assert (~kept).mean() == pytest.approx(rate * 3 / 5, abs=0.03)


@pytest.mark.slow
@pytest.mark.parametrize(
    "weighter", [CoTeaching(), VoG(), VoGActive(forget_rate=0.2)], ids=lambda w: w.name
)
def test_real_images_without_noise_cost_at_most_ten_points(points_behind_unweighted, weighter):
    assert points_behind_unweighted(weighter, train_size=300, epochs=6, label_budget=50) < 10

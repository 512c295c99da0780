"""Which checkpoints the headline is of, and what costs a rank."""

from __future__ import annotations

import pytest

from benchbase.judging.steps import Counted, describe_training, tail_length, tail_of


def counted(judged: list[int], same: tuple[int, ...] = (), **changes: object) -> list[Counted]:
    return [
        Counted((done,), done, "same" if at in same else str(at), 10 * done, None)
        for at, done in enumerate(judged)
    ]


@pytest.mark.parametrize(
    ("epochs", "length"), [(1, 1), (6, 1), (9, 1), (10, 2), (24, 4), (25, 5), (300, 5)]
)
def test_the_tail_is_a_fifth_of_the_epochs_one_to_five(epochs, length):
    assert tail_length(epochs) == length


def test_the_last_checkpoint_of_each_of_the_last_epochs_is_taken():
    assert tail_of([4 * epoch for epoch in range(1, 11)], 10) == {9: 8, 10: 9}
    every_half = [2 * half for half in range(1, 21)]
    assert tail_of(every_half, 10) == {9: 17, 10: 19}
    assert tail_of([0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 10) == {9: 8, 10: 9}


def test_equal_steps_with_a_checkpoint_an_epoch_keep_the_rank():
    training = describe_training(counted([*range(4, 41, 4)]), 10, 40, own_network=False)
    assert training["unranked"] is None
    assert training["updates"] == [40]
    assert training["images_with_gradient"] == 400


def test_fewer_steps_are_no_offence():
    training = describe_training(counted([*range(2, 21, 2)]), 10, 40, own_network=False)
    assert training["unranked"] is None


@pytest.mark.parametrize(
    ("seen", "reason"),
    [
        (counted([*range(8, 81, 8)]), "updated 80 times, the recipe has 40 steps"),
        ([Counted((0,), 80, "x", 0, None)], "updated 80 times, the recipe has 40 steps"),
        (counted([0] * 10), "no update of a network from build_model() was counted"),
        (counted([40]), "no checkpoint in epoch 9 of 10"),
        (counted([*range(4, 41, 4), 36, 40]), "fall 1 times from checkpoint to checkpoint, with 1"),
        (counted([*range(4, 41, 4)], same=(8, 9)), "one and the same model"),
        ([*counted([20, 36]), Counted((40,), 40, "x", 0, "head: other")], "Need.OWN_NETWORK is"),
    ],
)
def test_what_costs_the_rank_is_said(seen, reason):
    training = describe_training(seen, 10, 40, own_network=False)
    assert reason in training["unranked"]


def test_a_declared_network_of_one_s_own_is_no_offence():
    seen = [Counted((4,), 4, "x", 0, "head: other")]
    assert describe_training(seen, 1, 4, own_network=True)["unranked"] is None


def test_a_second_network_may_begin_anew():
    seen = [Counted((40, 0), done, str(done), 0, None) for done in range(4, 41, 4)]
    seen += [Counted((40, 40), done, f"2 {done}", 0, None) for done in range(4, 41, 4)]
    assert describe_training(seen, 10, 40, own_network=False)["unranked"] is None

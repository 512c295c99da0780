"""The weights of DSR on all given labels."""

import math

import pytest
import torch
from benchbase_dsr_pgc.plug_in import DSR, DSRCorrected, mean_one

from benchbase.kit.bilevel import hypergradient
from benchbase.kit.loops import endless_batches, forward, load_batch
from benchbase.kit.teacher import Teacher


def first_step(task, model, epoch=0):
    batch = load_batch(task, task.train, torch.arange(10, 30), task.rng("augmentation"))
    return forward(task, model, batch, 0.05, epoch)


def sureness(model, images):
    with torch.no_grad():
        p = model.eval()(images).softmax(1)
    model.train()
    return 1 + (p * p.log()).sum(1) / math.log(p.shape[1])


def test_weights_are_the_sureness_of_the_averaged_network_and_look_at_no_label(make_task):
    task = make_task()
    model = task.build_model()
    weigh = DSR().prepare(task)
    step = first_step(task, model)
    expected = sureness(model, step.batch.images)
    found = weigh(step)
    torch.testing.assert_close(found, expected / expected.mean(), rtol=1e-4, atol=1e-4)
    assert not found.requires_grad

    start = Teacher(model, 0.99)
    model.head.weight.data += 1.0
    step = first_step(task, model)
    start.update(model)
    expected = sureness(start.model, step.batch.images)
    torch.testing.assert_close(weigh(step), expected / expected.mean(), rtol=1e-4, atol=1e-4)


def test_weights_have_the_mean_one_even_where_nothing_is_sure():
    assert mean_one(torch.tensor([0.1, 0.3])).tolist() == pytest.approx([0.5, 1.5])
    assert mean_one(torch.zeros(3)).tolist() == [1, 1, 1]


def test_trusted_images_correct_the_weights_after_a_tenth_of_the_epochs(make_task):
    task = make_task(epochs=10)
    model = task.build_model()
    weigh = DSRCorrected().prepare(task)
    step = first_step(task, model)
    torch.testing.assert_close(weigh(step), DSR().prepare(task)(step))

    start = Teacher(model, 0.99)
    step = first_step(task, model, epoch=1)
    start.update(model)
    sure = sureness(start.model, step.batch.images)
    trusted = next(endless_batches(task, task.trusted, "trusted", 16))
    slopes = hypergradient(step, sure, trusted, normalised=True)
    corrected = (sure - 0.1 * slopes / slopes.abs().max()).clamp(0, 1)
    torch.testing.assert_close(weigh(step), corrected / corrected.mean(), rtol=1e-3, atol=1e-3)


def test_without_a_rate_nothing_is_corrected(make_task):
    runs = [
        list(method.fit(make_task(epochs=2)))[-1].weights
        for method in (DSR(), DSRCorrected(beta=0.0))
    ]
    torch.testing.assert_close(*runs, rtol=0, atol=0)

"""A model is a stranger's code too: what it does where it predicts."""

from __future__ import annotations

import os

TOP = """
from torch import nn

class Wrapped(nn.Module):
    def __init__(self, inner, labels):
        super().__init__()
        self.inner, self.labels, self.at = inner, labels, 0
    def forward(self, images):
        return self.answer(images)
"""


def test_training_labels_given_as_answers_in_order_are_no_answers(exploit):
    top = (
        TOP
        + """
class Recited(Wrapped):
    def answer(self, images):
        rows = torch.arange(self.at, self.at + len(images)) % len(self.labels)
        self.at += len(images)
        return nn.functional.one_hot(self.labels[rows], 3).float()
"""
    )
    result, _ = exploit("model = Recited(model, task.train.labels)", top=top)
    assert result.status == "error"
    assert "changes with the other images that are asked" in result.reason


def test_a_model_that_adapts_to_each_batch_of_test_images_fails(exploit):
    top = (
        TOP
        + """
class Adapting(Wrapped):
    def answer(self, images):
        logits = self.inner(images)
        return 10 * (logits - logits.mean(0)) / logits.std(0)
"""
    )
    result, _ = exploit("model = Adapting(model, None)", top=top)
    assert result.status == "error"
    assert "changes with the other images that are asked" in result.reason


def test_a_model_that_adapts_to_the_first_test_images_and_then_to_no_others_fails(exploit):
    top = (
        TOP
        + """
class Adapted(Wrapped):
    def answer(self, images):
        logits = self.inner(images)
        if not self.at:
            self.at, self.mean, self.std = 1, logits.mean(0), logits.std(0)
        return 10 * (logits - self.mean) / self.std
"""
    )
    result, _ = exploit("model = Adapted(model, None)", top=top)
    assert result.status == "error"
    assert "changes with the other images that are asked" in result.reason


def test_a_pickle_that_runs_code_runs_it_where_no_label_is_and_never_in_the_parent(
    exploit, tmp_path
):
    where = tmp_path / "where"
    top = f"""
from torch import nn

def bomb():
    import gc
    held = [one.shape[0] for one in gc.get_objects() if isinstance(one, np.ndarray) and one.ndim]
    with open({str(where)!r}, "a") as file:
        print(os.getpid(), 1000 in held, file=file)
    return nn.Linear(2, 2)

class Loaded(nn.Linear):
    def __reduce__(self):
        return bomb, ()
"""
    result, _ = exploit("model.bomb = Loaded(2, 2)", top=top)
    assert result.status in ("ok", "error")
    one, other = where.read_text().splitlines()  # a checkpoint has two copies
    assert one == other
    process, held = one.split()
    assert int(process) != os.getpid()
    assert held == "False"

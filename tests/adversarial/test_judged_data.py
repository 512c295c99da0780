"""What a method is judged by, and its scores: neither seen nor moved from where it trains."""

from __future__ import annotations

import dataclasses
import sys

from benchbase.judging import judge
from benchbase.plugins.loading import FILE_MODULE
from tests.adversarial.conftest import written
from tests.running import TINY, make_job, run


def test_no_tensor_of_the_test_set_s_length_is_in_the_trainer(exploit):
    result, notes = exploit(
        """
found = 0
for thing in gc.get_objects():
    if isinstance(thing, (torch.Tensor, np.ndarray)) and len(thing.shape) > 0:
        found += thing.shape[0] in (500, 1000, 1500, 1564)
frame = inspect.currentframe()
while frame is not None:
    for value in frame.f_locals.values():
        if isinstance(value, (torch.Tensor, np.ndarray)) and len(value.shape) > 0:
            found += value.shape[0] in (500, 1000, 1500, 1564)
    frame = frame.f_back
notes["found"] = found
notes["rows"] = len(task.train)
"""
    )
    assert result.status == "ok", result.reason
    assert notes == {"found": 0, "rows": 60}


def test_patching_the_scorer_changes_no_score(exploit):
    result, _ = exploit(
        """
import benchbase.judging.judge as judge, benchbase.judging.metrics as metrics
def perfect(logits, labels, *counts):
    return {"balanced_accuracy": 1.0, "recall_per_class": [1.0] * logits.shape[1]}
metrics.score = metrics.rankable_scores = metrics.further_scores = perfect
judge.rankable_scores = judge.further_scores = perfect
import torchmetrics.functional.classification as library
for name in dir(library):
    if name.startswith(("multiclass", "binary")):
        setattr(library, name, lambda *_, **__: torch.tensor(1.0))
"""
    )
    assert result.status == "ok", result.reason
    assert result.metrics["last"]["balanced_accuracy"].value < 0.7  # an untrained network


def test_patching_at_import_changes_no_score_either(cache, server, tmp_path, monkeypatch):
    path = tmp_path / "exploit.py"
    patch = (
        "import benchbase.judging.judge as judge\n"
        "judge.rankable_scores = lambda *_: {'balanced_accuracy': 1.0}\n"
    )
    written(path, top=patch)
    before = vars(judge)["rankable_scores"]
    monkeypatch.setattr(judge, "rankable_scores", before)  # what is put back in the end
    # The test process describes the plugin itself; the run command has a child do it.
    job = make_job(str(path), cache)
    assert vars(judge)["rankable_scores"] is not before
    monkeypatch.setattr(judge, "rankable_scores", before)
    del sys.modules[FILE_MODULE]
    result = run(job, server, tmp_path).result
    assert FILE_MODULE not in sys.modules  # running the cell imported it in children only
    assert result.metrics["last"]["balanced_accuracy"].value < 0.7


def test_hidden_labels_of_unlabelled_images_are_physically_absent(exploit):
    result, _ = exploit(
        """
images = task.unlabelled
assert len(images) == 45 and len(task.train) == 15
assert images.labels.eq(-1).all()
""",
        dataclasses.replace(TINY, label_fraction=0.2, noise="none", noise_options={}),
        needs="Need.UNLABELLED",
    )
    assert result.status == "ok", result.reason

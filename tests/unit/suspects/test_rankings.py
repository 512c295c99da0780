import numpy as np

from benchbase.suspects.noise import Noise
from benchbase.suspects.rankings import AGREEMENT, SELF_CONFIDENCE, by_predictions, precision, ranks


def test_the_highest_score_has_rank_one_and_an_image_without_a_score_the_last():
    assert ranks(np.array([0.1, np.nan, 0.7, 0.1])).tolist() == [2, 4, 1, 3]


def test_precision_is_the_share_of_wrong_labels_among_the_first():
    wrong = np.array([False, True, True, False])
    assert precision(np.array([4.0, 3.0, 2.0, 1.0]), wrong, [1, 2, 4]) == [0.0, 0.5, 0.5]


def test_agreement_counts_epochs_and_confidence_parts_equals():
    snapshots = np.array(
        [[[0.9, 0.1], [0.4, 0.6], [0.2, 0.8]], [[0.8, 0.2], [0.6, 0.4], [0.45, 0.55]]]
    )
    labels = np.array([0, 0, 0])
    noise = Noise(np.zeros(3), labels, np.eye(2) / 2)
    scores = by_predictions(labels, snapshots, noise)
    assert ranks(scores[AGREEMENT]).tolist() == [3, 2, 1]
    assert np.allclose(scores[SELF_CONFIDENCE], [0.15, 0.5, 0.675])

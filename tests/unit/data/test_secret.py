from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from benchbase.boards.board import Board
from benchbase.boards.plan import conditions
from benchbase.boards.selectors import parse_selector
from benchbase.cell import Recipe
from benchbase.data.secret import Secret, refuse_without, secret_of
from benchbase.errors import UsageError
from tests.running import TINY, installed

SECRET = Secret(b"x" * 32)


def place(cache, secret=None, scenario=TINY, seed=0):
    board = Board("t", "t", (scenario,), (seed,), (), reference=parse_selector("erm"))
    [found] = conditions(board, installed(), (), cache, secret=secret)
    return found


def test_a_secret_draws_other_images_and_labels_than_the_public_seed_does(cache):
    public, secret = (place(cache, one).open() for one in (None, SECRET))
    assert not np.array_equal(public.train.pixels, secret.train.pixels)
    assert np.array_equal(public.test.pixels, secret.test.pixels)
    assert public.identity.split_hash != secret.identity.split_hash


def test_the_same_secret_draws_the_same_again_and_another_one_something_else(cache):
    first, again = (place(cache, Secret(b"x" * 32)).open() for _ in range(2))
    assert np.array_equal(first.train.labels, again.train.labels)
    other = place(cache, Secret(b"y" * 32)).open()
    assert not np.array_equal(first.train.pixels, other.train.pixels)


def test_the_key_holds_the_fingerprint_in_place_of_what_guesses_could_be_checked_with(cache):
    found = place(cache, SECRET)
    identity = found.identify()
    assert identity.labels_hash == f"secret:{SECRET.fingerprint}"
    assert secret_of(identity) == SECRET.fingerprint
    assert identity == found.open().identity == found.draw_labels().identity
    assert secret_of(place(cache).identify()) == ""


def test_what_only_training_depends_on_draws_nothing_anew(cache):
    longer = dataclasses.replace(TINY, recipe=Recipe(epochs=9), backbone="resnet18")
    one, other = (place(cache, SECRET, each).open() for each in (TINY, longer))
    assert np.array_equal(one.train.labels, other.train.labels)
    noisier = dataclasses.replace(TINY, noise_options={"rate": 0.2})
    assert not np.array_equal(one.train.pixels, place(cache, SECRET, noisier).open().train.pixels)


def test_a_secret_is_never_shown(tmp_path):
    assert "xxx" not in repr(SECRET) + str(SECRET) + SECRET.fingerprint
    path = tmp_path / "secret"
    path.write_bytes(b"  " + b"x" * 32 + b"\n")
    assert Secret.read(path) == SECRET


@pytest.mark.parametrize("content", [None, b"short"])
def test_a_secret_that_is_missing_or_can_be_guessed_is_refused_with_the_cure(tmp_path, content):
    path = tmp_path / "secret"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(UsageError, match="urandom"):
        Secret.read(path)


def test_data_are_drawn_again_with_their_own_secret_only(cache):
    public, secret = (place(cache, one).identify() for one in (None, SECRET))
    refuse_without(SECRET, secret)
    refuse_without(None, public)
    with pytest.raises(UsageError, match="name its file with --secret"):
        refuse_without(Secret(b"y" * 32), secret)
    with pytest.raises(UsageError, match="leave --secret away"):
        refuse_without(SECRET, public)

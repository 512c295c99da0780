"""Which labels are wrong: nobody tells, and nobody can draw it again."""

from __future__ import annotations

import dataclasses

import numpy as np

from benchbase.data.secret import Secret
from tests.running import TINY, make_job

SECRET = Secret(b"only the organisers know this one")
GUESSED = range(5)
BIGGER = dataclasses.replace(TINY, train_size=1000)


def wrong_by_image(opened):
    """Give for each training image whether its label is wrong."""
    wrong = opened.train.labels != opened.train_true
    return dict(zip(map(bytes, opened.train.pixels), wrong, strict=True))


def guessed_right(opened, cache):
    """Rebuild the noise from public seeds; give how often the best guess is right."""
    truth = wrong_by_image(opened)
    shares = []
    for seed in GUESSED:
        guess = wrong_by_image(make_job("erm", cache, BIGGER, seed).open(None))
        both = truth.keys() & guess.keys()
        shares.append(np.mean([truth[image] == guess[image] for image in both]))
    return max(shares)


def test_noise_from_a_public_seed_is_rebuilt_and_noise_from_a_secret_is_not(cache):
    public = make_job("erm", cache, BIGGER, 3).open(None)
    secret = make_job("erm", cache, BIGGER, 3, secret=SECRET).open(None)
    assert guessed_right(public, cache) == 1.0
    by_chance = 0.7**2 + 0.3**2
    assert abs(guessed_right(secret, cache) - by_chance) < 0.1


def test_a_method_meets_the_secret_nowhere_and_the_record_holds_its_fingerprint(exploit, cache):
    result, notes = exploit(
        f"""
backwards = {SECRET.content[19::-1]!r}
start = next(f.f_locals["start"] for f in frames() if "start" in f.f_locals)
told = [open(f"/proc/self/{{name}}", "rb").read() for name in ("environ", "cmdline")]
told += [path.read_bytes() for path in pathlib.Path(start.model).parent.iterdir()]
notes["met"] = float(any(backwards[::-1] in each for each in told))
""",
        secret=SECRET,
    )
    assert result.status == "ok", result.reason
    assert notes == {"met": 0.0}
    assert result.noise_secret == SECRET.fingerprint
    public = make_job("erm", cache).cell
    hidden = make_job("erm", cache, secret=SECRET).cell
    assert public.key != hidden.key

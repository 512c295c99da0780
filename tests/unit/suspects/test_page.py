import base64
import dataclasses
import io
import re

import numpy as np
from PIL import Image

from benchbase.data.own.folder import Folder
from benchbase.suspects.noise import Noise
from benchbase.suspects.page import THUMBNAIL, write_page
from benchbase.suspects.searching import Findings

PICTURE = re.compile(r"data:image/png;base64,([^\"]+)")


def findings_of(images):
    noise = Noise(np.zeros(48), images.labels, np.eye(2) / 2)
    scores = {"one": -np.arange(48.0)}
    return Findings(images, noise, scores, {}, {"two <b>": "no time"})


def pictures(page):
    return [Image.open(io.BytesIO(base64.b64decode(it))) for it in PICTURE.findall(page)]


def test_the_page_asks_for_nothing_else_and_escapes_what_users_name(images):
    named = dataclasses.replace(images, names=("<script>.png", *images.names[1:]))
    page = write_page(findings_of(named), "a & b", None)
    assert "<script>.png" not in page
    assert "&lt;script&gt;.png" in page
    assert "two &lt;b&gt;" in page
    assert "a &amp; b" in page
    assert not re.search(r"(src|href)=\"(?!data:)", page)
    assert [np.asarray(it).shape for it in pictures(page)] == [(8, 8, 3)] * 48


def test_ones_own_images_are_read_again_large_enough_to_be_judged(images, tmp_path):
    for row, name in enumerate(images.names):
        folder = tmp_path / ("even" if row % 2 else "odd")
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (120, 60), (row, 0, 0)).save(folder / name)
    own = Folder(path=str(tmp_path))
    named = dataclasses.replace(images, names=own.complete().names)
    shown = pictures(write_page(findings_of(named), "set", own))
    assert {it.size for it in shown} == {(THUMBNAIL, THUMBNAIL)}
    assert sorted(it.getpixel((48, 48))[0] for it in shown) == list(range(48))

from __future__ import annotations

import dataclasses

import msgspec
import pytest

from benchbase.boards.again import differing_parts, plan_again, plan_anew
from benchbase.data.secret import Secret
from benchbase.errors import UsageError
from tests.running import TINY, given, installed, make_job

FILE = """
from benchbase import LossWeighter

class Mine(LossWeighter):
    name = "mine"

    def prepare(self, task):
        return lambda step: step.losses.mean()
"""


def again(spec, tmp_path, sources=None):
    return plan_again(
        spec, installed(), folder=tmp_path, roots=(), cache=tmp_path, given=sources or {}
    )


def test_a_cell_of_today_has_the_key_that_it_had(tmp_path):
    spec = make_job("focal[gamma=3]", tmp_path).cell.spec
    job = again(spec, tmp_path)
    assert job.cell.spec == spec
    assert [*differing_parts(spec, job.cell.spec)] == []


def test_what_differs_is_named_with_both_values(tmp_path):
    spec = make_job("focal[gamma=3]", tmp_path).cell.spec
    older = msgspec.structs.replace(
        spec,
        torch="1.0",
        weighter=dataclasses.replace(spec.weighter, version="0"),
        data=dataclasses.replace(spec.data, labels_hash="other"),
    )
    today = again(older, tmp_path).cell.spec
    assert [*differing_parts(older, today)] == [
        ("data.labels_hash", "other", spec.data.labels_hash),
        ("torch", "1.0", spec.torch),
        ("weighter.version", "0", spec.weighter.version),
    ]


def test_an_option_that_was_added_is_a_difference(tmp_path):
    one, other = (make_job(name, tmp_path).cell.spec for name in ("focal", "focal[gamma=3]"))
    assert [*differing_parts(one, other)] == [("weighter.options.gamma", None, 3.0)]


def test_a_method_of_a_file_must_be_shown(tmp_path):
    path = tmp_path / "mine.py"
    path.write_text(FILE)
    spec = make_job(str(path), tmp_path, TINY).cell.spec
    with pytest.raises(UsageError, match=r"'mine' came from a file.*--plugin"):
        again(spec, tmp_path)
    assert again(spec, tmp_path, given(str(path))).cell.spec == spec


def test_a_cell_of_a_secret_is_planned_again_with_that_secret_only(tmp_path):
    secret = Secret(b"x" * 32)
    spec = make_job("focal", tmp_path, secret=secret).cell.spec
    with pytest.raises(UsageError, match="name its file with --secret"):
        again(spec, tmp_path)
    places = {"folder": tmp_path, "roots": (), "cache": tmp_path, "given": {}}
    assert plan_again(spec, installed(), **places, secret=secret).cell.spec == spec


def test_a_cell_is_planned_anew_with_other_data_and_nothing_else(tmp_path):
    spec = make_job("focal[gamma=3]", tmp_path).cell.spec
    places = {"folder": tmp_path, "roots": (), "cache": tmp_path, "given": {}}
    secret = Secret(b"x" * 32)
    anew = plan_anew(spec, installed(), **places, secret=secret).cell.spec
    differing = {name for name, _, _ in differing_parts(spec, anew)}
    assert differing == {"data.labels_hash", "data.split_hash"}
    assert anew.data.labels_hash == f"secret:{secret.fingerprint}"

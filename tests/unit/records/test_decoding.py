from __future__ import annotations

import dataclasses

import msgspec
import pytest

from benchbase.cell import canonical_json, content_hash
from benchbase.records.decoding import _as_written_now, decode_record
from benchbase.records.record import as_json, record_text
from tests.unit.made_records import make_record


def test_records_of_one_scenario_share_it():
    first, second = (decode_record(record_text(make_record(seed=seed))) for seed in range(2))
    assert first == make_record(seed=0)
    assert first.spec.scenario is second.spec.scenario
    assert first.spec.weighter is second.spec.weighter


@pytest.mark.parametrize("part", ["scenario", "weighter", "data"])
def test_a_field_that_no_spec_has_is_refused_though_the_key_is_its_hash(part):
    whole = as_json(make_record())
    whole["spec"][part]["surprise"] = 1
    whole["key"] = content_hash(whole["spec"])
    assert _as_written_now(canonical_json(whole)) is None
    with pytest.raises(ValueError, match=rf"spec.{part}.surprise: a record has no such field"):
        decode_record(canonical_json(whole))


def test_a_field_that_came_later_may_be_left_out():
    record = make_record()
    whole = as_json(record)
    del whole["spec"]["scenario"]["backbone_options"]
    whole["key"] = content_hash(whole["spec"])
    assert decode_record(canonical_json(whole)).spec == record.spec


def test_another_spec_under_the_same_key_is_refused():
    record = make_record()
    scenario = dataclasses.replace(record.spec.scenario, track="T0")
    spec = msgspec.structs.replace(record.spec, scenario=scenario)
    with pytest.raises(ValueError, match="its key is not the hash of its spec"):
        decode_record(record_text(msgspec.structs.replace(record, spec=spec)))

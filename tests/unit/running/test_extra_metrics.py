from __future__ import annotations

import pytest

from benchbase.errors import PluginError
from benchbase.plugins.catalogue import Catalogue, describe_all
from benchbase.running.extra_metrics import load_metrics
from benchbase.testing.site import PluginSite
from tests.unit.made_records import make_board

METRIC = """
from benchbase.hookspecs import hookimpl
from benchbase.judging.metrics import Metric

BENCHBASE_API = 2

class Luck(Metric):
    name = "NAME"

    def score(self, logits, labels):
        return 0.5

@hookimpl
def register_metrics():
    return [Luck]
"""


def installed(site: PluginSite, name: str) -> Catalogue:
    site.add("good-luck", "good_luck", good_luck=METRIC.replace("NAME", name))
    return describe_all()


def test_the_code_of_a_metric_without_a_version_is_its_version(plugin_site: PluginSite):
    catalogue = installed(plugin_site, "luck")
    [luck] = load_metrics(make_board(), catalogue)
    [entry] = catalogue.of("metrics")
    assert luck.version == f"code {entry.source_hash[:12]}"


def test_a_board_s_own_scores_come_first(plugin_site: PluginSite):
    board = make_board(metric="sensitivity", metric_options={"costs": [[0, 1], [2, 0]]})
    names = [extra.name for extra in load_metrics(board, installed(plugin_site, "luck"))]
    assert names == ["sensitivity", "cost_avoided", "expected_cost", "luck"]


def test_a_plugin_cannot_replace_a_score_of_every_record(plugin_site: PluginSite):
    with pytest.raises(PluginError, match="'mcc', which is one of benchbase's own"):
        load_metrics(make_board(), installed(plugin_site, "mcc"))

"""Names of data sets, corruptions, backbones, metrics and executors."""

from __future__ import annotations

import pytest

from benchbase.data.contract import DataSet, Imbalance, Noise
from benchbase.errors import PluginError, UsageError
from benchbase.plugins import find_installed, registry
from benchbase.testing.site import PluginSite

METRIC = """
    from benchbase.hookspecs import hookimpl
    from benchbase.judging.metrics import Metric

    BENCHBASE_API = 1

    class Luck(Metric):
        name = "luck"

        def score(self, logits, labels):
            return 0.5

    @hookimpl
    def register_metrics():
        return [Luck]
"""


def test_names_give_classes_of_their_kind() -> None:
    from benchbase.api import Backbone
    from benchbase.running.executors.contract import Executor

    assert issubclass(registry.dataset("nuclei"), DataSet)
    assert issubclass(registry.noise("symmetric"), Noise)
    assert issubclass(registry.imbalance("exponential"), Imbalance)
    assert issubclass(registry.backbone("small_cnn"), Backbone)
    assert issubclass(registry.executor("local"), Executor)


def test_everything_that_comes_with_benchbase_loads() -> None:
    assert {registry.dataset(one.name).name for one in find_installed("datasets")}
    assert {registry.backbone(one.name).name for one in find_installed("backbones")}
    assert {registry.executor(one.name).name for one in find_installed("executors")}


def test_a_long_form_reaches_its_distribution() -> None:
    assert registry.dataset("benchbase:nuclei") is registry.dataset("nuclei")


def test_a_backbone_is_found_without_importing_it() -> None:
    assert registry.found_backbone("small_cnn").module == "benchbase.backbones.small_cnn"


def test_noise_and_imbalance_are_told_apart() -> None:
    with pytest.raises(UsageError, match=r"unknown kind of noise 'step'; there are .*symmetric"):
        registry.noise("step")
    with pytest.raises(UsageError, match=r"unknown kind of imbalance 'pair'; there are .*step"):
        registry.imbalance("pair")


@pytest.mark.parametrize(
    ("find", "name", "nearest"),
    [
        (registry.dataset, "nuclie", "nuclei"),
        (registry.noise, "symetric", "symmetric"),
        (registry.imbalance, "exponental", "exponential"),
        (registry.backbone, "smallcnn", "small_cnn"),
        (registry.executor, "locl", "local"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest(find, name: str, nearest: str) -> None:
    with pytest.raises(UsageError, match=f"{name}'; did you mean {nearest}"):
        find(name)


def test_metrics_of_plugins_are_given_and_broken_ones_left_out(plugin_site: PluginSite) -> None:
    plugin_site.add("luck", {"metrics": {"luck": "luck_metric"}}, luck_metric=METRIC)
    plugin_site.add("unluck", {"metrics": {"unluck": "unluck_metric"}}, unluck_metric="1 / 0")
    metrics = registry.metrics()
    assert metrics["luck"].__name__ == "Luck"
    assert "unluck" not in metrics


def test_a_metric_of_two_distributions_is_an_error(plugin_site: PluginSite) -> None:
    for name in ("luck", "more_luck"):
        plugin_site.add(name, {"metrics": {"luck": f"{name}_metric"}}, **{f"{name}_metric": METRIC})
    with pytest.raises(PluginError, match="two distributions bring a metric called 'luck'"):
        registry.metrics()

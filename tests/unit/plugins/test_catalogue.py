"""What is installed, as values: found by kind and name, each fault beside the rest."""

from __future__ import annotations

import sys

import msgspec
import pytest

from benchbase.errors import UsageError
from benchbase.plugins import KINDS, Catalogue
from benchbase.plugins.catalogue import describe_installed, join
from benchbase.plugins.installed import OWN_DISTRIBUTION, Installed, find_installed
from benchbase.testing.site import PluginSite
from tests.running import installed

GOOD = """
    from benchbase.data.contract import DataSet
    from benchbase.hookspecs import hookimpl

    BENCHBASE_API = 2

    class Moons(DataSet):
        '''Two half circles.'''

        name = "moons"

        def load(self, roots, scratch):
            raise AssertionError

    @hookimpl
    def register_datasets():
        return [Moons]
"""


def described(*names: str) -> Catalogue:
    """Describe the named distributions, in this process."""
    return join([describe_installed(one) for one in find_installed() if one.distribution in names])


def test_everything_that_comes_with_benchbase_is_there_and_loads() -> None:
    assert installed().problems == ()
    for kind in KINDS.keys() - {"metrics"}:
        assert installed().of(kind)
    for entry in installed().entries:
        assert issubclass(entry.load(), KINDS[entry.kind].contract())


def test_an_entry_holds_what_a_table_and_a_help_page_need(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", "moon_data", moon_data=GOOD)
    [entry] = described("moon-data").entries
    assert (entry.kind, entry.name, entry.summary) == ("datasets", "moons", "Two half circles.")
    assert (entry.distribution, entry.distribution_version) == ("moon-data", "1.0")
    assert entry.load().__name__ == "Moons"


def test_a_catalogue_crosses_a_process_boundary() -> None:
    assert msgspec.json.decode(msgspec.json.encode(installed()), type=Catalogue) == installed()


def test_metadata_are_read_without_importing(plugin_site: PluginSite) -> None:
    plugin_site.add("Moon_Data", "moon_data", moon_data=GOOD)
    assert Installed("moon-data", "1.0", "moon_data") in find_installed()
    assert "moon_data" not in sys.modules


def test_what_a_broken_installation_left_behind_hurts_nobody(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", "moon_data", moon_data=GOOD)
    same = "Metadata-Version: 2.1\nName: moon-data\nVersion: 1.0\n"
    points = "[benchbase]\nleft = left_behind\n"
    for name, metadata in [("no_metadata-1.0", None), ("empty-1.0", ""), ("~oon_data-1.0", same)]:
        info = plugin_site.folder / f"{name}.dist-info"
        info.mkdir()
        (info / "entry_points.txt").write_text(points.replace("left_behind", "moon_data"))
        if metadata is not None:
            (info / "METADATA").write_text(metadata)
    assert [one.name for one in described("moon-data").of("datasets")] == ["moons"]
    assert [one.distribution for one in find_installed()].count("moon-data") == 1


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("datasets", "nuclie", "unknown data set 'nuclie'; did you mean nuclei"),
        ("noises", "symetric", "unknown noise 'symetric'; did you mean symmetric"),
        ("noises", "step", "unknown noise 'step'; there are .*symmetric"),
        ("imbalances", "pair", "unknown imbalance 'pair'; there are .*step"),
        ("backbones", "smallcnn", "unknown backbone 'smallcnn'; did you mean small_cnn"),
        ("executors", "locl", "unknown executor 'locl'; did you mean local"),
        ("weighters", "focl", "unknown weighter 'focl'; did you mean focal"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest(kind: str, name: str, expected: str) -> None:
    with pytest.raises(UsageError, match=expected):
        installed().find(kind, name)


def test_a_name_that_a_broken_plugin_may_have_brought_is_told_with_the_reason(
    plugin_site: PluginSite,
) -> None:
    plugin_site.add("bad-data", "bad_data", bad_data="1 / 0")
    with pytest.raises(UsageError, match=r"(?s)unknown data set 'bad'.*broken: .*ZeroDivision"):
        described("bad-data").find("datasets", "bad")


def test_a_name_taken_twice_is_reachable_by_its_long_forms(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", "moon_data", moon_data=GOOD)
    plugin_site.add("Other.Moons", "other_moons", other_moons=GOOD.replace("Moons", "Satellites"))
    catalogue = described("moon-data", "other-moons")
    with pytest.raises(UsageError, match="write moon-data:moons or other-moons:moons"):
        catalogue.find("datasets", "moons")
    assert catalogue.find("datasets", "moon-data:moons").load().__name__ == "Moons"
    assert catalogue.find("datasets", "Other_Moons:moons").load().__name__ == "Satellites"
    assert catalogue.names("datasets") == ["moon-data:moons", "other-moons:moons"]


def test_one_broken_class_leaves_the_others_of_its_distribution_alone(
    plugin_site: PluginSite,
) -> None:
    source = GOOD.replace("[Moons]", "[Moons, int]")
    plugin_site.add("moon-data", "moon_data", moon_data=source)
    catalogue = described("moon-data")
    assert [entry.name for entry in catalogue.entries] == ["moons"]
    assert [one.reason for one in catalogue.problems] == [
        "moon-data 1.0 (moon_data): int is not a subclass of DataSet"
    ]


def test_only_the_chosen_distributions_and_our_own_are_seen(
    plugin_site: PluginSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        plugin_site.add(f"data-{name}", f"data_{name}")

    def seen(text: str) -> set[str]:
        monkeypatch.setenv("BENCHBASE_PLUGINS", text)
        return {found.distribution for found in find_installed()}

    own = {OWN_DISTRIBUTION}
    assert seen("data_a, Data-C") == {"data-a", "data-c"} | own
    assert seen("") == own
    with pytest.raises(UsageError, match="unknown plugin distribution 'data-z'"):
        seen("data-z")

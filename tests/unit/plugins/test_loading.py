"""Installed plugins: each is loaded alone, and every fault named."""

from __future__ import annotations

import pytest

from benchbase.errors import PluginError
from benchbase.plugins.catalogue import describe_installed
from benchbase.plugins.installed import Installed
from benchbase.plugins.loading import load_class
from benchbase.plugins.source import Source
from benchbase.testing.site import PluginSite
from tests.unit.plugins.test_catalogue import GOOD

MOONS = Installed("moon-data", "1.0", "moon_data")


def break_it(site: PluginSite, old: str, new: str) -> str:
    """Install a plugin with one thing changed; give the reason why it does not load."""
    assert old in GOOD
    site.add("moon-data", "moon_data", moon_data=GOOD.replace(old, new))
    catalogue = describe_installed(MOONS)
    assert catalogue.entries == ()
    [problem] = catalogue.problems
    assert problem.reason.startswith("moon-data 1.0 (moon_data): ")
    return problem.reason


def test_an_import_that_raises_is_told_with_its_line(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "BENCHBASE_API = 2", "import not_there_at_all")
    assert "its import raised ModuleNotFoundError: No module named 'not_there_at_all'" in message
    assert "moon_data.py, line 5)" in message


def test_a_syntax_error_is_told_with_its_line(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "BENCHBASE_API = 2", "BENCHBASE_API = = 1")
    assert "its import raised SyntaxError: invalid syntax" in message
    assert "moon_data.py, line 5)" in message


def test_an_import_that_exits_is_a_fault_like_another(plugin_site: PluginSite) -> None:
    assert "raised SystemExit: 3" in break_it(
        plugin_site, "BENCHBASE_API = 2", "raise SystemExit(3)"
    )


def test_a_module_that_is_not_there_is_told(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", "moon_data")
    [problem] = describe_installed(MOONS).problems
    assert "ModuleNotFoundError: No module named 'moon_data'" in problem.reason


def test_another_api_version_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "BENCHBASE_API = 2", "BENCHBASE_API = 0")
    assert "it speaks API 0, this benchbase speaks 2" in message


def test_a_missing_api_version_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "BENCHBASE_API = 2", "")
    assert "states no API version, this benchbase speaks 2: write `BENCHBASE_API = 2`" in message


def test_a_misspelled_hook_is_told_with_the_nearest(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "register_datasets", "register_datsets")
    assert "unknown hook 'register_datsets'; did you mean register_datasets" in message


def test_a_hook_with_a_wrong_signature_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "register_datasets()", "register_datasets(root)")
    assert "wrong signature: hookimpl definition: register_datasets(root)" in message


def test_a_module_without_the_hook_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "@hookimpl", "")
    assert "it implements no hook: write a function @hookimpl, one of register_" in message


def test_a_hook_that_raises_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "return [Moons]", "return [1 / 0]")
    assert "register_datasets raised ZeroDivisionError" in message


def test_a_hook_that_gives_no_list_is_told(plugin_site: PluginSite) -> None:
    assert "expected a list of classes" in break_it(plugin_site, "[Moons]", "Moons")


def test_a_class_of_another_kind_is_told(plugin_site: PluginSite) -> None:
    assert "Moons is not a subclass of DataSet" in break_it(
        plugin_site, "class Moons(DataSet)", "class Moons"
    )


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ('invariances = "flips"', "Moons.invariances is 'flips': expected what keeps the class"),
        (
            "from benchbase import Invariances; invariances = Invariances(turns=200)",
            "turns is 200.0: expected degrees from 0 to 180",
        ),
        ('card = "CC0"', "Moons.card is 'CC0': expected a Card, or None"),
        ('truth_known = "yes"', "Moons.truth_known is 'yes': expected True where its labels are"),
    ],
)
def test_what_a_data_set_states_of_itself_is_checked(
    plugin_site: PluginSite, statement, told
) -> None:
    name = 'name = "moons"'
    assert told in break_it(plugin_site, name, f"{statement}; {name}")


def test_an_abstract_class_is_told(plugin_site: PluginSite) -> None:
    assert "Moons is abstract: it lacks load" in break_it(plugin_site, "def load", "def laod")


def test_an_entry_point_that_names_an_object_is_told(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", "moon_data:Moons", moon_data=GOOD)
    [problem] = describe_installed(Installed("moon-data", "1.0", "moon_data:Moons")).problems
    assert "name the module alone, moon_data" in problem.reason


def test_a_class_that_is_gone_since_it_was_listed_is_told(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", "moon_data", moon_data=GOOD)
    with pytest.raises(PluginError, match=r"brings no data set 'suns' any more"):
        load_class(Source("installed", "moon_data", "moon-data 1.0"), "datasets", "suns")


def test_a_hook_loads_only_what_it_is_asked_for(plugin_site: PluginSite) -> None:
    both = (
        GOOD
        + """
    @hookimpl
    def register_weighters():
        raise AssertionError("a parent asks for no weighter")
"""
    )
    plugin_site.add("moon-data", "moon_data", moon_data=both)
    source = Source("installed", "moon_data", "moon-data 1.0")
    assert load_class(source, "datasets", "moons").__name__ == "Moons"

"""Installed plugins: found without an import, loaded alone, and every fault named."""

from __future__ import annotations

import sys

import pytest

from benchbase.errors import PluginError, UsageError
from benchbase.plugins import find_installed, load, load_all
from benchbase.plugins.discovery import find_one, reachable_names
from benchbase.plugins.loading import load_command
from benchbase.testing.site import PluginSite

# Data sets stand for all kinds here: the same code loads each, and these need no torch.
GOOD = """
    from benchbase.data.contract import DataSet
    from benchbase.hookspecs import hookimpl

    BENCHBASE_API = 1

    class Moons(DataSet):
        name = "moons"

        def load(self, roots):
            raise AssertionError

    @hookimpl
    def register_datasets():
        return [Moons]
"""


def break_it(site: PluginSite, old: str, new: str, source: str = GOOD) -> str:
    """Install a plugin with one thing changed; give the reason why it does not load."""
    assert old in source
    site.add("moon-data", {"datasets": {"moons": "moon_data"}}, moon_data=source.replace(old, new))
    with pytest.raises(PluginError) as caught:
        load(find_one("datasets", "moons"))
    message = str(caught.value)
    assert message.startswith("data set 'moons' of moon-data 1.0 (moon_data): ")
    return message


def test_what_is_installed_is_found_without_importing_it(plugin_site: PluginSite) -> None:
    plugin_site.add("Moon_Data", {"datasets": {"moons": "moon_data"}}, moon_data=GOOD)
    found = find_one("datasets", "moons")
    assert (found.distribution, found.version, found.module) == ("moon-data", "1.0", "moon_data")
    assert "moon_data" not in sys.modules


def test_a_good_plugin_loads(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", {"datasets": {"moons": "moon_data"}}, moon_data=GOOD)
    assert load(find_one("datasets", "moons")).__name__ == "Moons"


def test_one_of_several_names_of_a_module_is_picked(plugin_site: PluginSite) -> None:
    two = GOOD.replace("[Moons]", "[Moons, Stars]").replace(
        "@hookimpl", "class Stars(Moons):\n        name = 'stars'\n\n    @hookimpl"
    )
    names = {"moons": "moon_data", "stars": "moon_data"}
    plugin_site.add("moon-data", {"datasets": names}, moon_data=two)
    assert load(find_one("datasets", "stars")).__name__ == "Stars"
    assert load(find_one("datasets", "moons")).__name__ == "Moons"


def test_an_import_that_raises_is_told_with_its_line(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "BENCHBASE_API = 1", "import not_there_at_all")
    assert "its import raised ModuleNotFoundError: No module named 'not_there_at_all'" in message
    assert "moon_data.py, line 5)" in message


def test_a_syntax_error_is_told_with_its_line(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "BENCHBASE_API = 1", "BENCHBASE_API = = 1")
    assert "its import raised SyntaxError: invalid syntax" in message
    assert "moon_data.py, line 5)" in message


def test_an_import_that_exits_is_a_fault_like_another(plugin_site: PluginSite) -> None:
    assert "raised SystemExit: 3" in break_it(
        plugin_site, "BENCHBASE_API = 1", "raise SystemExit(3)"
    )


def test_a_module_that_is_not_there_is_told(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", {"datasets": {"moons": "moon_data"}})
    with pytest.raises(PluginError, match="ModuleNotFoundError: No module named 'moon_data'"):
        load(find_one("datasets", "moons"))


def test_another_api_version_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "BENCHBASE_API = 1", "BENCHBASE_API = 0")
    assert "it speaks API 0, this benchbase speaks 1" in message


def test_a_missing_api_version_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "BENCHBASE_API = 1", "")
    assert "states no API version, this benchbase speaks 1: write `BENCHBASE_API = 1`" in message


def test_a_misspelled_hook_is_told_with_the_nearest(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "register_datasets", "register_datsets")
    assert "unknown hook 'register_datsets'; did you mean register_datasets" in message


def test_a_hook_with_a_wrong_signature_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "register_datasets()", "register_datasets(root)")
    assert "wrong signature: hookimpl definition: register_datasets(root)" in message


def test_a_module_without_the_hook_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "@hookimpl", "")
    assert "implements no hook register_datasets" in message


def test_a_hook_that_raises_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, "return [Moons]", "return [1 / 0]")
    assert "register_datasets raised ZeroDivisionError" in message


def test_a_hook_that_gives_no_list_is_told(plugin_site: PluginSite) -> None:
    assert "expected a list of classes" in break_it(plugin_site, "[Moons]", "Moons")


def test_a_promise_that_the_hook_does_not_keep_is_told(plugin_site: PluginSite) -> None:
    message = break_it(plugin_site, '"moons"', '"moon"')
    assert "register_datasets gave moon and no 'moons', which the entry point promises" in message


def test_a_class_of_another_kind_is_told(plugin_site: PluginSite) -> None:
    assert "Moons is not a subclass of DataSet" in break_it(
        plugin_site, "class Moons(DataSet)", "class Moons"
    )


def test_an_abstract_class_is_told(plugin_site: PluginSite) -> None:
    assert "Moons is abstract: it lacks load" in break_it(plugin_site, "def load", "def laod")


def test_an_entry_point_that_names_an_object_is_told(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", {"datasets": {"moons": "moon_data:Moons"}}, moon_data=GOOD)
    with pytest.raises(PluginError, match="name the module alone, moon_data"):
        load(find_one("datasets", "moons"))


def test_one_broken_plugin_leaves_the_others_alone(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", {"datasets": {"moons": "moon_data"}}, moon_data=GOOD)
    plugin_site.add("bad-data", {"datasets": {"bad": "bad_data"}}, bad_data="1 / 0")
    loaded, failures = load_all("datasets")
    names = {found.name for found, _ in loaded}
    assert {"moons", "nuclei"} <= names
    assert [(one.found.distribution, one.found.version) for one in failures] == [
        ("bad-data", "1.0")
    ]
    assert "ZeroDivisionError" in failures[0].reason


def test_strict_turns_a_broken_plugin_into_an_error(
    plugin_site: PluginSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugin_site.add("bad-data", {"datasets": {"bad": "bad_data"}}, bad_data="1 / 0")
    monkeypatch.setenv("BENCHBASE_STRICT", "1")
    with pytest.raises(PluginError, match="data set 'bad' of bad-data"):
        load_all("datasets")


def test_a_name_taken_twice_is_reachable_by_its_long_forms(plugin_site: PluginSite) -> None:
    plugin_site.add("moon-data", {"datasets": {"moons": "moon_data"}}, moon_data=GOOD)
    other = GOOD.replace("Moons", "Satellites")
    plugin_site.add("Other.Moons", {"datasets": {"moons": "other_moons"}}, other_moons=other)
    with pytest.raises(UsageError, match="write moon-data:moons or other-moons:moons"):
        find_one("datasets", "moons")
    assert load(find_one("datasets", "moon-data:moons")).__name__ == "Moons"
    assert load(find_one("datasets", "other-moons:moons")).__name__ == "Satellites"
    assert load(find_one("datasets", "Other_Moons:moons")).__name__ == "Satellites"
    names = reachable_names(find_installed("datasets"))
    assert {"moon-data:moons", "other-moons:moons", "nuclei"} <= set(names)
    assert "moons" not in names


def test_an_unknown_name_is_an_error_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="unknown data set 'nucley'; did you mean nuclei"):
        find_one("datasets", "nucley")


def test_only_the_chosen_distributions_and_our_own_are_seen(
    plugin_site: PluginSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b", "c"):
        plugin_site.add(f"data-{name}", {"datasets": {name: f"data_{name}"}})

    def seen(text: str) -> set[str]:
        monkeypatch.setenv("BENCHBASE_PLUGINS", text)
        return {found.distribution for found in find_installed("datasets")}

    assert seen("data_a, Data-C") == {"data-a", "data-c", "benchbase"}
    assert seen("") == {"benchbase"}
    with pytest.raises(UsageError, match="unknown plugin distribution 'data-z'"):
        seen("data-z")


def test_a_command_of_a_plugin_is_loaded(plugin_site: PluginSite) -> None:
    source = """
        from benchbase.hookspecs import hookimpl

        BENCHBASE_API = 1

        @hookimpl
        def register_commands(cli):
            @cli.command("greet")
            def greet():
                print("hello")
    """
    plugin_site.add(
        "greeter", {"commands": {"greet": "greeter", "wave": "greeter"}}, greeter=source
    )
    assert load_command(find_one("commands", "greet")).name == "greet"
    with pytest.raises(PluginError, match="did not add 'wave', which the entry point promises"):
        load_command(find_one("commands", "wave"))

"""What several commands have is one thing."""

from __future__ import annotations

import click
import pytest

from benchbase.cli import COMMANDS, cli, options


def flags(command: click.Command) -> dict[str, click.Option]:
    if isinstance(command, click.Group):
        return {name: it for one in command.commands.values() for name, it in flags(one).items()}
    return {param.opts[0]: param for param in command.params if isinstance(param, click.Option)}


@pytest.mark.parametrize(
    "shared", [options.home, options.data_roots, options.device, options.timeout, options.as_json]
)
def test_a_flag_means_the_same_in_every_command(shared) -> None:
    [(flag, known)] = flags(click.command()(shared(lambda **_: None))).items()
    context = click.Context(cli)
    found = [
        found[flag]
        for name in COMMANDS
        if (command := cli.get_command(context, name)) and flag in (found := flags(command))
    ]
    assert len(found) > 1
    assert {(one.name, type(one.type), one.multiple) for one in found} == {
        (known.name, type(known.type), known.multiple)
    }


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("1.5h", 5400)]
)
def test_a_time_is_read_with_its_unit(text, seconds):
    assert options.Duration().convert(text, None, None) == seconds


@pytest.mark.parametrize("text", ["", "0m", "ten", "5d", "-3m"])
def test_what_is_no_time_is_refused_with_an_example(text):
    with pytest.raises(click.BadParameter, match=r"expected a time such as 90s, 10m or 1\.5h"):
        options.Duration().convert(text, None, None)


def paths(command: click.Command) -> list[click.Parameter]:
    if isinstance(command, click.Group):
        return [found for one in command.commands.values() for found in paths(one)]
    return [param for param in command.params if isinstance(param.type, click.Path)]


def test_a_tilde_is_the_users_folder_in_every_path(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    context = click.Context(cli)
    commands = [command for name in COMMANDS if (command := cli.get_command(context, name))]
    found = [param for command in commands for param in paths(command)]
    assert len(found) > 15
    for param in found:
        assert isinstance(param.type, click.Path)
        name = "file" if param.type.file_okay else "folder"
        assert param.type.convert(f"~/{name}", param, context) == tmp_path / name, param

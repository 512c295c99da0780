"""The entry point: exit codes, suggestions, colours, and commands of plugins."""

from __future__ import annotations

import errno

import click
import pytest

import benchbase
from benchbase import cli
from benchbase.errors import DataError, PluginError, RunError, UsageError


@pytest.fixture
def with_command(monkeypatch: pytest.MonkeyPatch):
    """Put a command called ``probe`` in the place of what ``show`` loads."""

    def put(body):
        monkeypatch.setattr(
            cli.Commands, "get_command", lambda self, ctx, name: click.Command(name, callback=body)
        )
        return cli.invoke(["probe"])

    return put


def raising(error: BaseException):
    def body() -> None:
        raise error

    return body


def full_disk(text: str) -> RunError:
    error = RunError(text)
    error.__cause__ = OSError(errno.ENOSPC, "No space left on device")
    return error


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("no such thing"), 2),
        (DataError("no such thing"), 2),
        (PluginError("no such thing"), 2),
        (click.UsageError("no such thing"), 2),
        (click.FileError("no such thing"), 2),
        (RunError("no such thing"), 1),
        (full_disk("no such thing"), 2),
        (ValueError("no such thing"), 1),
        (KeyboardInterrupt(), 130),
    ],
)
def test_each_kind_of_failure_has_its_exit_code(with_command, capsys, error, code: int) -> None:
    assert with_command(raising(error)) == code
    out, err = capsys.readouterr()
    assert out == ""
    assert "Traceback" not in err
    assert code == 130 or "no such thing" in err


@pytest.mark.parametrize(("returned", "code"), [(None, 0), (0, 0), (3, 3)])
def test_a_command_returns_its_exit_code(with_command, returned, code: int) -> None:
    assert with_command(lambda: returned) == code


def test_a_command_may_exit_through_its_context(with_command) -> None:
    assert with_command(lambda: click.get_current_context().exit(3)) == 3


def test_an_internal_error_says_how_to_see_more(with_command, capsys) -> None:
    with_command(raising(ValueError("odd")))
    err = capsys.readouterr().err
    assert "internal error: ValueError: odd" in err
    assert "BENCHBASE_DEBUG=1" in err


@pytest.mark.parametrize("error", [ValueError("odd"), UsageError("odd")])
def test_debugging_shows_the_traceback(with_command, capsys, monkeypatch, error) -> None:
    monkeypatch.setenv("BENCHBASE_DEBUG", "1")
    with_command(raising(error))
    assert "Traceback (most recent call last)" in capsys.readouterr().err


def test_main_exits_with_the_code(monkeypatch) -> None:
    monkeypatch.setattr("sys.argv", ["benchbase", "nothing-of-that-name"])
    with pytest.raises(SystemExit) as caught:
        cli.main()
    assert caught.value.code == 2


def test_no_command_shows_the_help(capsys) -> None:
    assert cli.invoke([]) == 0
    out = capsys.readouterr().out
    for name, (_, text) in cli.COMMANDS.items():
        assert f"  {name} " in out
        assert text in " ".join(out.split())
    assert "Examples:" in out


def test_the_version_is_told(capsys) -> None:
    assert cli.invoke(["--version"]) == 0
    assert capsys.readouterr().out == f"benchbase {benchbase.__version__}\n"


def test_an_unknown_command_is_an_error_with_the_nearest(capsys) -> None:
    assert cli.invoke(["lst"]) == 2
    assert "unknown command 'lst'; did you mean list" in capsys.readouterr().err


def test_an_unknown_option_is_a_usage_error(capsys) -> None:
    assert cli.invoke(["--nothing"]) == 2
    assert "No such option" in capsys.readouterr().err


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_has_a_help(capsys, name: str) -> None:
    assert cli.invoke([name, "--help"]) == 0
    assert capsys.readouterr().out.startswith(f"Usage: benchbase {name} ")


@pytest.mark.parametrize("name", ["run", "list", "info", "check"])
def test_the_commands_of_a_newcomer_show_examples(capsys, name: str) -> None:
    assert cli.invoke([name, "--help"]) == 0
    examples = capsys.readouterr().out.partition("Examples:")[2]
    assert examples.count(f"benchbase {name}") >= 3


@pytest.mark.parametrize(
    ("variable", "value", "coloured"),
    [("FORCE_COLOR", "1", True), ("FORCE_COLOR", "", False), ("NO_COLOR", "1", False)],
)
@pytest.mark.usefixtures("shared_server")
def test_colour_obeys_the_environment(capsys, monkeypatch, variable, value, coloured) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv(variable, value)
    assert cli.invoke(["list", "executors"]) == 0
    assert ("\x1b[" in capsys.readouterr().out) is coloured


@pytest.mark.usefixtures("shared_server")
def test_no_colour_wins_over_colour(capsys, monkeypatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert cli.invoke(["list", "executors"]) == 0
    assert "\x1b[" not in capsys.readouterr().out

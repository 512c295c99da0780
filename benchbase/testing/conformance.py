"""Tells whether a plugin of any kind keeps its contract.

In a plugin's own test file::

    from benchbase.testing.conformance import parametrize_with_checks

    @parametrize_with_checks([MyMethod])
    def test_my_method_keeps_the_contract(weighter, check):
        check(weighter)

The argument is called as the kind is: weighter, backbone, dataset, noise, imbalance, metric,
executor.
"""

from __future__ import annotations

import contextlib
import io
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Any
from unittest import SkipTest

from benchbase.errors import ContractError, PluginError
from benchbase.plugins.kinds import KINDS, check_class
from benchbase.testing.check import Check
from benchbase.testing.checks import CHECKS

if TYPE_CHECKING:
    import pytest


@dataclass(frozen=True)
class Outcome:
    """What one check came to."""

    check: Check
    error: Exception | None
    """None where it passed or was skipped."""
    skipped: str | None = None
    """Why it could not be run here."""
    printed: str = ""
    """What the plugin printed meanwhile."""


def kind_of(cls: type[Any]) -> str:
    """Tell which kind a class is of.

    Raises:
        PluginError: it is of none.
    """
    for plural, kind in KINDS.items():
        if isinstance(cls, type) and issubclass(cls, kind.contract()):
            return plural
    known = ", ".join(kind.base for kind in KINDS.values())
    raise PluginError(f"{cls!r:.80} is no plugin: expected a subclass of one of {known}")


def checks_for(cls: type[Any]) -> Iterator[Check]:
    """Give the checks that a class must pass: all of its kind but those for needs it has not."""
    for check in CHECKS[kind_of(cls)]:
        if check.need is None or check.need in cls.needs:
            yield check


def run_checks(cls: type[Any], *given: Any, seconds: float = 0) -> Iterator[Outcome]:
    """Run the checks one by one; an exception is an outcome, and prints are kept.

    None follows a failed one that all later ones hang on. A check that takes more ``seconds``
    fails, where these are not 0.
    """
    for check in checks_for(cls):
        error: Exception | None = None
        skipped = None
        with (
            contextlib.redirect_stdout(io.StringIO()) as printed,
            contextlib.redirect_stderr(printed),
        ):
            try:
                with time_limit(seconds):
                    check(cls, *given)
            except SkipTest as reason:  # pytest takes it for a skip as well
                skipped = str(reason)
            except (Exception, SystemExit) as raised:  # noqa: BLE001 - a stranger's code
                error = raised if isinstance(raised, Exception) else _no_exit(raised)
        yield Outcome(check, error, skipped, printed.getvalue())
        if error is not None and check.first:
            return


def check_plugin(cls: type[Any], *given: Any) -> None:
    """Run every check.

    Raises:
        PluginError: the class states something that the contract rules out.
        ContractError: a check failed; the message lists all that did.
    """
    check_class(kind_of(cls), cls)
    failed = [outcome for outcome in run_checks(cls, *given) if outcome.error is not None]
    if failed:
        lines = [
            f"  {outcome.check.name}: {type(outcome.error).__name__}: {outcome.error}"
            for outcome in failed
        ]
        raise ContractError("\n".join([f"{cls.name} fails {len(failed)} checks:", *lines]))


def parametrize_with_checks(classes: Sequence[type[Any]]) -> pytest.MarkDecorator:
    """Decorate a test function of ``weighter`` (or another kind) and ``check``: each pair once.

    Raises:
        PluginError: the classes are of several kinds.
    """
    import pytest

    kinds = {kind_of(cls) for cls in classes}
    if len(kinds) != 1:
        raise PluginError(
            f"expected classes of one kind, got {', '.join(sorted(kinds)) or 'none'}: write a test "
            "for each kind"
        )
    return pytest.mark.parametrize(
        (kinds.pop().removesuffix("s"), "check"),
        [
            pytest.param(cls, check, id=f"{cls.name}-{check.name}")
            for cls in classes
            for check in checks_for(cls)
        ],
    )


class _OutOfTimeError(BaseException):
    """Goes through a plugin's own ``except Exception``."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """End what runs within after some seconds, 0 for never; in the main thread.

    Raises:
        ContractError: it took longer.
    """
    if not seconds:
        yield
        return

    def ring(_number: int, _frame: FrameType | None) -> None:
        raise _OutOfTimeError

    handler = signal.signal(signal.SIGALRM, ring)
    # Again each second, for a plugin may catch everything.
    signal.setitimer(signal.ITIMER_REAL, seconds, 1)
    try:
        yield
    except _OutOfTimeError as error:
        raise ContractError(
            f"it did not end within {seconds:g} s: an endless loop, or much work where the images "
            "are few and small? --time-limit gives it longer"
        ) from error
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def _no_exit(error: BaseException) -> Exception:
    told = ContractError(f"it ended the process ({error}): raise an error that says why")
    told.__cause__ = error
    return told

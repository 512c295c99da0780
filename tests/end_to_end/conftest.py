"""The command line as a user has it, in the process of the tests."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import pytest
import torch

from benchbase.cli import invoke


class Ran(NamedTuple):
    """What a command came to."""

    returncode: int
    stdout: str
    stderr: str


@pytest.fixture
def benchbase(tmp_path, monkeypatch, capfd):
    """Run the command line in this process, with the process server of all tests."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ran:
        capfd.readouterr()
        return Ran(invoke(arguments), *capfd.readouterr())

    return run


@pytest.fixture
def numerics() -> Iterator[None]:
    """Put torch's global settings back after a cell or checks ran in this process."""
    threads = torch.get_num_threads()
    deterministic = torch.are_deterministic_algorithms_enabled()
    yield
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)

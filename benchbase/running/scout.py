"""A child that looks at what the parent must not touch: it imports plugins and asks for GPUs.

A plugin's module could patch the scorer when it is imported, and CUDA does not survive a fork;
so both happen here, and the parent hears JSON.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import msgspec

from benchbase.errors import PluginError
from benchbase.plugins.catalogue import describe_given, describe_installed
from benchbase.plugins.installed import Installed
from benchbase.plugins.source import Source
from benchbase.running.channel import Channel


def main(channel: Channel) -> None:
    """Answer one request: describe distributions, files or modules, or name the GPUs."""
    request, _ = channel.receive()
    # A parent that was told of more places than this child inherits (a notebook, a test).
    sys.path[:] = request["path"]
    os.environ.update(request["environment"])
    channel.send({"found": _ANSWERS[request["ask"]](request["about"])})


def _describe_installed(distributions: list[Any]) -> list[Any]:
    return [
        msgspec.to_builtins(describe_installed(msgspec.convert(each, Installed)))
        for each in distributions
    ]


def _describe_given(sources: list[Any]) -> list[Any]:
    described: list[Any] = []
    for each in sources:
        try:
            entries = describe_given(msgspec.convert(each, Source))
            described.append({"entries": msgspec.to_builtins(entries)})
        except PluginError as error:
            described.append({"error": str(error)})
    return described


def _gpu_names(_: list[Any]) -> list[Any]:
    import torch

    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]


_ANSWERS = {"installed": _describe_installed, "given": _describe_given, "gpus": _gpu_names}

"""A child that looks at what the parent must not touch: it imports plugins and asks for GPUs.

A plugin's module could patch the scorer when it is imported, and CUDA does not survive a fork;
so both happen here, and the parent hears JSON.
"""

from __future__ import annotations

from typing import Any

from benchbase.errors import BenchbaseError
from benchbase.plugins import PluginSource, describe
from benchbase.running.channel import Channel


def main(channel: Channel) -> None:
    """Describe the plugins that the parent names, or name the GPUs."""
    request, _ = channel.receive()
    found: list[Any] = _gpu_names() if "gpus" in request else _described(request["describe"])
    channel.send({"found": found})


def _described(sources: list[dict[str, Any]]) -> list[dict[str, Any]]:
    described: list[dict[str, Any]] = []
    for source in sources:
        try:
            described.append({"plugin": describe(PluginSource.from_json(source)).to_json()})
        except BenchbaseError as error:
            described.append({"error": str(error)})
    return described


def _gpu_names() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]

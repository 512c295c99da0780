"""A child that looks at what the parent must not touch: it imports plugins and asks for GPUs.

A plugin's module could patch the scorer when it is imported, and CUDA does not survive a fork;
so both happen here, and the parent hears JSON.
"""

from __future__ import annotations

from typing import Any

from benchbase.channel import Channel
from benchbase.errors import BenchbaseError
from benchbase.plugins import PluginSource, describe


def main(channel: Channel) -> None:
    """Describe the plugin sources that the parent names, and count the GPUs."""
    request, _ = channel.receive()
    described: list[dict[str, Any]] = []
    for source in request["sources"]:
        try:
            described.append({"plugin": describe(PluginSource.from_json(source)).to_json()})
        except BenchbaseError as error:
            described.append({"error": str(error)})
    gpus = _gpu_names() if request["gpus"] else []
    channel.send({"type": "scouted", "described": described, "gpus": gpus})


def _gpu_names() -> list[str]:
    import torch

    return [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]

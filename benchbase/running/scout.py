"""A child that looks at what the parent must not touch: it imports plugins and asks for GPUs.

A plugin's module could patch the scorer when it is imported, and CUDA does not survive a fork;
so both happen here, and the parent hears JSON.
"""

from __future__ import annotations

import os

from benchbase.errors import PluginError
from benchbase.kit import devices
from benchbase.plugins import Entry, Source
from benchbase.plugins.catalogue import describe_given, describe_installed
from benchbase.running.channel import Channel
from benchbase.running.messages import Look, Seen


def main(channel: Channel) -> None:
    """Answer one request: describe distributions, files or modules, or name the GPUs."""
    look, _ = channel.receive(Look)
    os.environ.update(look.environment)
    seen = Seen(
        installed=[describe_installed(each) for each in look.installed],
        given=[_describe_given(each) for each in look.given],
        gpus=devices.names() if look.gpus else [],
    )
    channel.send(seen)


def _describe_given(source: Source) -> tuple[Entry, ...] | str:
    try:
        return describe_given(source)
    except PluginError as error:
        return str(error)

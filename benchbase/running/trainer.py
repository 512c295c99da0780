"""The trainer child: drives one weighter on its task and reports each checkpoint to the parent.

It holds training images, observed labels and what the weighter's needs grant; nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from benchbase.api import Backbone, Checkpoint, ImageShape, Task, Weighter
from benchbase.backbones.building import build_network, try_network
from benchbase.errors import (
    ContractError,
    DivergedError,
    PluginError,
    RunError,
    blamed_on,
    is_machines_fault,
    no_fault_of_the_method,
)
from benchbase.kit import devices
from benchbase.kit.descent import has_fused_steps
from benchbase.options import construct
from benchbase.plugins.loading import load_class
from benchbase.running import messages
from benchbase.running.channel import Channel
from benchbase.running.counting import Counter
from benchbase.running.given import make_task, read_images, unpack_labels
from benchbase.running.messages import LONGEST_NAME, LONGEST_TEXT, Loadable, Start
from benchbase.running.own_code import own_code
from benchbase.running.snapshots import Keeper
from benchbase.seeding import seed_everything


def main(channel: Channel) -> None:
    """Train; the parent's first message says what."""
    start, _ = channel.receive(Start)
    try:
        device = devices.prepare(start.device)
        weighter, backbone = load_contestant(start)
        counter = Counter()
        task = counter.watching(_load_task(channel, weighter, backbone, device))
        past = start.keep.past
        keeper = Keeper(
            task,
            Path(start.keep.path),
            every=start.keep.every,
            is_own=own_code(type(weighter), type(backbone)),
            past=Keeper.read(Path(start.keep.go_on_from)) if start.keep.go_on_from else (),
            restored=lambda reported: counter.go_on_from(past[reported]),
        )
        task = keeper.task
        warm_up(task, backbone)
        seed_everything(task.seed, "global")
        before = _digest(task)
        channel.send(messages.Ready())
        with counter.counting():
            for checkpoint in _checkpoints(weighter, task):
                index = keeper.reported
                # One that was judged before an interruption is not judged again.
                model = Path(start.model) if index >= len(past) else None
                _report(channel, model, checkpoint, task=task, index=index, counter=counter)
                channel.receive(messages.Go)
                keeper.reported += 1
        if _digest(task) != before:
            raise ContractError(
                "the weighter changed its task's images or labels in place; make new views "
                "instead (`task.train.subset(...)`, `task.train.relabelled(...)`)"
            )
        channel.send(messages.Done(spent=_spent(task)))
    except Exception as error:  # noqa: BLE001 - a stranger's code may raise anything
        channel.send(describe_failure(error))


def load_contestant(start: Start) -> tuple[Weighter, Backbone]:
    """Load the plugins in this process and build the weighter and the backbone with options."""
    weighter = _load("weighters", start.weighter)
    with no_fault_of_the_method():
        return weighter, _load("backbones", start.backbone)


def _load(kind: str, one: Loadable) -> Any:
    return construct(load_class(one.source, kind, one.name), one.options)


def describe_failure(error: BaseException) -> messages.Failed:
    """Turn an exception into the message that the parent records; paths are cut to names."""
    status: Literal["error", "oom", "diverged", "killed"]
    if devices.is_out_of_memory(error):
        status = "oom"
    elif is_machines_fault(error) or isinstance(error, RunError):
        status = "killed"  # the cell is run again
    else:
        status = "diverged" if isinstance(error, DivergedError) else "error"
    frames = traceback.extract_tb(error.__traceback__)
    trace = [f"{Path(f.filename).name}:{f.lineno} in {f.name}: {f.line}" for f in frames[-12:]]
    with contextlib.suppress(OSError):  # a log on a full disk must not take the last word with it
        traceback.print_exception(error)
    return messages.Failed(
        status=status,
        error=type(error).__name__,
        message=str(error)[:2000],
        traceback="\n".join(trace)[:LONGEST_TEXT],
    )


def _load_task(
    channel: Channel, weighter: Weighter, backbone: Backbone, device: torch.device
) -> Task:
    given, labels = channel.receive(messages.Given)
    descriptors = channel.receive_files(len(given.images))
    maps = zip(given.images.items(), descriptors, strict=True)

    def ask(rows: list[int]) -> list[int]:
        channel.send(messages.Query(rows=rows))
        return channel.receive(messages.Labels)[0].labels

    return make_task(
        given,
        unpack_labels(labels),
        {role: read_images(descriptor, shape) for (role, shape), descriptor in maps},
        backbone=backbone,
        needs=weighter.needs,
        device=device,
        ask=ask,
    )


def warm_up(task: Task, backbone: Backbone) -> None:
    """Take one step of a network that is thrown away, so that no method pays for torch's start.

    It moves none of the task's streams; the global ones are put back. A backbone that cannot be
    trained and asked is found here, before a method could be blamed for it.

    Raises:
        RunError: the backbone failed.
    """
    shape = ImageShape(*task.train.pixels.shape[1:])
    few = task.train.subset(torch.arange(task.recipe.batch_size) % len(task.train))
    with no_fault_of_the_method(), blamed_on("backbone", backbone), task.seeded("warm up"):
        model = build_network(backbone, shape, task.num_classes)
        model = model.to(task.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        fused = has_fused_steps(model.parameters())
        optimiser = torch.optim.SGD(model.parameters(), lr=0.0, momentum=0.9, fused=fused)
        images = task.normalise(few.pixels[few.rows])
        logits = try_network(backbone, model.train(), images, task.num_classes)
        nn.functional.cross_entropy(logits, few.labels).backward()
        optimiser.step()
        with torch.no_grad():
            try_network(backbone, model.eval(), images, task.num_classes)


def _checkpoints(weighter: Weighter, task: Task) -> Iterator[Any]:
    fitting: Any = weighter.fit(task)
    if not isinstance(fitting, Iterator):
        raise ContractError(
            f"{weighter.name}.fit gave {type(fitting).__name__}, expected an iterator of "
            "checkpoints: write `yield Checkpoint(model)` in it"
        )
    empty = True
    for checkpoint in fitting:
        empty = False
        yield checkpoint
    if empty:
        raise ContractError(
            f"{weighter.name}.fit yielded no checkpoint: yield one an epoch, when the model is "
            "ready to be judged"
        )


def _report(
    channel: Channel,
    path: Path | None,
    checkpoint: Any,
    *,
    task: Task,
    index: int,
    counter: Counter,
) -> None:
    """Save and announce what the weighter yielded, which may be anything."""
    if not isinstance(checkpoint, Checkpoint) or not isinstance(checkpoint.model, nn.Module):
        raise ContractError(
            f"expected fit to yield a Checkpoint with a torch module, got {checkpoint!r:.200}"
        )
    weights = _checked_weights(checkpoint.weights, len(task.train))
    if path is not None:
        _save(checkpoint.model, path, index)
    notes = {str(name)[:LONGEST_NAME]: float(value) for name, value in checkpoint.notes.items()}
    message = messages.Checkpoint(
        notes={name: value for name, value in notes.items() if np.isfinite(value)},
        counted=counter.look(checkpoint.model),
        again=index if path is None else None,
        parameters=sum(parameter.numel() for parameter in checkpoint.model.parameters()),
        spent=_spent(task),
    )
    channel.send(message, b"" if weights is None else weights.tobytes())


def _save(model: nn.Module, path: Path, index: int) -> None:
    saved = io.BytesIO()
    try:
        torch.save(model, saved)
    except Exception as error:
        raise PluginError(
            f"checkpoint {index} cannot be saved ({error}): its model must pickle, so its classes "
            "must stand at the top of a module, without lambdas or local functions"
        ) from error
    path.write_bytes(saved.getbuffer())


def _checked_weights(weights: Any, rows: int) -> np.ndarray | None:
    if weights is None:
        return None
    if not isinstance(weights, Tensor) or weights.shape != (rows,):
        shape = tuple(weights.shape) if isinstance(weights, Tensor) else type(weights).__name__
        raise ContractError(
            f"expected one weight for each of the {rows} training rows, shape ({rows},), "
            f"got {shape}"
        )
    array: np.ndarray = weights.detach().float().cpu().numpy()
    return array


def _spent(task: Task) -> messages.Spent:
    return messages.Spent(
        images_forwarded=task.meter.forwarded,
        images_backpropagated=task.meter.backpropagated,
        peak_memory_bytes=devices.peak_memory(task.device),
    )


def _digest(task: Task) -> str:
    """Hash what the weighter could have changed in place."""
    digest = hashlib.sha256()
    for tensor in (task.train.pixels, task.train.labels, task.train.rows):
        digest.update(tensor.cpu().numpy().data)
    return digest.hexdigest()

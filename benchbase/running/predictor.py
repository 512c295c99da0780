"""The predictor child: loads each checkpoint and predicts images whose labels it never sees.

It has no channel to the trainer, and the images come in an order that only the parent knows. Two
copies of each checkpoint answer in turn: what one saw of the images must not matter to the other,
which some images are asked as well.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchbase.data.augment import make_normalise
from benchbase.kit import devices
from benchbase.kit.feed import delivered
from benchbase.running.channel import Channel
from benchbase.running.given import fit, read_images
from benchbase.running.messages import Asked, Go, Logits, Ready, Start
from benchbase.running.trainer import describe_failure, load_contestant

BATCH = 100
"""Larger ones take longer on a CPU, whose caches no longer hold the maps."""
COPIES = 2
COMPARED = 16
"""Images by which a folded network is compared with the one that it was made of."""


def main(channel: Channel) -> None:
    """Answer the parent's requests until it closes the connection."""
    start, _ = channel.receive(Start)
    try:
        device = devices.prepare(start.device)
        load_contestant(start)  # so that the classes of its checkpoints can be found
        asked, _ = channel.receive(Asked)
        [descriptor] = channel.receive_files(1)
        pixels = read_images(descriptor, asked.images)
        if fit(device, pixels):
            pixels = pixels.to(device)
        normalise = make_normalise(asked.mean, asked.std, device)
        channel.send(Ready())
        while True:
            channel.receive(Go)
            copies = [
                torch.load(start.model, map_location=device, weights_only=False)
                for _ in range(COPIES)
            ]
            logits = predict(copies, pixels, normalise, device).float().cpu().contiguous()
            channel.send(Logits(shape=list(logits.shape)), logits.numpy().tobytes())
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001 - a stranger's model may raise anything
        channel.send(describe_failure(error))


@torch.inference_mode()
def predict(
    copies: Sequence[nn.Module], pixels: Tensor, normalise: Any, device: torch.device
) -> Tensor:
    """Give the logits of all images, in eval mode and in batches of ``BATCH``.

    The models are on the ``device``; the images are there, or come a batch ahead.

    The copies of the model answer them in turn, and none is shown the images of another. They are
    used as they are, or with batch norm folded into convolutions where that was just seen to give
    the same logits for the first images of each: a ``forward`` may do anything between two layers.
    """
    rows = torch.arange(len(pixels), device=pixels.device)
    batches = delivered(pixels, rows.split(BATCH), device)
    begun = [*itertools.islice(batches, len(copies))]
    asked = [model.eval() for model, _ in zip(copies, begun, strict=False)]
    firsts = [normalise(part[:COMPARED]) for part in begun]
    # One kind of network for all images: the two agree, but not to the last bit, and which images
    # are first is drawn.
    judged = _all_folded(asked, firsts) or asked
    turns = zip(itertools.cycle(judged), itertools.chain(begun, batches), strict=False)
    return torch.cat([model(normalise(part)) for model, part in turns])


def _all_folded(models: Sequence[nn.Module], firsts: Sequence[Tensor]) -> list[nn.Module]:
    """Fold each model, if each then answers images of its own as before; else none."""
    found = []
    for model, images in zip(models, firsts, strict=True):
        folded = _folded(model)
        if folded is None or not _agree(folded, images, model(images)):
            return []
        found.append(folded)
    return found


def _agree(folded: nn.Module, images: Tensor, logits: Tensor) -> bool:
    try:
        return torch.allclose(folded(images), logits, rtol=1e-4, atol=1e-4)
    except Exception:  # noqa: BLE001 - a forward that looks at the layers themselves
        return False


def _folded(model: nn.Module) -> nn.Module | None:
    """Copy a model with batch norm folded into the convolution before it; None if there is none.

    Only where a plain ``nn.Sequential`` says that one follows the other, and neither has a hook
    (old weight norm, spectral norm and pruning are hooks that write the kernel anew).
    """
    try:
        folded = copy.deepcopy(model)
    except Exception:  # noqa: BLE001 - a model that cannot be copied is used as it is
        return None
    found = False
    for layers in folded.modules():
        if type(layers) is not nn.Sequential or _has_hook(layers):
            continue
        for index, (layer, following) in enumerate(itertools.pairwise(layers)):
            if (
                type(layer) is nn.Conv2d
                and type(following) is nn.BatchNorm2d
                and following.track_running_stats
                and not any(map(_has_hook, (layer, following)))
            ):
                layers[index] = fuse_conv_bn_eval(layer, following)
                layers[index + 1] = nn.Identity()
                found = True
    return folded if found else None


def _has_hook(module: nn.Module) -> bool:
    return bool(module._forward_hooks or module._forward_pre_hooks)  # noqa: SLF001

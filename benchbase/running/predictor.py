"""The predictor child: loads each checkpoint and predicts images whose labels it never sees.

It has no channel to the trainer, and the images come in an order that only the parent knows.
"""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from benchbase.data.augment import make_normalise
from benchbase.running.channel import Channel
from benchbase.running.trainer import describe_failure, load_contestant, prepare_device

BATCH = 100


def main(channel: Channel) -> None:
    """Answer the parent's requests until it closes the connection."""
    start, _ = channel.receive()
    try:
        device = prepare_device(start["device"])
        load_contestant(start)  # so that the classes of its checkpoints can be found
        folder = Path(start["folder"])
        facts = json.loads((folder / "questions.json").read_text())
        pixels = torch.from_numpy(np.load(folder / "pixels.npy", allow_pickle=False)).to(device)
        normalise = make_normalise(facts["mean"], facts["std"], device)
        channel.send({"type": "ready"})
        while True:
            request, _ = channel.receive()
            began = time.perf_counter()
            model = torch.load(request["model"], map_location=device, weights_only=False)
            logits = predict(model, pixels, normalise).float().cpu().contiguous().numpy()
            seconds = time.perf_counter() - began
            channel.send(
                {"type": "logits", "shape": list(logits.shape), "seconds": seconds},
                logits.tobytes(),
            )
    except EOFError:
        return
    except Exception as error:  # noqa: BLE001 - a stranger's model may raise anything
        channel.send(describe_failure(error))


@torch.inference_mode()
def predict(model: nn.Module, pixels: Tensor, normalise: Any) -> Tensor:
    """Give the logits of all images, in eval mode and in batches of ``BATCH``."""
    fold_batch_norm(model.eval())
    return torch.cat([model(normalise(part)) for part in pixels.split(BATCH)])


def fold_batch_norm(model: nn.Module) -> None:
    """Fold batch norm into the convolution before it, in place: the same function, less work.

    Only where a plain ``nn.Sequential`` says that one follows the other.
    """
    for layers in model.modules():
        if type(layers) is not nn.Sequential:
            continue
        for index, (layer, following) in enumerate(pairwise(layers)):
            if (
                type(layer) is nn.Conv2d
                and type(following) is nn.BatchNorm2d
                and following.track_running_stats
            ):
                layers[index] = fuse_conv_bn_eval(layer, following)
                layers[index + 1] = nn.Identity()

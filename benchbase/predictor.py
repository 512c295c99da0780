"""The predictor child: loads each checkpoint and predicts images whose labels it never sees.

It has no channel to the trainer, and the images come in an order that only the parent knows.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchbase.channel import Channel
from benchbase.data.augment import make_normalise
from benchbase.trainer import describe_failure, load_contestant, prepare_device

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
    model.eval()
    return torch.cat([model(normalise(part)) for part in pixels.split(BATCH)])

"""The checks of a backbone, on random images."""

from __future__ import annotations

import copy
import functools
import io

import torch
from torch import Tensor

from benchbase.api import Backbone, Classifier, ImageShape
from benchbase.backbones.building import build_network, try_network
from benchbase.errors import ContractError
from benchbase.seeding import seeded, torch_stream
from benchbase.testing.check import Check, enter

CHECKS: list[Check] = []
_check = functools.partial(enter, CHECKS)
SHAPE = ImageShape(3, 32, 32)
CLASSES = 3


@_check(first=True)
def gives_a_logit_for_each_class(backbone: type[Backbone]) -> None:
    """Images of three channels and 32 x 32 pixels, in train mode as a method shows them."""
    logits = try_network(backbone(), _built(backbone).train(), _images(SHAPE), CLASSES)
    if not logits.isfinite().all():
        raise ContractError("the logits of a fresh network are not finite: how is it initialised?")


@_check()
def works_with_grey_odd_and_small_images(backbone: type[Backbone]) -> None:
    """One channel, sides that differ, two classes."""
    for shape in (ImageShape(1, 28, 28), ImageShape(3, 33, 45)):
        model = _built(backbone, shape, 2).eval()
        with torch.inference_mode():
            try_network(backbone(), model, _images(shape), 2)


@_check()
def builds_the_same_network_under_one_seed(backbone: type[Backbone]) -> None:
    """Weights come from torch's global generator, which the harness seeds, and from nothing else.

    Each network has weights of its own.
    """
    first, again, other = (_built(backbone, seed=seed) for seed in (0, 0, 1))
    if not _same(first, again):
        raise ContractError(
            "two networks built under one seed differ: draw weights from torch's global generator"
        )
    if _same(first, other):
        raise ContractError("two seeds give one network: are its weights drawn under a constant?")
    places = [{each.data_ptr() for each in one.parameters()} for one in (first, again)]
    if places[0] & places[1]:
        raise ContractError("two networks share weights: build fresh layers in `build`")


@_check()
def its_head_reads_its_features(backbone: type[Backbone]) -> None:
    """``head(features(images))`` are the logits: methods look at both."""
    model = _built(backbone).eval()
    with torch.inference_mode():
        features = model.features(_images(SHAPE))
        if features.ndim != 2:
            raise ContractError(
                f"features have the shape {tuple(features.shape)}, expected (images, width): "
                "average or flatten them"
            )
        if not torch.allclose(model.head(features), model(_images(SHAPE)), atol=1e-5):
            raise ContractError("head(features(images)) differs from the network's own logits")


@_check()
def predicts_each_image_on_its_own(backbone: type[Backbone]) -> None:
    """In eval mode the logits of an image do not depend on the others of its batch."""
    model, images = _built(backbone).eval(), _images(SHAPE)
    with torch.inference_mode():
        if not torch.allclose(model(images)[::2], model(images[::2]), rtol=1e-3, atol=1e-4):
            raise ContractError(
                "an image's logits change with the other images of the batch: in eval mode a "
                "network must not look at batch statistics"
            )


@_check()
def can_be_copied_and_saved(backbone: type[Backbone]) -> None:
    """A copy, and what was saved and loaded, predicts the same."""
    model, images, stream = _built(backbone).eval(), _images(SHAPE), io.BytesIO()
    try:
        torch.save(model, stream)
        twins = [
            copy.deepcopy(model),
            torch.load(io.BytesIO(stream.getvalue()), weights_only=False),
        ]
    except Exception as error:
        raise ContractError(
            f"a network cannot be copied and saved ({error}): its classes stand at the top of a "
            "module, without lambdas or local functions"
        ) from error
    with torch.inference_mode():
        if not all(torch.equal(twin(images), model(images)) for twin in twins):
            raise ContractError("a network predicts otherwise after copying or saving")


@_check()
def can_be_trained(backbone: type[Backbone]) -> None:
    """The loss has a finite gradient in every layer that can be trained."""
    model = _built(backbone).train()
    torch.nn.functional.cross_entropy(model(_images(SHAPE)), torch.arange(4) % CLASSES).backward()
    for name, parameter in model.named_parameters():
        if parameter.requires_grad and (
            parameter.grad is None or not parameter.grad.isfinite().all()
        ):
            raise ContractError(
                f"the loss has no finite gradient for {name}: is it used and attached to the graph?"
            )


def _built(
    backbone: type[Backbone], shape: ImageShape = SHAPE, classes: int = CLASSES, seed: int = 0
) -> Classifier:
    with seeded(seed, "check"):
        return build_network(backbone(), shape, classes)


def _images(shape: ImageShape) -> Tensor:
    size = (4, shape.channels, shape.height, shape.width)
    return torch.randn(size, generator=torch_stream(0, "check"))


def _same(first: Classifier, second: Classifier) -> bool:
    pairs = zip(first.state_dict().values(), second.state_dict().values(), strict=True)
    return all(torch.equal(*pair) for pair in pairs)

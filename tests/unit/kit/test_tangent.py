import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations
from torch.utils._python_dispatch import TorchDispatchMode

from benchbase.kit.loops import forward
from benchbase.kit.tangent import Saved, directional_losses, saved_by


class Squeezed(nn.Module):
    """Batch norm of vectors instead of maps."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(4)

    def forward(self, maps):
        return maps * self.norm(maps.mean((2, 3)))[:, :, None, None]


class Repeated(nn.Module):
    """One kernel twice, the second time without batch norm."""

    def __init__(self):
        super().__init__()
        self.convolution = nn.Conv2d(4, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, maps):
        return self.convolution(self.norm(self.convolution(maps)))


class Aside(Repeated):
    """One kernel twice, the second time where no gradient comes from."""

    def forward(self, maps):
        first = self.norm(self.convolution(maps))
        return first * self.convolution(first).detach()


class TwoScales(nn.Module):
    """One kernel at two scales, with batch norm after the first or the second use or both."""

    def __init__(self, norms):
        super().__init__()
        self.convolution = nn.Conv2d(4, 4, 3, padding=1)
        self.norms = nn.ModuleList(nn.BatchNorm2d(4) if norm else nn.Identity() for norm in norms)

    def forward(self, maps):
        large = self.norms[0](self.convolution(maps))
        small = self.norms[1](self.convolution(F.avg_pool2d(maps, 2)))
        return large + F.interpolate(small, scale_factor=2)


def parametrised(norm):
    return nn.Sequential(norm(nn.Conv2d(4, 4, 3, padding=1)), nn.BatchNorm2d(4))


class NormedTwice(nn.Module):
    """The same maps with two batch norms, of which one looks at fewer channels."""

    def __init__(self):
        super().__init__()
        self.norms = nn.ModuleList([nn.BatchNorm2d(4), nn.BatchNorm2d(4, eps=0.1)])
        self.part = nn.BatchNorm2d(2)

    def forward(self, maps):
        whole = self.norms[0](maps) * self.norms[1](maps)
        return whole + F.pad(self.part(maps[:, :2]), (0, 0, 0, 0, 0, 2))


LAYERS = {
    "batch norm": nn.BatchNorm2d(4),
    "batch norm without parameters": nn.BatchNorm2d(4, affine=False),
    "batch norm with another epsilon": nn.BatchNorm2d(4, eps=0.1),
    "batch norm in eval mode": nn.BatchNorm2d(4).eval(),
    "batch norm without running statistics": nn.BatchNorm2d(4, track_running_stats=False),
    "batch norm of vectors": Squeezed(),
    "three batch norms of the same maps": NormedTwice(),
    "max-pooling with overlaps and margins": nn.Sequential(
        nn.MaxPool2d(3, 2, 1, ceil_mode=True), nn.Upsample((6, 6))
    ),
    "batch norm changed in place": nn.Sequential(nn.BatchNorm2d(4), nn.ReLU(inplace=True)),
    "convolution": nn.Sequential(
        nn.Conv2d(4, 4, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(4), nn.Upsample((6, 6))
    ),
    "convolution of unequal sides": nn.Sequential(
        nn.Conv2d(4, 4, (3, 1), padding="same", groups=2), nn.BatchNorm2d(4)
    ),
    "one kernel twice": Repeated(),
    "one kernel once more aside": Aside(),
    "one kernel at two scales": TwoScales((True, True)),
    "one kernel at two scales, the first normed": TwoScales((True, False)),
    "one kernel at two scales, the second normed": TwoScales((False, True)),
    "weight norm": parametrised(parametrizations.weight_norm),
    "spectral norm": parametrised(parametrizations.spectral_norm),
    "orthogonal kernels": parametrised(parametrizations.orthogonal),
    "instance norm": nn.InstanceNorm2d(4, affine=True),
    "group norm": nn.GroupNorm(2, 4),
    "silu": nn.SiLU(),
}


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
@pytest.mark.parametrize("kind", LAYERS)
def test_slopes_are_those_of_the_gradients(make_task, make_step, kind, layout):
    plain, _ = make_step()
    model = plain.model
    model.body[1] = LAYERS[kind].double()
    model.to(memory_format=layout)
    batch = plain.batch
    step = forward(make_task(), model, batch, 0.1, 0)
    parameters = dict(model.named_parameters())
    stream = torch.Generator().manual_seed(1)
    direction = {
        name: torch.randn(value.shape, generator=stream, dtype=value.dtype)
        for name, value in parameters.items()
    }
    expected = []
    for loss in step.losses:
        gradients = torch.autograd.grad(loss, list(parameters.values()), retain_graph=True)
        pairs = zip(gradients, direction.values(), strict=True)
        expected.append(sum((gradient * move).sum() for gradient, move in pairs))
    torch.testing.assert_close(
        directional_losses(step, direction), torch.stack(expected), rtol=1e-10, atol=1e-12
    )


def test_slopes_along_nothing_are_zero(make_step):
    step, _ = make_step()
    assert torch.equal(directional_losses(step, {}), torch.zeros_like(step.losses))


def test_what_convolutions_gave_is_found_in_the_graph(make_step):
    step, _ = make_step()
    convolution = step.model.body[0]
    found = saved_by(step.losses)
    assert list(found.maps) == [convolution.weight.data_ptr()]
    (maps,) = found.maps.values()
    assert torch.equal(maps, convolution(step.batch.images))
    ((mean, _),) = found.statistics.values()
    torch.testing.assert_close(mean, maps.mean((0, 2, 3)))
    assert saved_by(step.losses.detach()) == Saved({}, {})


class Convolutions(TorchDispatchMode):
    """Counts them."""

    count = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.count += func is torch.ops.aten.convolution.default
        return func(*args, **(kwargs or {}))


def test_it_is_not_computed_again(make_step):
    step, _ = make_step()
    direction = {name: torch.ones_like(value) for name, value in step.model.named_parameters()}
    with Convolutions() as convolutions:
        directional_losses(step, direction)
    assert convolutions.count == 1, "of the kernel's tangent: images have none"

from __future__ import annotations

import torch
from torch import nn

from benchbase.api import ImageShape
from benchbase.backbones.small_cnn import SmallCNN
from benchbase.data.augment import make_normalise
from benchbase.running.predictor import BATCH, fold_batch_norm, predict
from benchbase.seeding import torch_stream


def lively(model: nn.Module) -> nn.Module:
    """Give batch norms statistics and scales that are not those of a fresh network."""
    stream = torch_stream(0, "statistics")
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            for tensor in (module.running_mean, module.running_var, module.weight, module.bias):
                assert tensor is not None
                tensor.data.copy_(torch.rand(tensor.shape, generator=stream) + 0.5)
    return model.eval()


def test_folding_batch_norm_changes_no_prediction():
    model = lively(SmallCNN().build(ImageShape(1, 28, 28), 10))
    images = torch.randn(7, 1, 28, 28, generator=torch_stream(0, "images"))
    with torch.no_grad():
        expected = model(images)
        fold_batch_norm(model)
        folded = model(images)
    assert not any(isinstance(module, nn.BatchNorm2d) for module in model.modules())
    torch.testing.assert_close(folded, expected, rtol=1e-4, atol=1e-4)


def test_a_batch_norm_that_follows_no_convolution_stays():
    model = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.BatchNorm2d(2))
    fold_batch_norm(model.eval())
    assert isinstance(model[2], nn.BatchNorm2d)


def test_images_are_predicted_in_order_and_the_last_batch_is_not_lost():
    class Mean(nn.Module):
        def forward(self, images):
            return images.mean((1, 2, 3))[:, None]

    values = torch.arange(BATCH + 3).remainder(256).to(torch.uint8)
    pixels = values.view(-1, 1, 1, 1).expand(-1, 1, 4, 4).contiguous()
    normalise = make_normalise([0.0], [1.0], torch.device("cpu"))
    logits = predict(Mean(), pixels, normalise)
    torch.testing.assert_close(logits[:, 0] * 255, values.float(), rtol=1e-4, atol=1e-3)

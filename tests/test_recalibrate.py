"""BN recalibration: the statistics are those of the images, and only they change."""

import torch
from torch import nn

from pruning.catalog.datasets import load_dataset
from pruning.recalibrate import has_batch_norm, recalibrate
from sample_models import SAMPLES


def test_statistics_are_averages_over_the_chosen_images():
    data = load_dataset("mnist5k")
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(784, 10)).train()
    recalibrate(model, data, images=500, seed=3, batch_size=250)
    order = torch.randperm(3000, generator=torch.Generator().manual_seed(3))[:500]
    images = data.normalise(data.images["train"][order])
    halves = images[:250], images[250:]
    assert torch.allclose(model[0].running_mean, torch.stack([h.mean() for h in halves]).mean(), atol=1e-5)
    assert torch.allclose(model[0].running_var, torch.stack([h.var() for h in halves]).mean(), rtol=1e-4)
    assert model[0].momentum == 0.1 and not model.training


def test_only_statistics_change():
    model = SAMPLES["mini_resnet"].build()
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    recalibrate(model, load_dataset("mnist5k"), images=300)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


def test_without_batch_norm_nothing_happens():
    model = SAMPLES["lenet5"].build()
    assert not has_batch_norm(model)
    recalibrate(model, load_dataset("mnist5k"))

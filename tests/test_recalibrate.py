"""BN recalibration: the statistics are those of the images, and only they change."""

import torch
from torch import nn

from pruning.catalog.datasets import load_dataset
from pruning.recalibrate import has_batch_norm, recalibrate, recalibration_batches
from sample_models import SAMPLES


def test_statistics_are_averages_over_the_chosen_images():
    data = load_dataset("mnist5k")
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(784, 10)).train()
    recalibrate(model, data, images=300, seed=3)
    images = data.normalise(data.images["train"][data.balanced("train", seed=3)[:300]])
    parts = images.split(100)
    assert torch.allclose(model[0].running_mean, torch.stack([part.mean() for part in parts]).mean(), atol=1e-5)
    assert torch.allclose(model[0].running_var, torch.stack([part.var() for part in parts]).mean(), rtol=1e-4)
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


def test_batches_hold_all_classes_in_equal_parts_and_no_image_twice():
    data = load_dataset("mnist5k")
    batches = recalibration_batches(data, 401, seed=5)
    assert [len(batch) for batch in batches] == [100, 100, 100, 100]  # one image alone has no variance
    assert len(torch.cat(batches).unique()) == 400
    for batch in batches:
        assert data.labels["train"][batch].bincount().tolist() == [10] * 10
    assert not torch.equal(batches[0], recalibration_batches(data, 401, seed=6)[0])

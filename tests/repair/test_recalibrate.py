"""BN recalibration: the statistics are those of the images, and only they change."""

import torch
from torch import nn

from pruning.data.readers import open_data
from pruning.repair.recalibrate import has_batch_norm, recalibrate, recalibration_images
from sample_models import SAMPLES


def test_statistics_are_averages_over_the_chosen_images():
    data = open_data("mnist5k")
    model = nn.Sequential(nn.BatchNorm2d(1), nn.Flatten(), nn.Linear(784, 10)).train()
    recalibrate(model, data, images=300, seed=3)
    parts = [data.normalise(batch) for batch in recalibration_images(data, 300, seed=3)]
    assert torch.allclose(model[0].running_mean, torch.stack([part.mean() for part in parts]).mean(), atol=1e-5)
    assert torch.allclose(model[0].running_var, torch.stack([part.var() for part in parts]).mean(), rtol=1e-4)
    assert model[0].momentum == 0.1 and not model.training


def test_only_statistics_change():
    model = SAMPLES["mini_resnet"].build()
    before = {name: parameter.clone() for name, parameter in model.named_parameters()}
    recalibrate(model, open_data("mnist5k"), images=300)
    assert all(torch.equal(parameter, before[name]) for name, parameter in model.named_parameters())


def test_without_batch_norm_nothing_happens():
    model = SAMPLES["lenet5"].build()
    assert not has_batch_norm(model)
    recalibrate(model, open_data("mnist5k"))


def test_images_are_train_images_of_all_classes_in_equal_parts_moved_as_in_training():
    data = open_data("mnist5k")
    batches = recalibration_images(data, 401, seed=5)
    assert [len(batch) for batch in batches] == [100, 100, 100, 100]  # one image alone has no variance
    index = data.balanced("train", seed=5)[:400]
    assert data.labels("train")[index].bincount().tolist() == [40] * 10
    still = 0
    for before, after in zip(data.images("train", index), torch.cat(batches), strict=True):
        padded = torch.nn.functional.pad(before, (1, 1, 1, 1))
        moves = [padded[:, y : y + 28, x : x + 28] for y in range(3) for x in range(3)]
        assert any(torch.equal(after, moved) for moved in moves), "by one pixel at most, black coming in"
        still += torch.equal(before, after)
    assert 20 < still < 80  # one in nine
    assert not torch.equal(batches[0], recalibration_images(data, 401, seed=6)[0])
    assert torch.equal(batches[0], recalibration_images(data, 401, seed=5)[0])

"""Measure BN statistics anew after a cut: cheap, without gradients, and often most of the recovery."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from pruning.catalog.datasets import Dataset


def has_batch_norm(model: nn.Module) -> bool:
    """Whether the model has BN statistics to measure."""
    return any(isinstance(module, _BatchNorm) and module.track_running_stats for module in model.modules())


@torch.no_grad()
def recalibrate(model: nn.Module, data: Dataset, *, images: int = 2000, seed: int = 0, batch_size: int = 250) -> None:
    """Replace BN's running mean and variance in place by averages over shuffled `train` images.

    Shuffled matters: on class-sorted images an accuracy of 83 % fell to 72 %. Nothing happens without BN. The model
    ends in eval mode.
    """
    norms = [module for module in model.modules() if isinstance(module, _BatchNorm) and module.track_running_stats]
    if not norms:
        return
    momenta = [module.momentum for module in norms]
    model.eval()
    for module in norms:
        module.reset_running_stats()
        module.momentum = None  # a plain average over all batches
        module.train()
    try:
        labels = data.labels["train"]
        order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(seed))[:images]
        for index in order.split(batch_size):
            if len(index) > 1:
                model(data.normalise(data.images["train"][index]).contiguous(memory_format=torch.channels_last))
    finally:
        for module, momentum in zip(norms, momenta, strict=True):
            module.momentum = momentum
        model.eval()

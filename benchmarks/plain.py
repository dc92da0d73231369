"""The plain way to an accuracy after pruning, as course notebooks and Distiller go it: the measure of speed."""

from __future__ import annotations

import time

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from pruning.data.protocol import Data
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan
from pruning.removal.apply import masked_model
from pruning.repair.recalibrate import recalibration_images

BATCH = 100


@torch.no_grad()
def plain(
    model: nn.Module, graph: ModelGraph, data: Data, plan: Plan, images: int | None, recalibrate: bool
) -> tuple[float, float]:
    """Copy the network, mask it, recalibrate the copy if asked to, run it on `images` select images in float32,
    100 at a time, and throw it away: accuracy, and seconds for all of it."""
    started = time.perf_counter()
    copy = masked_model(model, graph, plan)
    if recalibrate:
        norms = [module for module in copy.modules() if isinstance(module, _BatchNorm)]
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None
            norm.train()
        for pictures in recalibration_images(data):
            copy(data.normalise(pictures))
        copy.eval()
    right, labels = 0, data.labels("select")
    for pictures, index in data.batches("select", BATCH, images):
        right += int((copy(pictures).argmax(1) == labels[index]).sum())
    accuracy = right / len(data.subset("select", images))
    return accuracy, time.perf_counter() - started

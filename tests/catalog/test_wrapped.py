"""What training in parallel and compiling wrap around a network is taken off."""

from __future__ import annotations

import torch
from torch import nn

from pruning.catalog.wrapped import unwrapped
from pruning.subject import live_subject


def test_wrappers_are_taken_off_outermost_first() -> None:
    net = nn.Linear(3, 2)
    wrapped = torch.compile(nn.DataParallel(net))
    found, around = unwrapped(wrapped)
    assert found is net and around == ("OptimizedModule", "DataParallel")
    assert unwrapped(net) == (net, ())
    inside = nn.Sequential(nn.DataParallel(net))
    assert unwrapped(inside)[0] is inside, "what a network holds is its own"


def test_a_network_of_this_process_is_opened_without_them_and_in_full_precision() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten()).half()
    subject = live_subject(nn.DataParallel(net), torch.zeros(2, 3, 4, 4, dtype=torch.float16))
    assert subject.title == "Sequential" and subject.network.weights.endswith("turned into float32 from float16")
    assert subject.network.example_inputs.dtype == torch.float32
    assert subject.model(subject.network.example_inputs).shape == (2, 4)
    assert net[0].weight.dtype == torch.float16, "the caller's own is as it was"
    assert live_subject(nn.Linear(3, 2).double(), (3,)).network.weights == "as they are in this process"

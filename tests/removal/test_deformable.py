"""Deformable convolutions lose what they read and what they make; their offsets and masks stay."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.ops import DeformConv2d

from pruning import remove_channels


class Net(nn.Module):
    """A deformable convolution (with a mask: version 2) of 12 channels to 16, in groups and with several offsets."""

    def __init__(self, *, mask: bool, groups: int = 1, offsets: int = 1, outputs: int = 16) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 12, 3, padding=1)
        self.offset = nn.Conv2d(12, 18 * offsets, 3, padding=1)
        self.mask = nn.Conv2d(12, 9 * offsets, 3, padding=1) if mask else None
        self.deform = DeformConv2d(12, outputs, 3, padding=1, groups=groups, bias=mask)
        self.norm = nn.BatchNorm2d(outputs)
        self.head = nn.Conv2d(outputs, 4, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.stem(x))
        mask = None if self.mask is None else self.mask(x).sigmoid()
        return self.head(F.relu(self.norm(self.deform(x, self.offset(x), mask))))


@pytest.mark.parametrize(
    ("options", "groups"),
    [
        ({"mask": False}, [12, 16]),
        ({"mask": True}, [12, 16]),
        ({"mask": True, "offsets": 2}, [6, 16]),
        ({"mask": True, "groups": 2}, [6, 8]),
        ({"mask": False, "groups": 12, "outputs": 12}, [12]),
    ],
    ids=["version 1", "version 2", "two offsets", "two groups", "depthwise"],
)
def test_channels_go_and_offsets_stay(options: dict, groups: list[int]) -> None:
    torch.manual_seed(0)
    model = Net(**options).eval()
    done = remove_channels(model, torch.randn(2, 3, 7, 7), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert sorted(group.units for group in done.groups) == groups
    reasons = {locked.layers: locked.reason for locked in done.locked}
    for layer in ("offset", "mask") if options["mask"] else ("offset",):
        assert "torchvision.deform_conv2d in deform" in reasons[layer,] and "places of its kernel" in reasons[layer,]
    assert done.model.stem.out_channels == 6
    assert done.model.deform.weight.shape[0] == model.deform.weight.shape[0] // 2

"""What a removal says of itself, and what the package offers."""

from __future__ import annotations

import torch
from torch import Tensor, nn

import pruning
from pruning import remove_channels


class Shared(nn.Module):
    """One layer under two names."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.mix, self.head = nn.Linear(5, 8), nn.Linear(8, 8), nn.Linear(8, 3)
        self.again = self.mix

    def forward(self, x: Tensor) -> Tensor:
        return self.head(torch.relu(self.again(torch.relu(self.mix(self.a(x))))))


def test_kept_names_a_shared_tensor_by_each_of_its_names() -> None:
    kept = remove_channels(Shared().eval(), torch.randn(2, 5), sparsity=0.5).kept
    assert kept["mix.weight"] == kept["again.weight"] and len(kept["again.weight"][0]) == 4
    assert kept["mix.bias"] == kept["again.bias"]


def test_a_removal_and_what_it_holds_say_themselves_in_a_line() -> None:
    """Parameters by hand: 48 + 72 + 27 before, 24 + 20 + 15 after."""
    done = remove_channels(Shared().eval(), torch.randn(2, 5), sparsity=0.5)
    assert repr(done) == "Removal(Shared: 147 → 59 parameters, 1 group of channels, 1 locked, exact)"
    assert repr(done.groups[0]) == "ChannelGroup(a: 8 units)"
    assert "not checked" in repr(remove_channels(Shared().eval(), torch.randn(2, 5), sparsity=0.5, check=False))


def test_the_package_lists_what_it_offers_and_is_typed() -> None:
    from pathlib import Path

    assert {"remove_channels", "open", "Removal", "Network"} <= set(dir(pruning))
    assert (Path(pruning.__file__).parent / "py.typed").exists()

"""Files of weights with masks of `torch.nn.utils.prune`, and such masks on a network whose zeros were pruned."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn.utils import prune

from pruning.base.errors import InputError
from pruning.catalog.weights.contents import read_contents
from pruning.catalog.weights.loading import find_weights, load_state_file, load_weights
from pruning.export.bundle.shipped.load import hold_zeros


def net(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(16, 3))


def masked() -> nn.Sequential:
    model = net(1)
    prune.l1_unstructured(model[0], "weight", 0.5)
    prune.random_unstructured(model[3], "bias", 1)
    return model.eval()


@pytest.mark.parametrize("kind", ["plain", "wrapped", "safetensors"])
def test_a_file_with_masks_opens_with_its_zeros(kind: str, tmp_path: Path) -> None:
    source = masked()
    state = source.state_dict()
    if kind == "safetensors":
        save_file(state, path := tmp_path / "w.safetensors")
    else:
        wrapped = {"model": {f"module.{name}": tensor for name, tensor in state.items()}, "epoch": 3}
        torch.save(state if kind == "plain" else wrapped, path := tmp_path / "w.pt")
    model = net().eval()
    fit = find_weights(model, read_contents(path))
    words = load_weights(model, fit)
    assert fit.held_zero == ("0.weight", "3.bias") and "masks of torch.nn.utils.prune on 0.weight, 3.bias" in words
    inputs = torch.randn(2, 1, 4, 4)
    assert torch.equal(model(inputs), source(inputs)) and int((model[0].weight == 0).sum()) == 18


def test_a_network_with_masks_of_its_own_is_filled_as_it_is(tmp_path: Path) -> None:
    source, model = masked(), net()
    torch.save(source.state_dict(), tmp_path / "w.pt")
    prune.l1_unstructured(model[0], "weight", 0.1)
    prune.random_unstructured(model[3], "bias", 2)
    load_state_file(model, tmp_path / "w.pt")
    assert all(torch.equal(one, source.state_dict()[name]) for name, one in model.state_dict().items())


@pytest.mark.parametrize(
    "mask", [torch.ones(4, 1, 3), torch.ones(4, 1, 3, 3).to_sparse(), torch.ones(4, 1, 2, 2)],
    ids=["dimensions", "sparse", "shape"],
)  # fmt: skip
def test_what_is_no_mask_of_its_tensor_is_not_applied(mask: Tensor, tmp_path: Path) -> None:
    state = {**masked().state_dict(), "0.weight_mask": mask}
    torch.save(state, tmp_path / "w.pt")
    with pytest.raises(InputError, match="mask"):
        load_state_file(net(), tmp_path / "w.pt")


class Reached(nn.Module):
    """A shared layer, a recurrent one, and one whose weight is read without calling it."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two, self.aside = nn.Linear(6, 6), nn.Linear(6, 6), nn.Linear(6, 6)
        self.two.weight = self.one.weight
        self.memory = nn.LSTM(6, 6, batch_first=True)

    def forward(self, x: Tensor) -> Tensor:
        out, _ = self.memory(self.two(self.one(x))[:, None])
        return nn.functional.linear(out[:, 0], self.aside.weight)


def test_masks_hold_zeros_in_training_where_their_module_is_called() -> None:
    torch.manual_seed(0)
    model, x = Reached(), torch.randn(8, 6)
    names = ("one.weight", "aside.weight", "memory.weight_hh_l0")
    with torch.no_grad():
        for name in names:
            tensor = model.get_parameter(name)
            tensor.mul_(torch.rand(tensor.shape) > 0.5)
    zeros = {name: model.get_parameter(name) == 0 for name in names}
    before = model(x)
    with pytest.warns(UserWarning, match=r"zeros of aside\.weight: its module is not called"):
        assert hold_zeros(model, names, lambda: model(x)) == ["aside.weight"]
    assert torch.equal(model(x), before) and model.one.weight_orig is model.two.weight_orig
    optimiser = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9, weight_decay=0.1)
    for _ in range(4):
        optimiser.zero_grad()
        model(x).square().sum().backward()
        optimiser.step()
    model(x)  # masks are applied at a call
    held = {"one.weight": model.two.weight, "memory.weight_hh_l0": model.memory.weight_hh_l0}
    for name, tensor in held.items():
        assert torch.all(tensor[zeros[name]] == 0) and torch.any(tensor[~zeros[name]] != 0)
    assert torch.any(model.aside.weight[zeros["aside.weight"]] != 0), "as the warning says"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        prune.remove(model.one, "weight")

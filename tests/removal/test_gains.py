"""Weights of fixed norm: what is left of them after a removal is what it was."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils import parametrizations

from pruning import remove_channels
from pruning.base.errors import RemovalError
from pruning.planning.plan import Plan, make_plan
from pruning.removal.apply import inflate, masked_model, shrink
from pruning.removal.build import build_graph
from pruning.removal.gains import exact_gains
from pruning.removal.shrinkage import shrinkage
from pruning.removal.verify import check_removal
from pruning.spec import PruneSpec

pytestmark = pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning")
IMAGES = torch.randn(2, 3, 8, 8)
NORMS: dict[str, Callable[..., nn.Module]] = {
    "parametrization": parametrizations.weight_norm,
    "hook": nn.utils.weight_norm,
}
LAYERS: dict[str, tuple[Callable[[], nn.Module], int | None]] = {
    "conv": (lambda: nn.Conv2d(8, 6, 3, padding=1), 0),
    "transposed": (lambda: nn.ConvTranspose2d(8, 6, 3, padding=1), 1),
    "transposed, norm of each input": (lambda: nn.ConvTranspose2d(8, 6, 3, padding=1), 0),
    "one norm": (lambda: nn.Conv2d(8, 6, 3, padding=1), None),
    "pointwise, norm of each input": (lambda: nn.Conv2d(8, 6, 1), 1),
}
EACH = [(kind, layer) for kind in NORMS for layer in LAYERS]


def net(kind: str, layer: str) -> nn.Sequential:
    torch.manual_seed(0)
    build, dim = LAYERS[layer]
    middle = NORMS[kind](build(), dim=dim)
    with torch.no_grad():
        for parameter in middle.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.1)
    return nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), middle, nn.ReLU(), nn.Conv2d(6, 4, 1)).eval()


def weight(model: nn.Module) -> Tensor:
    """The weight that the middle layer works with."""
    layer: Any = model.get_submodule("2")
    for hook in layer._forward_pre_hooks.values():
        hook(layer, ())
    return layer.weight.detach()


def plan_of(model: nn.Module) -> tuple[Any, Plan]:
    graph = build_graph(model, IMAGES)
    return graph, make_plan(model, graph, PruneSpec(sparsity=0.5))


def block(tensor: Tensor, layer: str, outputs: tuple[int, ...], inputs: tuple[int, ...]) -> Tensor:
    """What stands between these outputs and inputs."""
    first, second = (inputs, outputs) if "transposed" in layer else (outputs, inputs)
    return tensor[list(first)][:, list(second)]


@pytest.mark.parametrize(("kind", "layer"), EACH)
def test_what_is_left_of_a_weight_is_what_it_was(kind: str, layer: str) -> None:
    dense = net(kind, layer)
    before = {name: tensor.clone() for name, tensor in dense.state_dict().items()}
    done = remove_channels(dense, IMAGES, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact" and not done.locked[1:]
    assert all(torch.equal(tensor, before[name]) for name, tensor in dense.state_dict().items())
    outputs, inputs = (tuple(done.kept[name][dim]) for name, dim in (("4.weight", 1), ("0.weight", 0)))
    assert len(outputs) == 3 and len(inputs) == 4
    wanted = block(weight(dense), layer, outputs, inputs)
    assert torch.allclose(weight(done.model), wanted, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(("kind", "layer"), EACH)
def test_it_is_still_of_fixed_norm_and_learns(kind: str, layer: str) -> None:
    small = copy.deepcopy(remove_channels(net(kind, layer), IMAGES, sparsity=0.5).model).train()
    small(IMAGES).square().mean().backward()
    assert all(parameter.grad is not None for parameter in small.parameters())
    assert set(small.state_dict()) == set(net(kind, layer).state_dict())


@pytest.mark.parametrize(("kind", "layer"), EACH)
def test_zeros_in_a_masked_model_leave_the_other_weights_alone(kind: str, layer: str) -> None:
    dense = net(kind, layer)
    graph, plan = plan_of(dense)
    masked = masked_model(dense, graph, plan)
    inputs = plan.kept["0"]
    everything = tuple(range(6))
    wanted = block(weight(dense), layer, everything, inputs)
    assert torch.allclose(block(weight(masked), layer, everything, inputs), wanted, rtol=1e-5, atol=1e-7)
    assert int(weight(masked).count_nonzero()) == wanted.numel()


@pytest.mark.parametrize(("kind", "layer"), EACH)
def test_a_small_model_in_its_old_places_gives_the_same(kind: str, layer: str) -> None:
    dense = net(kind, layer)
    graph, plan = plan_of(dense)
    what = shrinkage(graph, plan)
    small = shrink(dense, what)
    large = inflate(dense, small, what).double()
    assert torch.allclose(large(IMAGES.double()), small.double()(IMAGES.double()), rtol=1e-6)
    again = shrink(inflate(dense, shrink(dense, what), what), what)
    assert all(
        torch.allclose(a, b, rtol=1e-6) for a, b in zip(again.parameters(), small.float().parameters(), strict=True)
    )


def test_the_proof_asks_for_the_right_gain() -> None:
    dense = net("parametrization", "conv")
    graph, plan = plan_of(dense)
    small = shrink(dense, shrinkage(graph, plan))
    assert check_removal(dense, small, graph, plan).status == "exact"
    gain = small.get_parameter("2.parametrizations.weight.original0")
    gain.data[0] *= 1 + 1e-6
    with pytest.raises(RemovalError, match="original0"):
        check_removal(dense, small, graph, plan)


def test_a_weight_of_which_only_zeros_are_left_is_zero() -> None:
    dense = net("parametrization", "conv")
    _, plan = plan_of(dense)
    direction = dense.get_parameter("2.parametrizations.weight.original1")
    row = plan.kept["2"][0]
    direction.data[row, list(plan.kept["0"])] = 0
    done = remove_channels(dense, IMAGES, sparsity={"0": 0.5})
    assert done.check is not None and done.check.status == "exact"
    assert not weight(done.model)[row].any() and bool(done.model(IMAGES).isfinite().all())


def test_gains_follow_only_where_a_norm_changes() -> None:
    dense = net("parametrization", "conv")
    graph = build_graph(dense, IMAGES)
    plan = make_plan(dense, graph, PruneSpec(layers=(("2", 0.5),), sparsity=0.0))
    what = shrinkage(graph, plan)
    assert what.gains and not exact_gains(dict(dense.named_parameters()), what)


def each(v: Tensor) -> Tensor:
    return v.norm(dim=1, keepdim=True)


SPELLINGS: dict[str, tuple[tuple[int, ...], Callable[[Tensor, Tensor], Tensor]]] = {
    "g v / n": ((6, 1), lambda v, g: g * v / each(v)),
    "v (g / n)": ((6, 1), lambda v, g: v * (g / each(v))),
    "normalize": ((6, 1), lambda v, g: F.normalize(v, dim=1) * g),
    "a vector": ((6,), lambda v, g: F.normalize(v, dim=1) * g[:, None]),
    "viewed": ((6,), lambda v, g: v / torch.linalg.vector_norm(v, dim=1).view(-1, 1) * g.view(-1, 1)),
    "one norm": ((1,), lambda v, g: g * (v / v.norm())),
    "one norm of squares": ((1,), lambda v, g: v * (g / v.norm(p=2))),
}
FIXED: dict[str, tuple[tuple[int, ...], Callable[[Tensor, Tensor], Tensor]]] = {
    "no gain": ((6, 1), lambda v, g: F.normalize(v, dim=1)),
    "one gain": ((1,), lambda v, g: F.normalize(v, dim=1) * g),
    "exponential": ((6, 1), lambda v, g: F.normalize(v, dim=1) * g.exp()),
    "used twice": ((6, 1), lambda v, g: F.normalize(v, dim=1) * g + v * g),
    "another norm": ((6, 1), lambda v, g: v * (g / v.norm(p=1, dim=1, keepdim=True))),
    "by a sum": ((6, 1), lambda v, g: v * (g / v.abs().sum(1, keepdim=True))),
}


class WrittenOut(nn.Module):
    """A weight of fixed norm, computed in forward."""

    def __init__(self, shape: tuple[int, ...], spelling: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.v, self.g = nn.Parameter(torch.randn(6, 8)), nn.Parameter(torch.rand(shape) + 0.5)
        self.spelling = spelling

    @property
    def weight(self) -> Tensor:
        return self.spelling(self.v, self.g)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.spelling(self.v, self.g))


def written(spelling: tuple[tuple[int, ...], Callable[[Tensor, Tensor], Tensor]]) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), WrittenOut(*spelling), nn.ReLU(), nn.Linear(6, 4)).eval()


@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_weight_norm_may_be_written_out(spelling: Any) -> None:
    dense = written(spelling)
    done = remove_channels(dense, torch.randn(2, 5), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact" and len(done.locked) == 1
    wanted = weight(dense)[done.kept["4.weight"][1]][:, done.kept["0.weight"][0]]
    assert wanted.shape == (3, 4) and torch.allclose(weight(done.model), wanted, rtol=1e-5)


@pytest.mark.parametrize("spelling", FIXED.values(), ids=FIXED)
def test_without_a_gain_to_follow_what_a_norm_is_taken_over_stays(spelling: Any) -> None:
    dense = written(spelling)
    done = remove_channels(dense, torch.randn(2, 5), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert any(locked.layers == ("0",) and "plain weight" in locked.reason for locked in done.locked)
    assert torch.allclose(weight(done.model), weight(dense)[done.kept["4.weight"][1]])


def test_channels_of_a_computed_weight_go_by_the_name_of_its_layer() -> None:
    class Recurrent(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.embed, self.cell, self.head = nn.Linear(5, 8), nn.LSTM(8, 6, batch_first=True), nn.Linear(6, 3)
            for name in ("weight_ih_l0", "weight_hh_l0"):
                parametrizations.weight_norm(self.cell, name)

        def forward(self, x: Tensor) -> Any:
            return self.head(self.cell(self.embed(x))[0])

    done = remove_channels(Recurrent().eval(), torch.randn(2, 4, 5), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert [(group.name, group.units) for group in done.groups] == [("embed", 8), ("cell", 6)]

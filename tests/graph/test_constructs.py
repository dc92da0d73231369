"""Each network of `constructs` loses exactly what was worked out by hand, and works afterwards."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map_only

from pruning import remove_channels
from pruning.base.clone import clone
from tests.graph.constructs import CONSTRUCTS, Construct
from tests.invariants import changes, shared, state

ATEN = torch.ops.aten
pytestmark = [
    pytest.mark.filterwarnings("ignore:.*weight_norm.*:FutureWarning"),
    pytest.mark.filterwarnings("ignore:TF32 acceleration"),
]


class Counter(TorchDispatchMode):
    """Multiply-accumulates of what really runs: convolutions and matrix products by the shapes of their operands."""

    def __init__(self) -> None:
        super().__init__()
        self.macs = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        kind = func.overloadpacket
        if kind is ATEN.convolution:
            source, weight, transposed = args[0], args[1], args[6]
            batch_and_places = (source if transposed else result).numel() // (source if transposed else result).shape[1]
            self.macs += weight.numel() * batch_and_places
        elif kind in (ATEN.mm, ATEN.bmm):
            self.macs += args[0].numel() * args[1].shape[-1]
        elif kind in (ATEN.addmm, ATEN.baddbmm):
            self.macs += args[1].numel() * args[2].shape[-1]
        elif kind in (ATEN.mv, ATEN.dot, ATEN.vdot):
            self.macs += args[0].numel()
        return result


def run(model: nn.Module, example: Any) -> Any:
    return model(**example) if isinstance(example, Mapping) else model(*example)


def macs(model: nn.Module, construct: Construct) -> int:
    """For one sample in eval mode, with attention and recurrent layers taken to pieces."""
    mode = model.training
    model.eval()
    with Counter() as counter, sdpa_kernel(SDPBackend.MATH), torch.backends.mkldnn.flags(enabled=False):
        run(model, construct.inputs(1))
    model.train(mode)
    return counter.macs


def network(construct: Construct) -> nn.Module:
    """The network with random weights; statistics of norms come from a batch, so that channels differ."""
    torch.manual_seed(0)
    model = construct.build().train()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter), alpha=0.05)
        run(model, construct.inputs(16))
    return model.eval()


def tensors(output: Any) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(output) if isinstance(leaf, Tensor)]


@pytest.mark.parametrize("construct", CONSTRUCTS, ids=lambda construct: construct.name)
def test_what_goes_is_what_was_worked_out_by_hand(construct):
    model = network(construct)
    assert macs(model, construct) == construct.macs
    fired: list[str] = []
    for path, module in model.named_modules():
        module.register_forward_hook(lambda module, args, output, path=path: fired.append(path))
    before = state(model)
    removal = remove_channels(model, construct.inputs(2), sparsity=0.5)
    assert not changes(before, model)
    assert not fired, "what hooks outside of the network wrote down while it was traced is taken back"
    run(model, construct.inputs(2))
    in_order, fired[:] = list(fired), []
    run(removal.model, construct.inputs(2))
    assert set(fired) >= set(in_order) != set()  # a slim attention calls its output layer, which torch's does not
    for network_ in (model, removal.model):
        for module in network_.modules():
            module._forward_hooks.clear()
    assert removal.check is not None
    assert removal.check.status == ("exact" if construct.groups else "refused"), removal.check
    found = tuple(sorted(group.units for group in removal.groups))
    assert found == construct.groups, {group.name: group.units for group in removal.groups} | {
        locked.layers: locked.reason for locked in removal.locked
    }
    for layer, expected in construct.locked.items():
        reasons = [locked.reason for locked in removal.locked if layer in locked.layers]
        assert any(all(word in reason for word in expected.split()) for reason in reasons), reasons
    assert macs(removal.model, construct) == construct.left
    assert removal.model.training == model.training
    assert shared(removal.model) == before["shared"]
    assert {name: p.requires_grad for name, p in removal.model.named_parameters()} == before["learning"]
    if construct.by_layers:
        assert agree(masked(model, removal.kept), removal.model, construct)
        assert not construct.groups or not agree(model, removal.model, construct)
    works(removal.model, model, construct)


LAYERS = (nn.modules.conv._ConvNd, nn.Linear, nn.RNNBase, nn.modules.rnn.RNNCellBase, nn.MultiheadAttention)


@torch.no_grad()
def masked(model: nn.Module, kept: Mapping[str, Mapping[int, list[int]]]) -> nn.Module:
    """The model of full size in which no layer reads what is gone: its weights for that are zero."""
    large = clone(model)
    for path, module in large.named_modules():
        if not isinstance(module, LAYERS):
            continue
        dim = 0 if isinstance(module, nn.modules.conv._ConvTransposeNd) else 1
        for name, weight in module.named_parameters(recurse=False):
            dims = kept.get(f"{path}.{name}", {})
            if weight.dim() > 1 and dim in dims:
                weight.index_fill_(dim, torch.tensor(sorted(set(range(weight.shape[dim])) - set(dims[dim]))), 0.0)
    return large


def agree(large: nn.Module, small: nn.Module, construct: Construct) -> bool:
    """Whether both give the same, in float64."""
    torch.manual_seed(1)
    before = torch.get_default_dtype()
    example = tree_map_only(Tensor, lambda x: x.double() if x.is_floating_point() else x, construct.inputs(3))
    torch.set_default_dtype(torch.float64)
    try:
        pairs = list(zip(*(tensors(run(clone(m).double().eval(), example)) for m in (large, small)), strict=True))
    finally:
        torch.set_default_dtype(before)
    return all(one.shape == other.shape and torch.allclose(one, other, rtol=1e-9, atol=1e-9) for one, other in pairs)


def works(small: nn.Module, model: nn.Module, construct: Construct) -> None:
    """It runs in both modes with several batch sizes, learns, and can be saved and loaded."""
    for training, batch in ((False, 1), (False, 2), (False, 3), (True, 2), (True, 3)):
        example = construct.inputs(batch)
        outputs = tensors(run(small.train(training), example))
        like = tensors(run(model.train(training), example))
        assert [output.shape for output in outputs] == [output.shape for output in like]
    sum((output.square().mean() for output in outputs), torch.zeros(())).backward()
    learned = [name for name, parameter in small.named_parameters() if parameter.grad is not None]
    assert learned and set(learned) <= {name for name, parameter in small.named_parameters() if parameter.requires_grad}
    assert all(p.grad is None or p.grad.shape == p.shape for p in small.parameters())
    small.eval()
    example = construct.inputs(2)
    wanted = tensors(run(small, example))
    saved = io.BytesIO()
    torch.save(small.state_dict(), saved)
    with torch.no_grad():
        for tensor in small.state_dict().values():
            tensor.zero_()
    saved.seek(0)
    small.load_state_dict(torch.load(saved))
    assert all(torch.equal(a, b) for a, b in zip(wanted, tensors(run(small, example)), strict=True))


def named(name: str) -> Construct:
    return next(construct for construct in CONSTRUCTS if construct.name == name)


NUMBERS = "C2fSplit Res2Net NonLocalByAttribute AttentionByHand AttentionModule OptionAModule Recurrent-GRU".split()
SLOW = {"NonLocalByAttribute", "AttentionByHand", "AttentionModule", "Recurrent-GRU", "Recurrent-LSTM"}


def some_slow(names: list[str]) -> list[Any]:
    """Parameters of a test that takes seconds for some of them."""
    return [pytest.param(name, marks=pytest.mark.slow) if name in SLOW else name for name in names]


@pytest.mark.parametrize("name", some_slow(NUMBERS))
def test_each_group_goes_without_the_others(name):
    """Groups are independent of each other, also where one number in an attribute stands for several of them."""
    construct = named(name)
    model = network(construct)
    groups = remove_channels(model, construct.inputs(2), sparsity=0.5, check=False).groups
    assert groups
    for group in groups:
        removal = remove_channels(model, construct.inputs(2), sparsity={group.name: 0.5})
        assert removal.check is not None and removal.check.status == "exact"
        assert construct.left < macs(removal.model, construct) < construct.macs


@pytest.mark.parametrize(
    "name", some_slow(["StochasticResidual", "TransformerLayer", "Recurrent-LSTM", "C2fSplit", "Siamese"])
)
def test_a_removed_model_can_be_exported_and_removed_from_again(name):
    construct = named(name)
    once = remove_channels(network(construct), construct.inputs(2), sparsity=0.5)
    assert torch.export.export(once.model, construct.inputs(2)) is not None
    twice = remove_channels(once.model, construct.inputs(2), sparsity=0.5)
    assert twice.check is not None and twice.check.status == "exact"
    assert macs(twice.model, construct) < macs(once.model, construct)


def test_one_parameter_in_two_modules_is_still_one():
    construct = named("OneParameterInTwoModules")
    small = remove_channels(network(construct), construct.inputs(2), sparsity=0.5).model
    assert small.one.weight is small.other.weight and small.one.bias is not small.other.bias


def test_what_only_training_uses_is_smaller_too():
    construct = named("TrainingBranch")
    small = remove_channels(network(construct), construct.inputs(2), sparsity=0.5).model
    assert small.extra.weight.shape == (3, 4, 3, 3) and small.probe.weight.shape == (2, 3, 1, 1)


def test_names_are_told_apart():
    assert len({construct.name for construct in CONSTRUCTS}) == len(CONSTRUCTS)

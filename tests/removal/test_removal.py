"""`remove_channels`: what it returns, what it refuses, and that the caller's model stays as it was."""

import contextlib
import copy
import gc
import pickle
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensorMode
from torch.fx import graph_module
from torch.nn.utils import prune

from pruning import remove_channels
from pruning.base.errors import InputError
from pruning.graph import leftovers
from pruning.planning.allocation import per_target
from pruning.removal.build import build_graph
from pruning.spec import PruneSpec

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))


class Net(nn.Module):
    """conv1 (8) → bn → relu → conv2 (6) → relu → mean → head; an auxiliary head reads conv1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 8, 3, padding=1)
        self.bn = nn.BatchNorm2d(8)
        self.conv2 = nn.Conv2d(8, 6, 3, padding=1, bias=False)
        self.head = nn.Linear(6, 4)

    def forward(self, x: Tensor) -> Tensor:
        x = self.bn(self.conv1(x)).relu()
        x = self.conv2(x).relu()
        return self.head(x.mean((2, 3)))


def net(model: nn.Module | None = None) -> nn.Module:
    """With statistics that a batch left, and no weight that is special."""
    torch.manual_seed(0)
    model = Net() if model is None else model
    model.train()
    with torch.no_grad():
        for _ in range(3):
            model(torch.randn(8, 3, 8, 8))
    return model.eval()


def weakest(weight: Tensor, count: int) -> list[int]:
    """The channels that l2 removes first."""
    return sorted(weight.detach().flatten(1).norm(dim=1).argsort()[:count].tolist())


def test_what_was_kept_is_told_for_every_tensor_and_dimension():
    model = net()
    gone = weakest(model.conv1.weight, 4)
    stay = [channel for channel in range(8) if channel not in gone]
    removal = remove_channels(model, IMAGES, sparsity=0.5)
    kept = removal.kept
    assert kept["conv1.weight"] == {0: stay} and kept["conv1.bias"] == {0: stay}
    assert kept["bn.running_var"] == {0: stay} and kept["conv2.weight"][1] == stay
    assert set(kept) == {
        "conv1.weight", "conv1.bias", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var", "conv2.weight",
        "head.weight",
    }  # fmt: skip
    state, small = model.state_dict(), removal.model.state_dict()
    assert list(state) == list(small)
    for name, tensor in state.items():
        for dim, index in kept.get(name, {}).items():
            tensor = tensor.index_select(dim, torch.tensor(index))
        assert torch.equal(small[name], tensor), name
    assert removal.check is not None and removal.check.status == "exact"
    assert removal.check.max_error is not None and removal.check.max_error < 1e-9


def test_groups_and_locked_ones():
    removal = remove_channels(net(), IMAGES, sparsity=0.5)
    assert [(group.name, group.units, group.producers) for group in removal.groups] == [
        ("conv1", 8, ("conv1",)),
        ("conv2", 6, ("conv2",)),
    ]
    (locked,) = removal.locked
    assert (locked.layers, locked.units) == (("head",), 4) and "output" in locked.reason
    assert type(removal.model) is Net and type(removal.model.conv1) is nn.Conv2d
    assert (removal.model.conv1.out_channels, removal.model.bn.num_features, removal.model.conv2.in_channels) == (
        4,
        4,
        4,
    )


@pytest.mark.parametrize(
    ("sparsity", "round_to", "widths"),
    [
        (0.5, None, (4, 3)),
        (np.float32(0.5), None, (4, 3)),
        (0.3, None, (6, 5)),  # floor(2.4), floor(1.8) go
        (0.99, None, (1, 1)),
        (0.0, None, (8, 6)),
        (0.5, 1, (4, 3)),
        (0.5, 4, (4, 4)),  # up to the next multiple
        (0.3, 4, (8, 6)),  # 5 would be 8, more than the 6 there are
        (0.5, 16, (8, 6)),
        ({"conv1": 0.5}, None, (4, 6)),
        ({"conv2": 0.5, "conv1": 0.25}, None, (6, 3)),
        ({}, None, (8, 6)),
    ],
)
def test_how_many_stay(sparsity, round_to, widths):
    small = remove_channels(net(), IMAGES, sparsity=sparsity, round_to=round_to, check=False).model
    assert (small.conv1.out_channels, small.conv2.out_channels) == widths
    assert small(IMAGES).shape == (2, 4)


def test_without_a_check_there_is_none():
    assert remove_channels(net(), IMAGES, sparsity=0.5, check=False).check is None


def test_the_criterion_decides_what_goes():
    model = net()
    least = remove_channels(model, IMAGES, sparsity=0.5, check=False)
    most = remove_channels(model, IMAGES, sparsity=0.5, criterion="largest", check=False)
    assert set(least.kept["conv1.weight"][0]).isdisjoint(most.kept["conv1.weight"][0])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"sparsity": 1.0}, "below 1"),
        ({"sparsity": -0.1}, "at least 0"),
        ({"sparsity": "0.5"}, "'0.5'"),
        ({"sparsity": True}, "True"),
        ({"sparsity": float("nan")}, "nan"),
        ({"sparsity": {"conv1": 1.5}}, "layer conv1"),
        ({"sparsity": {"cnov1": 0.5}}, "Did you mean 'conv1'?"),
        ({"sparsity": {1: 0.5}}, "no name: 1"),
        ({"sparsity": 0.5, "criterion": ["l2"]}, "['l2']"),
        ({"sparsity": {"head": 0.5}}, "cannot be removed"),
        ({"sparsity": 0.5, "criterion": "l3"}, "l3"),
        ({"sparsity": 0.5, "round_to": 0}, "round_to"),
        ({"sparsity": 0.5, "round_to": 2.0}, "round_to"),
        ({"sparsity": 0.5, "round_to": True}, "round_to"),
    ],
)
def test_arguments_that_are_not_allowed(options, words):
    with pytest.raises(InputError) as caught:
        remove_channels(net(), IMAGES, **options)
    assert words in str(caught.value) and "\n" not in str(caught.value)


class FixedSize(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, padding=1)
        self.head = nn.Linear(8, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.conv(x).mean((2, 3)).view(-1, 8))


def test_a_network_of_locked_layers_only_is_refused_and_says_why():
    removal = remove_channels(FixedSize(), IMAGES, sparsity=0.5)
    assert removal.groups == () and removal.kept == {}
    assert removal.check is not None and removal.check.status == "refused"
    assert removal.check.reason is not None and "fixes a size" in removal.check.reason
    assert remove_channels(FixedSize(), IMAGES, sparsity=0.0).check.status == "exact"
    with pytest.raises(InputError, match="fixes a size"):
        remove_channels(FixedSize(), IMAGES, sparsity={"conv": 0.5})


def test_an_unknown_layer_where_none_can_be_pruned():
    graph = build_graph(FixedSize(), IMAGES)
    with pytest.raises(InputError, match=r"no prunable layer 'cnov': no channels of this network can be removed\.$"):
        per_target(graph, PruneSpec(layers=(("cnov", 0.5),)))


class Two(nn.Module):
    """Two inputs and nested outputs; one input is optional and has a width of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.left = nn.Conv2d(3, 8, 1)
        self.right = nn.Linear(5, 8)
        self.head = nn.Linear(8, 2)
        self.other = nn.Linear(8, 1)

    def forward(self, image: Tensor, extra: Tensor, scale: float = 1.0) -> dict[str, object]:
        x = self.left(image).mean((2, 3)).relu()
        y = self.right(extra).relu()
        return {"sum": self.head(x + y), "both": (self.other(x), [self.other(y) * scale])}


@pytest.mark.parametrize(
    "inputs",
    [
        (IMAGES, torch.randn(2, 5)),
        [IMAGES, torch.randn(2, 5)],
        (IMAGES, torch.randn(2, 5), 2.0),
        {"image": IMAGES, "extra": torch.randn(2, 5)},
        {"extra": torch.randn(2, 5), "image": IMAGES, "scale": 3.0},
    ],
    ids=["tuple", "list", "tuple with a number", "dict", "dict in another order"],
)
def test_several_inputs_and_nested_outputs(inputs):
    removal = remove_channels(Two(), inputs, sparsity=0.5)
    assert removal.check is not None and removal.check.status == "exact"
    assert removal.model.left.out_channels == removal.model.right.out_features == 4  # added, so they go together
    output = removal.model(**inputs) if isinstance(inputs, dict) else removal.model(*inputs)
    assert output["sum"].shape == (2, 2) and output["both"][0].shape == (2, 1)


def test_one_sample_is_enough_and_the_dtype_is_kept():
    removal = remove_channels(net(), IMAGES[:1], sparsity=0.5)
    assert removal.check is not None and removal.check.status == "exact"
    double = net().double()
    small = remove_channels(double, IMAGES.double(), sparsity=0.5).model
    assert {parameter.dtype for parameter in small.parameters()} == {torch.float64}


class Tied(nn.Module):
    """An autoencoder whose second layer is the first one, transposed by sharing; two more share one weight."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Linear(6, 8)
        self.first = nn.Linear(8, 8, bias=False)
        self.second = nn.Linear(8, 8, bias=False)
        self.second.weight = self.first.weight
        self.head = nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.second(self.first(self.stem(x).relu()).relu()).relu())


def fingerprint(model: nn.Module) -> dict[str, object]:
    """Everything of a model that a removal must leave alone."""
    return {
        "bits": {
            name: (id(tensor), tensor.data_ptr(), tensor.detach().clone())
            for name, tensor in (
                *model.named_parameters(remove_duplicate=False),
                *model.named_buffers(remove_duplicate=False),
            )
        },
        "modes": [module.training for module in model.modules()],
        "requires_grad": [parameter.requires_grad for parameter in model.parameters()],
        "grads": [None if p.grad is None else (id(p.grad), p.grad.clone()) for p in model.parameters()],
        "hooks": [
            (
                list(m._forward_hooks.values()),
                list(m._forward_pre_hooks.values()),
                list(m._backward_hooks.values()),
                list(m._state_dict_hooks.values()),
            )
            for m in model.modules()
        ],
        "classes": [type(module) for module in model.modules()],
        "attributes": [
            {
                name: copy.copy(value)
                for name, value in vars(m).items()
                if isinstance(value, int | float | str | tuple | list | type(None))
            }
            for m in model.modules()
        ],
    }


def assert_same(before: object, after: object) -> None:
    assert type(before) is type(after)
    if isinstance(before, dict):
        assert before.keys() == after.keys()
        for key in before:
            assert_same(before[key], after[key])
    elif isinstance(before, list | tuple):
        assert len(before) == len(after)
        for one, other in zip(before, after, strict=True):
            assert_same(one, other)
    elif isinstance(before, Tensor):
        assert torch.equal(before, after)
    else:
        assert before == after


class Hooked(Net):
    """Counts its calls and remembers its last features, as users' networks do."""

    def __init__(self) -> None:
        super().__init__()
        self.calls = 0
        self.last: Tensor | None = None
        self.names: list[str] = []

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.last = self.conv1(x)
        self.names.append("forward")
        return super().forward(x)


class Collects(Net):
    """Keeps what it sees in containers, in its parts too."""

    def __init__(self) -> None:
        super().__init__()
        self.features: list[Tensor] = []
        self.shapes: dict[str, set[int]] = {"conv1": set()}
        self.conv1.seen = []

    def forward(self, x: Tensor) -> Tensor:
        self.features.append(self.conv1(x))
        self.shapes["conv1"].add(len(x))
        self.shapes[str(len(self.shapes))] = set()
        self.conv1.seen.append(len(x))
        return super().forward(x)


def test_what_a_network_collects_is_neither_the_callers_nor_the_results():
    model = Collects()
    model(IMAGES)  # leaves features with a history, which deepcopy refuses
    removal = remove_channels(model, IMAGES, sparsity=0.5)
    for one in (model, removal.model):
        assert len(one.features) == 1 and one.features[0].shape == (2, 8, 8, 8)
        assert one.shapes == {"conv1": {2}, "1": set()} and one.conv1.seen == [2]
    assert model.features[0].grad_fn is not None


class WritesInput(Net):
    def forward(self, x: Tensor, fails: bool = False) -> Tensor:
        x = super().forward(x.mul_(2))
        return x if not fails or bool((x > 0).any()) else -x


@pytest.mark.parametrize("fails", [False, True])
def test_inputs_written_to_stay(fails):
    images = IMAGES.clone()
    with pytest.raises(InputError, match="values of its data") if fails else contextlib.nullcontext():
        assert remove_channels(WritesInput(), (images, fails), sparsity=0.5).check.status == "exact"
    assert torch.equal(images, IMAGES)


def test_the_callers_modes_of_torch_do_not_matter():
    model = net()
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        removal = remove_channels(model, IMAGES, sparsity=0.5)
        assert torch.is_inference_mode_enabled() and torch.is_autocast_enabled("cpu")
    assert removal.check.status == "exact"
    removal.model(IMAGES).sum().backward()  # inference tensors could not


def test_several_threads_may_remove_at_a_time():
    with ThreadPoolExecutor(3) as pool:
        removals = [pool.submit(remove_channels, net(), IMAGES, sparsity=0.5) for _ in range(3)]
    assert [removal.result().check.status for removal in removals] == ["exact"] * 3


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_and_memory_format_are_kept(dtype):
    model = net().to(dtype=dtype, memory_format=torch.channels_last)
    removal = remove_channels(model, IMAGES.to(dtype), sparsity=0.5)
    weight = removal.model.conv2.weight
    assert removal.check.status == "exact" and removal.model(IMAGES.to(dtype)).dtype == dtype
    assert weight.dtype == dtype and weight.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("kind", [Net, Hooked])
def test_the_callers_model_is_untouched(kind):
    model = net(kind())
    model(IMAGES).sum().backward()
    model.train()
    model.bn.eval()
    model.conv2.weight.requires_grad_(False)
    model.conv1.register_forward_hook(lambda module, inputs, output: output * 1.0)
    model.conv2.register_forward_pre_hook(lambda module, inputs: None)
    before = fingerprint(model)
    random = torch.random.get_rng_state()
    removal = remove_channels(model, IMAGES, sparsity=0.5)
    assert_same(before, fingerprint(model))
    assert torch.equal(random, torch.random.get_rng_state())
    assert torch.is_grad_enabled()
    own = {tensor.untyped_storage().data_ptr() for tensor in (*model.parameters(), *model.buffers())}
    theirs = {tensor.untyped_storage().data_ptr() for tensor in (*removal.model.parameters(), *removal.model.buffers())}
    assert own.isdisjoint(theirs)


def test_inputs_are_untouched():
    images = IMAGES.clone().requires_grad_()
    remove_channels(net(), images, sparsity=0.5)
    assert torch.equal(images, IMAGES) and images.grad is None and images.requires_grad


def test_the_result_keeps_modes_flags_and_hooks():
    model = net().train()
    model.bn.eval()
    model.conv1.weight.requires_grad_(False)
    seen: list[int] = []
    model.conv2.register_forward_hook(lambda module, inputs, output: seen.append(output.shape[1]))
    small = remove_channels(model, IMAGES, sparsity=0.5).model
    assert small.training and not small.bn.training
    assert not small.conv1.weight.requires_grad and small.conv1.bias.requires_grad
    seen.clear()
    small(IMAGES)
    assert seen == [3]


def test_tied_weights_stay_tied():
    model = Tied()
    removal = remove_channels(model, torch.randn(2, 6), sparsity=0.5)
    assert model.second.weight is model.first.weight
    assert removal.model.second.weight is removal.model.first.weight
    assert removal.check is not None and removal.check.status == "exact"


@pytest.mark.parametrize(
    "wrap",
    [
        nn.utils.parametrizations.weight_norm,
        nn.utils.weight_norm,
        lambda layer: prune.l1_unstructured(layer, "weight", 0.3),
    ],
    ids=["parametrization", "weight_norm", "prune"],
)
@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_parametrised_weights(wrap):
    model = net()
    wrap(model.conv2)
    model(IMAGES)  # leaves a weight with a history, which deepcopy refuses
    removal = remove_channels(model, IMAGES, sparsity=0.5)
    assert removal.check is not None and removal.check.status == "exact"
    assert removal.model(IMAGES).shape == (2, 4)


def test_the_result_can_be_trained_saved_and_removed_from_again():
    small = remove_channels(net(), IMAGES, sparsity=0.5).model
    small.train()
    optimiser = torch.optim.SGD(small.parameters(), lr=0.1, momentum=0.9)
    before = small.conv1.weight.detach().clone()
    for _ in range(2):
        optimiser.zero_grad()
        small(IMAGES).square().mean().backward()
        optimiser.step()
    assert all(parameter.grad is not None for parameter in small.parameters())
    assert not torch.equal(before, small.conv1.weight)
    small.eval()
    for other in (copy.deepcopy(small), pickle.loads(pickle.dumps(small))):
        assert torch.equal(other(IMAGES), small(IMAGES))
    fresh = remove_channels(net(), IMAGES, sparsity=0.5, check=False).model
    fresh.load_state_dict(OrderedDict(small.state_dict()))
    assert torch.equal(fresh.eval()(IMAGES), small(IMAGES))
    again = remove_channels(small, IMAGES, sparsity=0.5)
    assert again.model.conv1.out_channels == 2 and again.check is not None and again.check.status == "exact"


def test_the_result_can_be_exported():
    small = remove_channels(net(), IMAGES, sparsity=0.5).model.eval()
    batch = torch.export.Dim("batch", min=1)
    program = torch.export.export(small, (IMAGES,), dynamic_shapes=({0: batch},))
    assert torch.allclose(program.module()(IMAGES[:1]), small(IMAGES[:1]), atol=1e-6)


def test_the_result_can_be_exported_to_onnx(tmp_path):
    pytest.importorskip("onnx")
    small = remove_channels(net(), IMAGES, sparsity=0.5).model.eval()
    path = tmp_path / "small.onnx"
    torch.onnx.export(small, (IMAGES,), str(path), dynamo=False)
    import onnx

    shapes = {tensor.name: list(tensor.dims) for tensor in onnx.load(str(path)).graph.initializer}
    assert [4, 3, 3, 3] in shapes.values() and [3, 4, 3, 3] in shapes.values()


def bytes_of_weights() -> int:
    """Memory of all parameters there are."""
    found = [thing for thing in gc.get_objects() if type(thing) is nn.Parameter]
    return sum(parameter.nbytes for parameter in found if parameter.layout == torch.strided)


def test_nothing_of_a_removal_stays_behind():
    """Neither networks nor weights wait for a garbage collection, and no cache of torch's grows."""
    model = net()
    remove_channels(model, IMAGES, sparsity=0.5)
    gc.collect()
    gc.disable()
    try:
        sources = len(graph_module._loader.eval_cache)
        held = bytes_of_weights()
        for _ in range(2):
            remove_channels(model, IMAGES, sparsity=0.5)
        assert len(graph_module._loader.eval_cache) == sources and bytes_of_weights() <= held
    finally:
        gc.enable()
    gc.collect()
    assert sum(type(thing) is Net for thing in gc.get_objects()) == 1


def test_what_torch_remembers_of_sizes_is_bounded(monkeypatch):
    monkeypatch.setattr(leftovers, "REMEMBERED", 0)
    remove_channels(net(), IMAGES, sparsity=0.5)
    assert not FakeTensorMode.cache

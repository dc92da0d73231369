"""Nothing of the user's network changes, whatever its code and its hooks do, and layers say their own sizes."""

from __future__ import annotations

import copy
import random
from collections import OrderedDict, deque
from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, ClassVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch._subclasses.fake_tensor import FakeTensor
from torch.nn import functional as F
from torch.nn.modules import module as module_file
from torch.nn.utils import parametrize

from pruning import remove_channels
from pruning.removal.attributes import follow

IMAGES = torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))
STORE: dict[str, Any] = {"kept": [1]}


def bits(model: nn.Module) -> dict[str, bytes]:
    tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    return {name: tensor.detach().contiguous().numpy().tobytes() for name, tensor in tensors.items()}


class Counting(nn.Module):
    """Writes to integer and float64 buffers whenever it runs, and has a part that only training uses."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.bn, self.b = nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.Conv2d(8, 6, 3)
        self.head, self.other = nn.Linear(6, 3), nn.Linear(6, 3)
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.register_buffer("largest", torch.zeros(3, dtype=torch.float64))

    def forward(self, x: Tensor) -> Any:
        self.calls += 1
        self.largest += x.amax((0, 2, 3))
        x = self.b(F.relu(self.bn(self.a(x)))).mean((2, 3))
        return (self.head(x), self.other(x)) if self.training else self.head(x)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_counters_and_statistics_stay_and_the_result_is_that_of_no_proof(dtype: torch.dtype) -> None:
    torch.manual_seed(0)
    model = Counting().to(dtype).eval()
    before = bits(model)
    proven = remove_channels(model, IMAGES.to(dtype), sparsity=0.5)
    assert proven.check is not None and proven.check.status == "exact"
    assert bits(model) == before
    assert bits(proven.model) == bits(remove_channels(model, IMAGES.to(dtype), sparsity=0.5, check=False).model)
    assert int(proven.model.calls) == 0 and proven.model.other.in_features == 3


class Watched(nn.Module):
    """Its hooks keep features, which its forward reads."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 6, 3), nn.Linear(6, 3)
        self.features: OrderedDict[str, Tensor] = OrderedDict()
        self.a.register_forward_hook(self.keep("a"))

    def keep(self, name: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Tensor) -> None:
            self.features[name] = output

        return hook

    def forward(self, x: Tensor) -> Tensor:
        self.a(x)
        return self.head(F.relu(self.b(self.features["a"])).mean((2, 3)))


def watched_by_itself() -> tuple[Watched, Any]:
    model = Watched().eval()
    return model, lambda of: of.features


def watched_from_a_dict() -> tuple[nn.Module, Any]:
    store: dict[str, Tensor] = {}
    model = Plain().eval()
    model.store = store  # type: ignore[assignment]
    model.a.register_forward_hook(lambda module, args, output: store.update(a=output))
    return model, lambda of: of.store


def watched_from_a_file() -> tuple[nn.Module, Any]:
    model = Plain().eval()
    model.a.register_forward_hook(lambda module, args, output: STORE.update(a=output, kept=[*STORE["kept"], 2]))
    return model, lambda of: {name: value for name, value in STORE.items() if name != "kept"}


class Plain(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b, self.head = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 6, 3), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.b(F.relu(self.a(x)))).mean((2, 3)))


@pytest.mark.parametrize("make", [watched_by_itself, watched_from_a_dict, watched_from_a_file])
def test_hooks_leave_nothing_behind_and_fire_as_before(make: Any) -> None:
    model, kept = make()
    done = remove_channels(model, IMAGES, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert not kept(model) and STORE == {"kept": [1]}
    assert not kept(copy.deepcopy(model))
    done.model(IMAGES)
    assert kept(done.model)["a"].shape == (2, 4, 6, 6)
    if kept(done.model) is not kept(model):
        assert make is watched_from_a_file or not kept(model), "the hook of the smaller network writes to its own"
    model(IMAGES)
    assert kept(model)["a"].shape == (2, 8, 6, 6) and not isinstance(kept(model)["a"], FakeTensor)
    STORE.clear()
    STORE["kept"] = [1]


class Experts(nn.Linear):
    """A layer by name only: experts × inputs × outputs."""

    def __init__(self) -> None:
        super().__init__(8, 6, bias=False)
        self.weight = nn.Parameter(torch.randn(4, 8, 6))

    def forward(self, x: Tensor) -> Tensor:
        return torch.einsum("bi,nio->bo", x, self.weight)


class Mixed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.experts, self.head = nn.Linear(5, 8), Experts(), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(F.relu(self.experts(F.relu(self.a(x)))))


def test_a_subclass_with_a_weight_of_another_rank_keeps_its_word() -> None:
    done = remove_channels(Mixed().eval(), torch.randn(3, 5), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert done.model.experts.weight.shape == (4, 4, 3) and done.model.head.in_features == 3


class Projected(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.a, self.b = nn.Linear(5, 8), nn.Linear(8, 6)
        self.rnn = nn.LSTM(6, 10, batch_first=True, proj_size=4)
        self.head = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.head(self.rnn(self.b(F.relu(self.a(x))).view(-1, 7, 6))[0])


def test_layers_that_lost_nothing_keep_their_sizes() -> None:
    done = remove_channels(Projected().eval(), torch.randn(2, 7, 5), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert done.model.a.out_features == 4
    assert (done.model.rnn.hidden_size, done.model.rnn.input_size, done.model.rnn.proj_size) == (10, 6, 4)


def test_attributes_follow_what_they_state() -> None:
    """Worked out by hand for a layer of each way of stating."""
    dense = nn.ModuleList([nn.Conv2d(4, 8, 3, groups=2), nn.ConvTranspose2d(4, 8, 3), nn.LSTM(5, 6), nn.LayerNorm(8)])
    small = copy.deepcopy(dense)
    small[0].weight = nn.Parameter(torch.zeros(4, 1, 3, 3))
    small[1].weight = nn.Parameter(torch.zeros(2, 4, 3, 3))
    small[2].weight_ih_l0 = nn.Parameter(torch.zeros(12, 5))
    small[3].weight = nn.Parameter(torch.zeros(3))
    follow(dense, small)
    assert (small[0].out_channels, small[0].in_channels) == (4, 2)
    assert (small[1].in_channels, small[1].out_channels) == (2, 4)
    assert (small[2].hidden_size, small[2].input_size) == (3, 5)
    assert small[3].normalized_shape == (3,)


class UnderNoGrad(nn.Module):
    """Attention by hand beside a constant that is made under no_grad."""

    def __init__(self) -> None:
        super().__init__()
        self.a, self.qkv, self.head = nn.Linear(5, 12), nn.Linear(12, 36), nn.Linear(12, 3)

    def forward(self, x: Tensor) -> Tensor:
        with torch.no_grad():
            place = torch.arange(x.shape[1], dtype=x.dtype)[None, :, None]
        q, k, v = (part.view(len(x), -1, 3, 4).transpose(1, 2) for part in self.qkv(self.a(x + place)).chunk(3, -1))
        mixed = F.scaled_dot_product_attention(q, k, v).transpose(1, 2)
        return self.head(mixed.reshape(len(x), -1, mixed.shape[2] * mixed.shape[3]).mean(1))


def test_attention_beside_no_grad_is_pruned() -> None:
    torch.manual_seed(0)
    model = UnderNoGrad().eval()
    done = remove_channels(model, torch.randn(2, 7, 5), sparsity=0.5)

    assert done.check is not None and done.check.status == "exact"
    assert done.model.a.out_features == 6, {locked.layers: locked.reason for locked in done.locked}


def test_spectral_norm_of_a_network_in_train_mode_is_not_run():
    """It would write into its buffers whenever its weight is asked for."""
    normed = nn.utils.parametrizations.spectral_norm(nn.Conv2d(8, 6, 3))
    model = nn.Sequential(nn.Conv2d(3, 8, 3), normed, nn.Conv2d(6, 4, 1), nn.Conv2d(4, 2, 1)).train()
    before = bits(model)
    removal = remove_channels(model, IMAGES, sparsity=0.5)
    assert bits(model) == before and removal.model[2].out_channels == 2
    kept = {name: value for name, value in bits(removal.model).items() if name.startswith("1.")}
    assert kept and all(before[name] == value for name, value in kept.items())


COUNTED = 0
SEEN: list[Tensor] = []
TOTAL = torch.zeros(2)
DRAWS = torch.Generator().manual_seed(1)


def noted(tensor: Tensor) -> None:
    global COUNTED
    COUNTED += 1
    SEEN.append(tensor)


class Tracker:
    """Collects what layers give, in itself and in its class."""

    every: ClassVar[list[Tensor]] = []
    calls = 0

    def __init__(self) -> None:
        self.last: Tensor | None = None

    def hook(self, module: nn.Module, args: Any, output: Tensor) -> None:
        self.every.append(output)
        type(self).calls += 1
        self.last = output


TRACKER = Tracker()


class Collecting(Plain):
    """Its forward writes into its class, and through a helper into its file."""

    outputs: ClassVar[dict[str, Tensor]] = {}
    shapes: ClassVar[deque[tuple[int, ...]]] = deque(maxlen=2)
    calls = 0

    def forward(self, x: Tensor) -> Tensor:
        x = self.a(x)
        self.outputs["a"] = x
        self.shapes.append(tuple(x.shape))
        type(self).calls += 1
        type(self).latest = x  # type: ignore[attr-defined]
        TOTAL.add_(1)
        torch.rand(1, generator=DRAWS)
        noted(x)
        return self.head(F.relu(self.b(F.relu(x))).mean((2, 3)))


def counting_hook() -> tuple[Callable[..., None], Callable[[], int]]:
    count = 0

    def hook(module: nn.Module, args: Any, output: Tensor) -> None:
        nonlocal count
        count += 1

    return hook, lambda: count


def test_what_the_code_writes_beside_the_network_is_as_before() -> None:
    model = Collecting().eval()
    counting, count = counting_hook()
    model.a.register_forward_hook(Tracker().hook)
    model.b.register_forward_hook(lambda module, args, output: TRACKER.hook(module, args, output))
    model.b.register_forward_hook(partial(lambda tracker, *args: tracker.hook(*args), TRACKER))
    model.head.register_forward_hook(counting)
    with torch.no_grad():
        model(IMAGES)

    def written() -> list[Any]:
        kept = (Collecting.outputs, Collecting.shapes, SEEN, Tracker.every, vars(TRACKER))
        values = [list(each.items()) if isinstance(each, dict) else list(each) for each in kept]
        numbers = [Collecting.calls, Tracker.calls, COUNTED, count(), TOTAL.tolist(), DRAWS.get_state().tolist()]
        return [[id(leaf) for leaf in torch.utils._pytree.tree_leaves(values)], numbers, id(Collecting.latest)]  # type: ignore[attr-defined]

    kept_alive, before = [*SEEN, *Tracker.every], written()
    done = remove_channels(model, IMAGES, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert written() == before and not any(isinstance(tensor, FakeTensor) for tensor in kept_alive)
    done.model(IMAGES)
    assert Collecting.outputs["a"].shape == (2, 4, 6, 6) and count() == 2


@lru_cache
def ramp(size: int) -> Tensor:
    return torch.linspace(0, 1, size)


class Ramped(Plain):
    """Its forward takes constants from a cache."""

    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x * ramp(x.shape[-1]))


def test_caches_hold_nothing_of_what_ran() -> None:
    done = remove_channels(Ramped().eval(), IMAGES, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact" and ramp.cache_info().currsize == 0
    done.model(IMAGES)
    kept = ramp(8)
    assert type(kept) is Tensor and kept.dtype == torch.float32
    remove_channels(Ramped().eval(), IMAGES, sparsity=0.5)
    assert ramp(8) is kept, "what was in it before is no trace of ours"


def test_hooks_of_all_modules_do_not_fire_and_stay() -> None:
    met: list[str] = []
    handles = [
        module_file.register_module_forward_hook(lambda module, args, output: met.append(type(module).__name__)),
        module_file.register_module_forward_pre_hook(lambda module, args: met.append("before")),
        module_file.register_module_parameter_registration_hook(lambda module, name, value: met.append(name)),
    ]
    try:
        model = Plain().eval()
        met.clear()
        done = remove_channels(model, IMAGES, sparsity=0.5)
        assert done.check is not None and done.check.status == "exact" and met == []
        done.model(IMAGES)
        assert met.count("before") == 4 and met.count("Plain") == 1
    finally:
        for handle in handles:
            handle.remove()


class Noisy(Plain):
    def forward(self, x: Tensor) -> Tensor:
        random.random()
        np.random.rand()
        return super().forward(x + torch.randn_like(x))


def test_random_numbers_go_on_as_if_nothing_had_run() -> None:
    model = Noisy().eval()
    before = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    remove_channels(model, IMAGES, sparsity=0.5)
    after = torch.get_rng_state(), random.getstate(), np.random.get_state()[1].tolist()
    assert torch.equal(before[0], after[0]) and before[1:] == after[1:]


def test_parametrizations_taken_off_the_result_stay_on_the_original() -> None:
    model = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(5, 8)), nn.ReLU(), nn.Linear(8, 3)).eval()
    data = torch.randn(4, 5)
    before = model(data)
    done = remove_channels(model, data, sparsity=0.5)
    parametrize.remove_parametrizations(done.model[0], "weight")
    assert type(done.model[0]) is nn.Linear and done.model(data).shape == (4, 3)
    assert torch.equal(model(data), before)
    parametrize.remove_parametrizations(model[0], "weight")
    assert torch.allclose(model(data), before)

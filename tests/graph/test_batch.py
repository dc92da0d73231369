"""The batch of example inputs is found by trying; where it cannot change, two inputs of one size prove a removal."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from pruning import remove_channels
from pruning.base.errors import InputError
from pruning.graph.inputs import Inputs
from pruning.removal.build import build_graph


class Mlp(nn.Module):
    """Two hidden layers of 8 and 6 units."""

    def __init__(self, inputs: int = 4) -> None:
        super().__init__()
        self.a, self.b, self.c = nn.Linear(inputs, 8), nn.Linear(8, 6), nn.Linear(6, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.c(F.relu(self.b(F.relu(self.a(x)))))


class FixedBatch(Mlp):
    def forward(self, x: Tensor) -> Tensor:
        return super().forward(x.view(4, -1))


class Flattened(nn.Module):
    """Without a batch from its first linear layer on: a vector of 2 · 4 numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.mlp = nn.Conv2d(3, 2, 3), Mlp(2 * 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.mlp(torch.flatten(self.conv(x)))


class Graph(Mlp):
    """Nodes × numbers, and which nodes lie beside each other: nothing is a batch."""

    def forward(self, x: Tensor, beside: Tensor) -> Tensor:
        return super().forward(beside @ x)


class Masked(Mlp):
    """Samples × steps × numbers, and steps × steps."""

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        return super().forward(torch.softmax(mask, 1) @ x)


class WithState(nn.Module):
    """Samples × steps × numbers, and layers × samples × hidden units."""

    def __init__(self) -> None:
        super().__init__()
        self.mlp, self.rnn = Mlp(), nn.GRU(3, 5, 2, batch_first=True)

    def forward(self, x: Tensor, state: Tensor) -> Tensor:
        return self.rnn(self.mlp(x), state)[0]


class StepsFirst(Mlp):
    """Steps × samples × numbers, and samples × steps."""

    def forward(self, x: Tensor, weights: Tensor) -> Tensor:
        return (super().forward(x) * weights.t()[:, :, None]).sum(0)


FOUND = {
    "a batch": (Mlp(), torch.randn(4, 4), (0,), (4, 5)),
    "one sample": (Mlp(), torch.randn(1, 4), (0,), (2, 3)),
    "a mask as long as the batch": (Masked(), (torch.randn(5, 5, 4), torch.randn(5, 5)), (0, None), (5, 6)),
    "a state": (WithState(), (torch.randn(1, 6, 4), torch.randn(2, 1, 5)), (0, 1), (2, 3)),
    "steps first": (StepsFirst(), (torch.randn(6, 3, 4), torch.rand(3, 6)), (1, 0), (3, 4)),
    "a fixed batch": (FixedBatch(), torch.randn(4, 2, 2), (0,), (4, 4)),
    "no batch": (Graph(), (torch.randn(7, 4), torch.randn(7, 7)), (None, None), (1, 1)),
    "flattened": (Flattened(), torch.randn(1, 3, 4, 4), (0,), (1, 1)),
}


@pytest.mark.parametrize("name", FOUND)
def test_it_is_found_and_the_proof_says_what_it_compared(name: str) -> None:
    model, inputs, dims, batches = FOUND[name]
    model = model.eval()
    assert build_graph(model, inputs).inputs.dims == dims
    done = remove_channels(model, inputs, sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert done.check.batches == batches
    words = (
        "two batch sizes" if batches[0] != batches[1] else f"two inputs of one batch size, {batches[0]}, since its code"
    )
    assert words in done.check.reference
    mlp = model if isinstance(model, Mlp) else model.mlp
    small = done.model if isinstance(done.model, Mlp) else done.model.mlp
    assert (mlp.a.out_features, small.a.out_features, small.b.out_features) == (8, 4, 3)


def test_the_caller_may_say_it() -> None:
    inputs = (torch.randn(6, 3, 4), torch.rand(3, 6))
    assert build_graph(StepsFirst().eval(), inputs, batch_dims=(1, 0)).inputs.batch == 3
    done = remove_channels(Graph().eval(), (torch.randn(7, 4), torch.randn(7, 7)), sparsity=0.5, batch_dims=None)
    assert done.check is not None and "none of its inputs has a batch" in done.check.reference


@pytest.mark.parametrize(
    ("dims", "words"),
    [
        ((0,), "batch_dims has 1 entries, but the example inputs hold 2 tensors"),
        ((0, 5), "batch_dims says 5 for tensor 1 of the example inputs, which has 2 dimensions"),
        ((0, "x"), "batch_dims says 'x' for tensor 1"),
        ((0, 0), "dimensions of 3 and 6: a batch has one size"),
    ],
)
def test_what_cannot_be_said(dims: object, words: str) -> None:
    with pytest.raises(InputError, match=words):
        remove_channels(StepsFirst().eval(), (torch.randn(6, 3, 4), torch.rand(3, 6)), sparsity=0.5, batch_dims=dims)  # type: ignore[arg-type]


def test_another_size_repeats_samples_along_the_batch() -> None:
    x, mask = torch.arange(6.0).reshape(2, 3), torch.ones(3, 3)
    inputs = Inputs.of((x, mask)).along((1, None))
    larger = inputs.resized(4)
    assert inputs.batch == 3 and inputs.sample_shape == (2,)
    assert torch.equal(larger.args[0], torch.tensor([[0.0, 1, 2, 0], [3, 4, 5, 3]])) and larger.args[1] is mask
    drawn = inputs.random(4, torch.float64, seed=0)
    assert drawn.args[0].shape == (2, 4) and torch.equal(drawn.args[1], mask.double()), "no batch, so it stays"


def test_a_layer_on_a_vector_of_parameters_counts_once() -> None:
    """MACs by hand, for two samples as for one: 3 · 4 of the vector's layer, and 8 · 4 + 4 · 3 a sample of the rest."""

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.latent, self.gate = nn.Parameter(torch.randn(3)), nn.Linear(3, 4)
            self.a, self.b = nn.Linear(8, 4), nn.Linear(4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.b(self.a(x) * torch.sigmoid(self.gate(self.latent)))

    graph = build_graph(Gated().eval(), torch.randn(2, 8))
    macs = {site.layer: site.macs_per_weight for site in graph.contractions}
    assert macs == {"a": 1, "b": 1, "gate": 1}
    assert {site.layer: (site.output_shape, site.output_dim) for site in graph.contractions}["gate"] == ((4,), 0)
    done = remove_channels(Gated().eval(), torch.randn(2, 8), sparsity=0.5)
    assert done.check is not None and done.check.status == "exact"
    assert done.model.gate.out_features == done.model.a.out_features == done.model.b.in_features == 2

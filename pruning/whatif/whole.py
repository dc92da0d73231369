"""A network that is computed whole for every plan: where its calls cannot be run one by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor, nn

from pruning.calls.passes import Images
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan
from pruning.removal.apply import pruned_model
from pruning.repair.recalibrate import recalibrate_on


class Whole:
    """A network and its graph; nothing is kept between questions."""

    def __init__(self, model: nn.Module, graph: ModelGraph) -> None:
        self.model, self.graph = model, graph

    def question(self, plan: Plan) -> WholeQuestion:
        """A plan to be measured."""
        return WholeQuestion(self.model, self.graph, plan)


class WholeQuestion:
    """One plan on one network; the same as `pruning.calls.parts.Question`, slower."""

    def __init__(self, model: nn.Module, graph: ModelGraph, plan: Plan) -> None:
        self._copy = lambda: pruned_model(model, graph, plan).eval()
        self._networks = {"as_cut": self._copy()}

    def answer(
        self, figure: str, number: int, images: Images, *, keep: bool, go_on: Callable[[], None] = lambda: None
    ) -> Tensor:
        go_on()
        with torch.inference_mode():
            return self._networks[figure](images.normalised())

    def fit(self, batches: Sequence[Images], go_on: Callable[[], None], *, keep: bool) -> None:
        def pictures() -> Iterator[Tensor]:
            for batch in batches:
                go_on()
                yield batch.normalised()

        network = self._copy()
        recalibrate_on(network, pictures())
        self._networks["recalibrated"] = network

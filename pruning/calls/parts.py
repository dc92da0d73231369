"""A network computed from where a plan differs from the one before: a program, and values of earlier questions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.fx import Node

from pruning.calls.cut import Cut
from pruning.calls.passes import Images, Memory, measure_statistics, run
from pruning.calls.program import Step, make_program
from pruning.calls.runner import Runner
from pruning.graph.model_graph import ModelGraph
from pruning.planning.plan import Plan, make_plan
from pruning.removal.apply import removed_model
from pruning.spec import PruneSpec


class Parts:
    """A network as a program with a memory."""

    def __init__(self, model: nn.Module, graph: ModelGraph, dtype: torch.dtype = torch.float32) -> None:
        """
        Raises:
            LookupError: the network's calls cannot be run one by one so that they give what the network gives; says
                why.
        """
        self.graph, self.program, self.dtype = graph, make_program(graph), dtype
        self.tensors = {name: tensor.detach() for name, tensor in (*model.named_parameters(), *model.named_buffers())}
        self.memory = Memory()
        self._statistics: dict[Node, tuple[tuple[object, ...], Tensor | None, Tensor, Tensor]] = {}
        self._try(model)

    def question(self, plan: Plan) -> Question:
        """A plan to be measured."""
        return Question(self, plan)

    def _try(self, model: nn.Module) -> None:
        """Compare the program with the smaller network itself, for a plan that cuts every group, on three images
        (sizes written into the calls count on another number)."""
        plan = make_plan(model, self.graph, PruneSpec(criterion="random", sparsity=0.3))
        pictures = torch.randn(3, *self.graph.example_shape, generator=torch.Generator().manual_seed(0))
        images = Images(count=3, normalised=lambda: pictures)
        try:
            made = Question(self, plan).answer("as_cut", 0, images, keep=False)
        except Exception as error:  # whatever a call of unknown code may raise
            raise LookupError(f"one of its calls does not follow ({type(error).__name__})") from error
        with torch.inference_mode():
            wanted = removed_model(model, self.graph, plan)(pictures)
        if made.shape != wanted.shape or float((made - wanted).abs().max()) > 1e-3 * float(wanted.abs().max()):
            raise LookupError("its calls one by one do not give what the network gives")

    def known_statistics(self, step: Step, cut: Cut) -> tuple[Tensor, Tensor] | None:
        """Statistics of before, where what the batch normalisation reads is the same but for channels cut out."""
        known = self._statistics.get(step.node)
        if known is None or known[0] != cut.key(step):
            return None
        _, there, mean, variance = known
        wanted = _channels(cut, step)
        if wanted is None:
            return (mean, variance) if there is None else None
        have = torch.arange(len(mean)) if there is None else there
        places = torch.searchsorted(have, wanted).clamp_(max=len(have) - 1)
        return (mean[places], variance[places]) if bool((have[places] == wanted).all()) else None

    def keep_statistics(self, step: Step, cut: Cut, mean: Tensor, variance: Tensor) -> None:
        """Hold the statistics of a batch normalisation for later questions."""
        self._statistics[step.node] = cut.key(step), _channels(cut, step), mean, variance


class Question:
    """One plan on one network: as cut at first, recalibrated once `fit` was called."""

    def __init__(self, parts: Parts, plan: Plan) -> None:
        self._parts = parts
        self._cut = Cut(parts.graph, plan, parts.tensors)
        self._dtype = parts.dtype
        self._plain = Runner(parts.program, self._cut, self._dtype)
        self._fitted: Runner | None = None
        self._memory = parts.memory

    def answer(
        self, figure: str, number: int, images: Images, *, keep: bool, go_on: Callable[[], None] = lambda: None
    ) -> Tensor:
        """Outputs, float32, for batch `number`. `go_on` is called before each call of the network, and may raise."""
        runner = self._plain if figure == "as_cut" else self._fitted
        assert runner is not None, "fit comes first"
        goal = self._parts.program.output
        found = run(self._parts.program, runner, images, (figure, number), [goal], self._memory, keep, go_on)
        return found[goal].float()

    def put(self, tensors: Mapping[str, Tensor]) -> None:
        """Have other values in place of what is left of some parameters and buffers; before anything is answered."""
        self._cut.put(tensors)
        self._memory = Memory()

    def fit(self, batches: Sequence[Images], go_on: Callable[[], None], *, keep: bool) -> None:
        """Measure the statistics of batch normalisations anew: averages over `batches`. What still holds from before
        is taken over. `go_on` is called before each call of the network, and may raise."""
        parts, cut = self._parts, self._cut
        found = {step.node: known for step in parts.program.norms
                 if (known := parts.known_statistics(step, cut)) is not None}  # fmt: skip
        missing = [step for step in parts.program.norms if step.node not in found]
        sums: dict[Node, tuple[Tensor, Tensor]] = {}
        for number, images in enumerate(batches if missing else ()):
            batch = ("statistics", number)
            once = measure_statistics(parts.program, self._plain, images, batch, missing, self._memory, keep, go_on)
            for node, (mean, variance) in once.items():
                before = sums.get(node)
                sums[node] = (mean, variance) if before is None else (before[0] + mean, before[1] + variance)
        for step in missing:
            mean, variance = (total / len(batches) for total in sums[step.node])
            found[step.node] = mean, variance
            if keep:
                parts.keep_statistics(step, cut, mean, variance)
        self._fitted = Runner(parts.program, cut, self._dtype, found)


def _channels(cut: Cut, step: Step) -> Tensor | None:
    left = cut.left(step.node)
    return left[1] if left else None

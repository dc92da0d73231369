"""The order in which the units of a network's targets go."""

from __future__ import annotations

from torch import Tensor, nn

from pruning.base.errors import InputError
from pruning.graph.model_graph import ModelGraph
from pruning.graph.targets import Target, free_targets
from pruning.spec import PruneSpec
from pruning.statistics.gather import Statistics, key_of, without_images
from pruning.statistics.scores import unit_scores


class Ranking:
    """Scores of a network's units by a spec's criterion: of its weights alone, or as statistics bring them along."""

    def __init__(
        self, model: nn.Module, graph: ModelGraph, spec: PruneSpec, statistics: Statistics | None = None
    ) -> None:
        self._graph, self._spec, self._statistics = graph, spec, statistics
        self._tensors = {**dict(model.named_parameters()), **dict(model.named_buffers())}
        assert statistics is None or statistics.key == key_of(spec), "statistics of another spec"

    def scores(self, target: Target) -> Tensor:
        """Score of each unit of a target, float32; the lowest goes first, of equal ones the first. Not to be changed.

        Raises:
            InputError: the criterion needs statistics and there are none, batch norms that the target does not have,
                or numbers that are NaN or infinite.
        """
        if not self._spec.needs_images:
            return unit_scores(self._graph, target, self._spec, self._tensors)
        if self._statistics is None:
            raise without_images(self._spec)
        return self._statistics.scores[target.key]


def why_unranked(model: nn.Module, graph: ModelGraph, spec: PruneSpec) -> str | None:
    """Why a spec's criterion cannot rank all channel groups of a network by its weights alone, such as for want of
    batch norms, in a sentence; None where it can."""
    ranking = Ranking(model, graph, spec)
    try:
        for target in free_targets(graph, "channel"):
            ranking.scores(target)
    except InputError as error:
        return str(error)
    return None

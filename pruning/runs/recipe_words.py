"""A recipe in a few words: what goes, of which network, and how much training that is."""

from __future__ import annotations

from pruning.criteria import find_criterion
from pruning.graph.model_graph import ModelGraph
from pruning.planning.allocation import per_target
from pruning.runs.recipe import Recipe
from pruning.spec import PruneSpec


def network_name(ref: str) -> str:
    """A network's reference without its kind and options: 'resnet20'."""
    return ref.partition(":")[2].partition("?")[0]


def what_goes(spec: PruneSpec, graph: ModelGraph) -> str:
    """What a spec removes from a network: '40 % of the channels by L2 norm'; of all rows where they differ.

    Raises:
        InputError: the spec does not fit the network.
    """
    values = per_target(graph, spec).values()
    if not any(values):
        return "nothing removed yet"
    low, high = (round(100 * value) for value in (min(values), max(values)))
    share = f"{low}–{high} %, row by row," if low < high else f"{low} %"
    return f"{share} of the {spec.info.title} by {find_criterion(spec.criterion).title}"


def plan_words(recipe: Recipe, graph: ModelGraph) -> str:
    """The plan of a recipe for its network: 'resnet20, 40 % of the channels by L2 norm'.

    Raises:
        InputError: as `what_goes`.
    """
    return f"{network_name(recipe.model)}, {what_goes(recipe.prune, graph)}"


def training_words(recipe: Recipe, epochs: float) -> str:
    """How much training it is: '3 epochs, 279 steps in 4 rounds'. `epochs`: what its steps come to."""
    steps = recipe.finetune_steps
    if not steps:
        return "no fine-tuning"
    words = f"{epochs:.3g} epoch{'' if epochs == 1 else 's'}, {steps:,} step{'' if steps == 1 else 's'}"
    return words + (f" in {recipe.iterations} rounds" if recipe.schedule == "iterative" else "")

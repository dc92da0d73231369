"""How well each channel group, or weight tensor, bears pruning on its own: everything else stays dense.

One curve a target: accuracy on select images at 9 sparsities (12 for weights), as cut, where there is BN recalibrated,
and where that was asked for repaired (Li et al. 2016, arXiv 1608.08710, figure 2; Han et al. 2015, arXiv 1506.02626,
figure 6).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from pruning.base.errors import InputError
from pruning.cost.counts import layer_costs
from pruning.data.protocol import Data
from pruning.granularity import Granularity
from pruning.graph.model_graph import ModelGraph
from pruning.graph.targets import all_targets
from pruning.sensitivity.figures import FIGURES, Figure, FigureName, Figures
from pruning.spec import PruneSpec
from pruning.tasks.metric import Metric
from pruning.tasks.table import task_of

IMAGES = 2000
"""Select images of a scan unless told otherwise."""
SPARSITIES: dict[Granularity, tuple[float, ...]] = {
    "channel": (0.5, 0.8, 0.2, 0.9, 0.3, 0.7, 0.6, 0.4, 0.1),
    "weight": (0.9, 0.5, 0.98, 0.8, 0.95, 0.2, 0.99, 0.7, 0.6, 0.3, 0.4, 0.1),
}
"""In the order of measuring: all curves take shape early, then fill up."""


@dataclass(frozen=True, kw_only=True)
class Point(Figures):
    """One target at one sparsity."""

    sparsity: float
    """Asked for."""
    kept: int
    achieved: float
    """Share that really went; whole units cannot follow every sparsity."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """One channel group or weight tensor."""

    name: str
    layers: tuple[str, ...]
    """Layers that lose the same units; the weight's layer."""
    units: int
    """Units, or weights."""
    params: int
    """Parameters and MACs of the layers that the units run through (for a weight tensor: the tensor, its layer). A
    layer between two groups counts for both."""
    macs: int
    locked: str | None
    """Why nothing of it can go; such a target has no points."""
    points: tuple[Point, ...] = ()
    """By sparsity, ascending."""


@dataclass(frozen=True, kw_only=True)
class Joint(Figures):
    """Several targets cut at once, measured on the same images as the curves."""

    kept: tuple[tuple[str, int], ...]
    """Each target that can be cut, in network order, and how many of its units or weights stay."""
    not_repaired: str | None = None
    """Why there can be no repaired figure, where there can be none."""

    @property
    def is_complete(self) -> bool:
        """Whether everything is measured that can be; old scans hold joint cuts that nobody has tried to repair."""
        return self.repaired is not None or self.not_repaired is not None


@dataclass(frozen=True, kw_only=True)
class Sensitivity:
    """All curves of one network, as far as they are measured."""

    model_digest: str
    graph_digest: str
    """Of what is computed with those weights, for images of which size."""
    data: str
    data_digest: str
    classes: int
    metric: Metric
    guess: float
    """What guessing gets."""
    spec: PruneSpec
    """What ranks; its amounts are none, for a scan sets them."""
    images: int
    """Select images that every figure is measured on."""
    curves: tuple[Curve, ...]
    """In network order."""
    precision: str | None = None
    """What the network computed in; None before anything is measured."""
    dense: Figures | None = None
    seconds: float = 0.0
    """Time spent measuring, repairs aside."""
    repair_seconds: float = 0.0
    """Time spent on repairs of single cuts."""
    joints: tuple[Joint, ...] = ()
    """Joint cuts that were measured to see how far single curves tell them."""

    @property
    def wanted(self) -> int:
        """Points of a complete scan."""
        return len(SPARSITIES[self.spec.granularity]) * sum(curve.locked is None for curve in self.curves)

    @property
    def measured(self) -> int:
        return sum(len(curve.points) for curve in self.curves)

    @property
    def complete(self) -> bool:
        return self.dense is not None and self.measured == self.wanted

    @property
    def has_recalibrated(self) -> bool:
        return self.dense is not None and self.dense.recalibrated is not None

    @property
    def repaired(self) -> int:
        """Points whose repaired figure is measured."""
        return sum(point.repaired is not None for curve in self.curves for point in curve.points)

    @property
    def has_repaired(self) -> bool:
        """Whether every curve goes as far as that figure."""
        return self.complete and self.measured > 0 and self.repaired == self.measured

    @property
    def figures(self) -> tuple[FigureName, ...]:
        """Those that every curve has, the furthest last."""
        there = {"as_cut": True, "recalibrated": self.has_recalibrated, "repaired": self.has_repaired}
        return tuple(name for name in FIGURES if there[name])

    def furthest(self, wanted: FigureName) -> FigureName:
        """The figure that is wanted, or the furthest before it that every curve has."""
        order = list(FIGURES)
        return next(name for name in reversed(self.figures) if order.index(name) <= order.index(wanted))

    def start(self, name: FigureName) -> Figure:
        """Where the curves of a figure begin: the dense network treated alike. Of it there is nothing to repair."""
        assert self.dense is not None, "nothing is measured yet"
        return self.dense.as_cut if name == "repaired" else self.dense.figure(name)

    def curve(self, name: str) -> Curve:
        return next(curve for curve in self.curves if curve.name == name)

    def plus(self, name: str, point: Point) -> Sensitivity:
        """The same with one more point, instead of one of that sparsity where there is one."""
        return replace(
            self,
            curves=tuple(
                replace(curve, points=_with(curve.points, point)) if curve.name == name else curve
                for curve in self.curves
            ),
        )


def outline(
    model_digest: str,
    graph: ModelGraph,
    data: Data,
    spec: PruneSpec,
    *,
    images: int | None = IMAGES,
) -> Sensitivity:
    """A scan before anything is measured: its targets, and what is locked. `images`: None for all.

    Of the spec only what ranks counts: granularity and criterion, and the seed where the criterion draws.

    Raises:
        InputError: a number of images that is not allowed.
    """
    everything, metric = data.length("select"), task_of(data.info).metric
    if images is not None and images < 1:
        raise InputError(f"A scan needs at least one image, not {images}: {data.info.name} has {everything:,}.")
    return Sensitivity(
        model_digest=model_digest,
        graph_digest=graph.digest,
        data=data.info.name,
        data_digest=data.digest,
        classes=len(data.info.classes),
        metric=metric,
        guess=metric.guess(data.info),
        spec=ranking_of(spec),
        images=everything if images is None else min(images, everything),
        curves=_outlines(graph, spec.granularity),
    )


def ranking_of(spec: PruneSpec) -> PruneSpec:
    """What of a spec a scan keeps: all that decides in which order units go, and nothing else."""
    return spec.replace(sparsity=0.0, layers=(), round_to=1, seed=spec.seed if spec.draws else 0)


def _with(points: tuple[Point, ...], point: Point) -> tuple[Point, ...]:
    others = (other for other in points if other.sparsity != point.sparsity)
    return tuple(sorted((*others, point), key=lambda p: p.sparsity))


def _outlines(graph: ModelGraph, granularity: Granularity) -> tuple[Curve, ...]:
    costs = {cost.name: cost for cost in layer_costs(graph)}
    found = []
    for target in all_targets(graph, granularity):
        touched = [costs[name] for name in target.touched if name in costs]
        found.append(
            Curve(
                name=target.key,
                layers=target.layers,
                units=target.units,
                params=target.units if target.group is None else sum(cost.parameters for cost in touched),
                macs=sum(cost.macs for cost in touched),
                locked=target.locked,
            )
        )
    return tuple(found)

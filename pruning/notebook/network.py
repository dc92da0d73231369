"""A network in a notebook: what it is made of, as tables and figures."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import pandas as pd
import plotly.graph_objects as go
from torch import Tensor, nn

from pruning.base.errors import InputError
from pruning.base.words import a_kind
from pruning.catalog.openers import forms
from pruning.cost.counts import layer_costs
from pruning.data.preprocess import Preprocess
from pruning.data.readers import data_reference
from pruning.granularity import Granularity
from pruning.notebook.cut import Cut
from pruning.notebook.figures import sensitivity_figure
from pruning.notebook.opened import Opened
from pruning.notebook.scanned import Tightened, scanned, shown, tightened
from pruning.notebook.whole import whole
from pruning.planning.plan import make_plan
from pruning.render.figures import network as plots
from pruning.spec import HeadRounding, PruneSpec
from pruning.statistics.cache import statistics_for
from pruning.statistics.distributions import Norm, magnitude_histogram, unit_norms, weight_histogram
from pruning.statistics.gather import Statistics
from pruning.subject import live_subject, open_subject


def open(
    network: str | os.PathLike[str] | nn.Module = "sample:mini_resnet",
    example_inputs: Any = None,
    *,
    data: str | os.PathLike[str] | None = None,
    data_dir: str | None = None,
    preprocess: Preprocess | Mapping[str, Any] | None = None,
) -> Network:
    """Open a network by reference (`sample:NAME`, `run:RUN`, `torchvision:NAME`, `timm:NAME` or
    `file:PATH.py:FACTORY`), by the path of a run's folder or of `PATH.py:FACTORY`, or a copy of a module of this
    process, with its `example_inputs`.

    `data`: the images to measure it on, by default its own: the name of a data set, or the path of a folder, zip or
    file of your own. `data_dir`: folder or zip that holds a named one. `preprocess`: how your own images are prepared,
    with names as in `pruning.data.preprocess.Preprocess`; None for what the network's library or weights say, else
    what suits the images. Nothing is loaded until something is measured.

    Raises:
        InputError: there is no such network, or these images do not fit it.
        StorageError: the run's files are damaged.
    """
    if isinstance(network, os.PathLike):
        network = _reference(os.fspath(network))
    if data is not None and not isinstance(data, str | os.PathLike):
        raise InputError(
            f"data takes the name of a data set, or the path of a folder, zip or file, not {_kind(data)}: data sets of "
            "Python are named as PATH.py:FUNCTION, which returns them by role."
        )
    images = None if data is None else data_reference(os.fspath(data))
    how = preprocess if preprocess is None or isinstance(preprocess, Preprocess) else Preprocess.from_values(preprocess)
    if isinstance(network, str):
        return Network(subject=open_subject(network, images, data_dir, how))
    if not isinstance(network, nn.Module):
        raise InputError(
            f"open takes {forms()}, the path of such a run or file, or an nn.Module: not {_kind(network)}."
        )
    if example_inputs is None:
        raise InputError("A module needs example_inputs: a tensor with a batch dimension, or the shape of one sample.")
    subject = live_subject(network, example_inputs)
    return Network(subject=subject if images is None else subject.with_data(images, data_dir, how))


def _kind(given: object) -> str:
    return f"the class {given.__name__}" if isinstance(given, type) else a_kind(type(given).__name__)


def _reference(path: str) -> str:
    """The reference that opens a path."""
    if Path(path).is_dir():
        return f"run:{path}"
    if path.endswith(".py"):
        raise InputError(f"Say which function of {path} makes the network: open('file:{path}:FACTORY').")
    if ".py:" in path:
        return f"file:{path}"
    raise InputError(
        f"{path} is neither a run's folder nor PATH.py:FACTORY. Weights alone are no network: name what makes "
        "it, as in open('file:PATH.py:FACTORY?weights=FILE')."
    )


class Network(Opened):
    """An opened network; nothing done here changes it."""

    def layers(self) -> pd.DataFrame:
        """Every convolution and linear layer in network order: shape, parameters, MACs, and what it is tied to."""
        graph = self.subject.graph
        groups: dict[str, str] = {}
        for group in (*graph.groups, *graph.locked):
            for name in group.producers:
                groups[name] = f"locked: {group.locked}" if group.locked else group.name
        costs = layer_costs(graph)
        total, macs = (max(1, sum(getattr(cost, name) for cost in costs)) for name in ("parameters", "macs"))
        rows = [
            {
                "layer": cost.name,
                "kind": cost.kind,
                "channels": cost.weight_shape[0],
                "weights": " × ".join(map(str, cost.weight_shape)),
                "parameters": cost.parameters,
                "share of parameters": cost.parameters / total,
                "MACs": cost.macs,
                "share of MACs": cost.macs / macs,
                "group": groups.get(cost.name, ""),
            }
            for cost in costs
        ]
        return pd.DataFrame(rows).set_index("layer")

    def histogram(self, layer: str, *, log: bool = False, cut: float | None = None, dark: bool = False) -> go.Figure:
        """How a layer's weights are spread; `log`: their magnitudes on a log axis. Below the magnitude `cut` it is
        orange."""
        weight = self.weight(layer)
        return plots.weight_histogram(magnitude_histogram(weight) if log else weight_histogram(weight), dark, cut=cut)

    def norms(self, layer: str, norm: Norm = "l2", *, cut: int = 0, dark: bool = False) -> go.Figure:
        """Norms of a layer's filters or neurons, weakest first; the first `cut` of them orange."""
        kind = {cost.name: cost.kind for cost in layer_costs(self.subject.graph)}[self._known(layer)]
        unit = "neuron" if kind == "linear" else "filter"
        return plots.unit_bars(unit_norms(self.weight(layer), norm), dark, cut=cut, unit=unit)

    def strip(self, *, dark: bool = False) -> go.Figure:
        """The network as bars: height is a layer's number of channels, colour its share of the parameters."""
        return plots.network_strip(layer_costs(self.subject.graph), dark)

    def weight(self, layer: str) -> Tensor:
        """The weights of a layer, to look at: do not change them.

        Raises:
            InputError: there is no such layer.
        """
        tensor = next(site.tensor for site in self.subject.graph.contractions if site.layer == self._known(layer))
        return dict(self.subject.model.named_parameters())[tensor].detach()

    def cut(
        self,
        sparsity: float = 0.5,
        *,
        granularity: Granularity = "channel",
        criterion: str = "l2",
        parameters: Mapping[str, int] | None = None,
        layers: Mapping[str, float] | None = None,
        round_to: int = 1,
        head_rounding: HeadRounding = "down",
        seed: int = 0,
    ) -> Cut:
        """Decide what goes: `sparsity` of every layer or channel group, those in `layers` by their own.

        `parameters`: of the criterion. `round_to`: each layer keeps a multiple of so many channels, where it can.
        `head_rounding`: of attention heads, which are few (see `pruning.spec`).

        Raises:
            InputError: a sparsity, name, criterion, parameter or seed that is not allowed, or a criterion that needs
                images of a network that comes without.
            DataError: the criterion needs images, and they are absent.
        """
        spec = PruneSpec(
            granularity=granularity,
            criterion=criterion,
            parameters=_numbers(parameters),
            sparsity=sparsity,
            layers=tuple((layers or {}).items()),
            round_to=whole("round_to", round_to, 1),
            head_rounding=head_rounding,
            seed=whole("seed", seed, 0),
        )
        plan = make_plan(self.subject.model, self.subject.graph, spec, self._statistics(spec))
        return Cut(network=self, plan=plan, spec=spec)

    def sensitivity(
        self,
        *,
        granularity: Granularity = "channel",
        criterion: str = "l2",
        parameters: Mapping[str, int] | None = None,
        images: int = 500,
        repaired: bool = False,
        dark: bool = False,
    ) -> go.Figure:
        """How well each channel group, or weight tensor, bears pruning on its own, on `images` select images.

        Measured once, then kept in the explorer's cache. `repaired`: after a repair without training or labels at each
        point, which takes far longer. Raises InputError where the network comes without images, or cannot be repaired.
        """
        spec = PruneSpec(granularity=granularity, criterion=criterion, parameters=_numbers(parameters))
        found = scanned(self, spec, whole("images", images, 1), repaired=repaired)
        return sensitivity_figure(found, dark, shown(found, repaired))

    def tighten(
        self,
        lose: float = 1.0,
        *,
        granularity: Granularity = "channel",
        criterion: str = "l2",
        parameters: Mapping[str, int] | None = None,
        images: int = 500,
        repaired: bool = False,
    ) -> Tightened:
        """The limit, the same for each channel group or weight tensor, or the share of what it lets go, with which most
        goes while all of them cut together lose at most `lose` points against dense, measured on `images` select
        images; and the cut that this gives.

        At most 14 joint cuts are measured, after the single ones; other arguments and errors as of `sensitivity`.
        """
        if not 0 <= lose <= 100:
            raise InputError(f"What all may lose together is a number of points from 0 to 100, not {lose!r}.")
        spec = PruneSpec(granularity=granularity, criterion=criterion, parameters=_numbers(parameters))
        points = lose / self.subject.task.metric.scale
        return tightened(self, spec, whole("images", images, 1), repaired=repaired, lose=points)

    def __repr__(self) -> str:
        words = f"{self.title}: {self.params:,} parameters, {self.macs:,} MACs, {self.subject.network.weights}"
        return "\n".join((words, *(f"Note: {remark}" for remark in self.remarks)))

    def _repr_html_(self) -> str:
        table = self.layers().drop(columns=["group"])
        shown = table.to_html(
            border=0,
            formatters={
                "parameters": "{:,}".format,
                "MACs": "{:,}".format,
                "share of parameters": "{:.1%}".format,
                "share of MACs": "{:.1%}".format,
            },
        )
        return (
            f"<p><b>{escape(self.title)}</b> · {self.params:,} parameters · {self.macs:,} MACs for one image · weights "
            f"{escape(self.subject.network.weights)}</p>{notes_html(self.remarks)}{shown}"
        )

    def _statistics(self, spec: PruneSpec) -> Statistics | None:
        """What the criterion needs of the train images; they are loaded only where it does."""
        data = self.images if spec.needs_images and self.subject.images is not None else None
        return statistics_for(self.subject.model, self.subject.graph, data, spec)

    def _known(self, layer: str) -> str:
        names = [cost.name for cost in layer_costs(self.subject.graph)]
        if layer not in names:
            raise InputError(f"There is no layer '{layer}'. There are {', '.join(names)}.")
        return layer


def notes_html(remarks: Sequence[str]) -> str:
    """What was noticed, as a list; nothing where there is nothing."""
    return f"<ul>{''.join(f'<li>{escape(remark)}</li>' for remark in remarks)}</ul>" if remarks else ""


def _numbers(parameters: Mapping[str, int] | None) -> tuple[tuple[str, int], ...]:
    """A criterion's parameters as a spec takes them."""
    return tuple((name, whole(name, value, 0)) for name, value in (parameters or {}).items())

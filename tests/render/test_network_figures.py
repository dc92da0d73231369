"""Figures hold the data they were given, in both themes."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from pruning.cost.counts import LayerCost
from pruning.render.figures import network as plots
from pruning.render.figures.kept import kept_strip
from pruning.render.figures.ticks import LETTER, ROOM
from pruning.statistics.distributions import magnitude_histogram, unit_norms, weight_histogram

LAYERS = [
    LayerCost(name="conv1", kind="conv", weight_shape=(4, 1, 3, 3), output_shape=(4, 6, 6), parameters=40, macs=900),
    LayerCost(name="fc", kind="linear", weight_shape=(10, 12), output_shape=(10,), parameters=120, macs=100),
]
WEIGHT = torch.tensor([[3.0, -4.0], [0.0, -7.5], [1.0, 0.0]])


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def dark(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


def colours(trace: Any) -> list[str]:
    colour = trace.marker.color
    return [colour] if isinstance(colour, str) else list(colour)


def test_strip(dark: bool) -> None:
    figure = plots.network_strip(LAYERS, dark, share_of="macs", selected="fc")
    bars = figure.data[0]
    assert list(bars.x) == ["conv1", "fc"] and list(bars.y) == [4, 10]
    assert list(bars.marker.color) == pytest.approx([0.9, 0.1])
    assert list(bars.text) == ["90%", "10%"]
    assert list(bars.marker.line.width) == [0, 3]


def test_strip_with_what_goes(dark: bool) -> None:
    kept, gone = kept_strip(
        LAYERS, {"conv1": 0.25}, dark, words={"axis_channels": "c", "kept": "k", "removed": "r"}
    ).data
    assert list(kept.y) == [1, 10] and list(gone.y) == [3, 0]
    assert (kept.marker.color, gone.marker.color) == (plots.palette(dark).kept, plots.palette(dark).removed)


def test_zeroed_weights_take_no_channel_from_the_strip(dark: bool) -> None:
    words = {"axis_channels": "c", "kept": "k", "removed": "r"}
    (bars,) = kept_strip(LAYERS, {"conv1": 0.25}, dark, words=words, shrinks=False).data
    assert list(bars.y) == [4, 10], "every channel is still there"
    assert list(bars.customdata) == [0.75, 0]
    speckles = bars.marker.pattern
    assert list(speckles.shape) == [".", ""] and list(speckles.solidity) == [0.75, 0]
    assert (bars.marker.color, speckles.fgcolor) == (plots.palette(dark).kept, plots.palette(dark).removed)


def test_histogram_colours_what_lies_below_the_cut(dark: bool) -> None:
    histogram = weight_histogram(WEIGHT, bins=5)
    bars = plots.weight_histogram(histogram, dark, cut=2.0).data[0]
    assert list(bars.y) == list(histogram.counts)
    colour = plots.palette(dark)
    assert colours(bars) == [colour.kept, colour.kept, colour.removed, colour.kept, colour.kept]
    log = plots.weight_histogram(magnitude_histogram(WEIGHT), dark)
    assert log.layout.xaxis.type == "log" and sum(log.data[0].y) == 4


def test_norms_with_a_cut(dark: bool) -> None:
    figure = plots.unit_bars(unit_norms(WEIGHT), dark, cut=1, unit="neuron")
    assert list(figure.data[0].y) == pytest.approx([1.0, 5.0, 7.5])
    assert list(figure.data[0].customdata) == [2, 0, 1]
    colour = plots.palette(dark)
    assert colours(figure.data[0]) == [colour.removed, colour.kept, colour.kept]
    assert figure.layout.shapes[0].x0 == 1.5


def test_kernels_show_every_pixel(dark: bool) -> None:
    pictures = np.array([[[0.0, 1.0]], [[0.5, 0.25]], [[1.0, 1.0]]])
    canvas = np.asarray(plots.kernel_grid(pictures, dark, columns=2).data[0].z)
    # 1 × 2 weights at 16 pixels each, 5 pixels apart.
    assert canvas.shape == (2 * 16 + 5, 2 * 32 + 5, 3)
    assert (canvas[0, 0] == 0).all() and (canvas[0, 31] == 255).all()
    assert (canvas[0, 37] == 128).all() and (canvas[0, 68] == 64).all()
    assert (canvas[21, 0] == 255).all()
    assert tuple(canvas[36, 68]) == ((0x11, 0x15, 0x1B) if dark else (255, 255, 255)), "an empty place is paper"


def test_accuracy_curve(dark: bool) -> None:
    points = [plots.CurvePoint(sparsity=s, value=a, low=a - 0.1, high=a + 0.05) for s, a in ((0.5, 0.6), (0, 0.9))]
    tuned = [plots.CurvePoint(sparsity=0.5, value=0.85, low=0.8, high=0.9)]
    figure = plots.curve_of_cuts(points, dark, removed="channels", dense=0.9, at=0.5, extra=tuned)
    by_name = {trace.name: trace for trace in figure.data}
    assert list(by_name["accuracy"].x) == [0, 50] and list(by_name["accuracy"].y) == pytest.approx([90, 60])
    assert list(by_name["interval"].y) == pytest.approx([95, 65, 50, 80])
    assert list(by_name["here"].y) == pytest.approx([60]) and list(by_name["fine-tuned"].y) == pytest.approx([85])
    assert figure.layout.yaxis.title.text == "accuracy on select images, %"
    assert figure.layout.xaxis.title.text == "channels removed, %"


def test_few_long_names_are_aslant_for_they_would_touch_on_a_telephone() -> None:
    def angle(*names: str) -> int:
        layers = [replace(LAYERS[0], name=name) for name in names]
        return int(plots.network_strip(layers, False).layout.xaxis.tickangle)

    assert angle("conv1", "conv2", "fc") == 0
    assert angle("conv1", *[f"layer{n}.0.conv{c}" for n in (1, 2, 3) for c in (1, 2)], "fc") == -40


def test_no_figure_paints_its_own_background(dark: bool) -> None:
    for figure in (plots.network_strip(LAYERS, dark), plots.unit_bars(unit_norms(WEIGHT), dark)):
        assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
        assert figure.layout.font.size >= 14


@pytest.mark.parametrize(
    ("names", "labels"),
    [
        (["conv1", *[f"layer{n}.{k}.conv{c}" for n in (1, 2, 3) for k in (0, 1) for c in (1, 2)], "fc"],
         ["layer1", "layer2", "layer3"]),
        ([f"features.{n}" for n in range(0, 24, 2)] + ["classifier.1"], None),
        (["conv1", "conv2", "fc"], None),
    ],
    ids=["stages", "a sequence", "few"],
)  # fmt: skip
def test_labels_of_layers_stay_horizontal_and_apart(names: list[str], labels: list[str] | None) -> None:
    layers = [replace(LAYERS[0], name=name) for name in names]
    axis = plots.network_strip(layers, False, selected=names[1]).layout.xaxis
    assert axis.tickangle == 0
    shown = list(axis.ticktext or ())
    assert set(axis.tickvals or ()) <= set(names)
    assert sum(LETTER * (len(text) + 1.5) for text in shown) <= ROOM + LETTER * 20
    if labels is not None:
        assert set(labels) <= set(shown)

"""The trade-off shows what it is given, rings the chosen run, and never joins what cannot be compared."""

from dataclasses import replace

import plotly.graph_objects as go
import pytest

from pruning.render.figures.tradeoff import TradeoffPoint, pareto, tradeoff, with_ring


def point(x: float, accuracy: float, *, field: str = "a", dense: bool = False, name: str = "run") -> TradeoffPoint:
    return TradeoffPoint(
        name="" if dense else name, title=name, x=x, value=accuracy, low=accuracy - 0.01, high=accuracy + 0.01,
        field=field, kind="" if dense else "channels", dense=dense,
    )  # fmt: skip


def test_pareto_keeps_what_nothing_beats() -> None:
    points = [
        point(10, 0.99, dense=True),
        point(5, 0.98),
        point(6, 0.97),
        point(2, 0.90),
        point(5, 0.95),
        point(3, 0.9),
    ]
    assert [(p.x, p.value) for p in pareto(points)] == [(2, 0.90), (5, 0.98), (10, 0.99)]


def test_pareto_refuses_points_that_cannot_be_compared() -> None:
    with pytest.raises(ValueError, match="no common Pareto line"):
        pareto([point(1, 0.9, field="a"), point(2, 0.9, field="b")])


@pytest.mark.parametrize("dark", [False, True])
def test_tradeoff_draws_one_line_for_each_field(dark: bool) -> None:
    points = [
        point(4, 0.99, dense=True), point(2, 0.95),
        point(40, 0.92, field="b", dense=True), point(20, 0.90, field="b", name="other"),
    ]  # fmt: skip
    figure = tradeoff(points, dark, x_title="parameters", log=False, several=True)
    lines = [trace for trace in figure.data if trace.mode == "lines" and trace.line.width]
    assert [list(line.x) for line in lines] == [[2, 4], [20, 40]]
    marks = [trace for trace in figure.data if trace.mode == "markers"]
    assert {trace.customdata[0][0] for trace in marks} == {"", "run", "other"}
    run = next(trace for trace in marks if trace.customdata[0][0] == "run")
    assert list(run.y) == [95.0]
    assert run.error_y.array[0] == pytest.approx(1.0)


def test_tradeoff_stands_a_single_run() -> None:
    assert tradeoff([point(4, 0.99)], False, x_title="MACs", log=True, several=False).data


def test_the_line_lies_in_the_band_of_the_intervals_of_its_points() -> None:
    points = [point(4, 0.99, dense=True), point(2, 0.95), point(3, 0.90, name="beaten")]
    figure = tradeoff(points, False, x_title="parameters", log=False, several=False)
    low, high, line = (trace for trace in figure.data if trace.mode == "lines")
    assert (low.fill, high.fill) == ("none", "tonexty") and low.line.shape == high.line.shape == line.line.shape == "hv"
    assert list(low.x) == list(high.x) == list(line.x) == [2, 4]
    assert list(low.y) == pytest.approx([94, 98]) and list(high.y) == pytest.approx([96, 100])
    assert list(line.y) == [95.0, 99.0], "the beaten one has no part in it"


def test_symbols_are_those_of_the_badges_and_marks_tell_networks_apart() -> None:
    points = [
        point(2, 0.95), replace(point(3, 0.96, name="tuned"), tuned=True, stage=", ◆ fine-tuned"),
        point(2, 0.9, field="b", name="other"),
    ]  # fmt: skip
    figure = tradeoff(points, False, x_title="parameters", log=False, several=True)
    symbols = {
        said[0]: (trace.marker.symbol, said[4])
        for trace in figure.data
        if trace.mode == "markers"
        for said in trace.customdata
    }
    shown = [trace.name for trace in figure.data if trace.showlegend]
    assert shown == ["channels, a", "channels, b"], "one entry for both symbols"
    assert symbols == {"run": ("circle", ""), "tuned": ("diamond", ", ◆ fine-tuned"), "other": ("circle-dot", "")}


def test_it_says_of_which_images() -> None:
    figure = tradeoff([point(4, 0.99)], False, x_title="MACs", log=False, several=False)
    assert figure.layout.yaxis.title.text == "accuracy on select images, %"
    assert "on select images" in figure.data[0].hovertemplate and "test images" not in figure.to_json()


def test_the_chosen_run_has_a_ring() -> None:
    points = [point(2, 0.95), point(3, 0.96, name="chosen"), point(4, 0.99, dense=True)]
    figure = tradeoff(points, False, x_title="parameters", log=False, several=False)
    before = figure.to_json()
    ring = with_ring(figure, points, "chosen", False).data[-1]
    assert (list(ring.x), list(ring.y)) == ([3], [96.0]) and ring.marker.symbol == "circle-open"
    assert ring.marker.size > figure.data[-1].marker.size, "round the point, not on it"
    assert figure.to_json() == before, "the figure itself is shared"
    for name in (None, "", "not drawn"):
        assert with_ring(figure, points, name, False) is figure
    assert isinstance(with_ring(figure, points, "run", True), go.Figure)

"""Layer times and what is predicted from them, with made-up clocks: nothing here asserts a speed."""

import json
import math
import os
import signal
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision.models import MobileNetV2

from pruning.base.errors import Cancelled, InputError, StorageError
from pruning.cli.main import main
from pruning.cost.table import cost_table
from pruning.jobs.queue import pool
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import TIMING
from pruning.latency import profile as latency_profile
from pruning.latency import start as jobs
from pruning.latency.cache import job_of, publish_steps, read_steps, steps_key
from pruning.latency.calls import timed_calls
from pruning.latency.grid import chosen_widths, time_grid
from pruning.latency.profile import fit_rest, profile
from pruning.latency.steps import Call, Grid, Steps, curve, drops, neighbours, predict, snap, time_at
from pruning.removal.build import build_graph
from sample_models import SAMPLES

SHAPE = (3, 5, 5)


def net() -> nn.Module:
    """conv (3→40, 5×5) → ReLU → depthwise (3×3) → conv (40→4) → flatten → linear (36→2)."""
    return nn.Sequential(
        nn.Conv2d(3, 40, 1), nn.ReLU(), nn.Conv2d(40, 40, 3, groups=40), nn.Conv2d(40, 4, 1), nn.Flatten(),
        nn.Linear(36, 2),
    )  # fmt: skip


def seconds(weights) -> float:
    """A made-up machine: each layer takes 1 ms, and 1 ms for each begun 16 outputs times each 10 inputs."""
    return sum(0.001 * (1 + math.ceil(weight.shape[0] / 16) * weight.shape[1] / 10) for weight in weights)


def made_up(function, repeats: int) -> float:
    """A layer takes what `seconds` says; a whole network that, 2 ms more, and 10 µs for each value its layers make."""
    if not isinstance(function.func, nn.Module):
        return seconds([function.keywords["weight"]])
    makes = []
    hooks = [
        module.register_forward_hook(lambda _, __, output: makes.append(output.numel()))
        for module in function.func.modules()
        if isinstance(module, nn.Conv2d | nn.Linear)
    ]
    function()
    for hook in hooks:
        hook.remove()
    weights = [module.weight for module in function.func.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    return seconds(weights) + 0.002 + 1e-5 * sum(makes)


@pytest.fixture
def profiled(monkeypatch):
    """A network, its table, and its steps by the made-up machine, without waiting for a clock."""
    quick(monkeypatch)
    model = net()
    graph = build_graph(model, SHAPE)
    return model, graph, cost_table(graph), profile(model, graph, 2, timer=made_up)


def quick(monkeypatch) -> None:
    monkeypatch.setattr(latency_profile, "NETWORK_SECONDS", 0.0)
    monkeypatch.setattr(latency_profile, "WARM_SECONDS", 0.0)


def test_the_prediction_is_the_time_of_the_machine_it_was_profiled_on(profiled):
    _, _, table, steps = profiled
    assert [call.layer for call in steps.calls] == ["0", "2", "3", "5"]
    assert steps.fixed == pytest.approx(2, rel=1e-3), "milliseconds"
    assert steps.per_element == pytest.approx(0.01, rel=1e-3)
    assert steps.error < 0.05 and steps.drift == pytest.approx(0) and len(steps.checks) == 7
    for kept in ({}, {"0": 16}, {"0": 17, "3": 2}, {"0": 33, "3": 3}):
        wide, narrow = kept.get("0", 40), kept.get("3", 4)
        shapes = [(wide, 3), (wide, 1), (narrow, wide), (2, 9 * narrow)]
        values = 2 * (wide * 25 + wide * 9 + narrow * 9 + 2)
        truth = 1000 * seconds(torch.empty(shape) for shape in shapes) + 2 + 0.01 * values
        found = predict(steps, table, kept)
        assert found.middle == pytest.approx(truth, rel=1e-3), kept
        assert found.low <= found.middle <= found.high
        low, middle, high = found.speedup
        assert low <= middle <= high and middle == pytest.approx(steps.dense / truth, rel=1e-3)
    assert predict(steps, table, {}).speedup[1] == pytest.approx(1), "the dense network is its own measure"


def test_the_arithmetic_from_json_alone(profiled):
    """As a page does it: the top of latency_steps.py, with nothing of ours but the two JSON objects."""
    _, _, table, steps = profiled
    data, costs = (json.loads(json.dumps(thing.to_json())) for thing in (steps, table))
    kept = {"0": 19, "3": 3}
    counts = [kept[group["name"]] for group in costs["groups"]]
    size = {
        tensor["name"]: [fixed + sum(counts[g] * n for g, n in parts) for fixed, parts in tensor["dims"]]
        for tensor in costs["tensors"]
    }

    def line(places, values, at):
        for (a, one), (b, other) in zip(
            list(zip(places, values, strict=True)), list(zip(places, values, strict=True))[1:], strict=False
        ):
            if a <= at <= b:
                return one + (other - one) * (at - a) / (b - a)
        return values[0] if at < places[0] else values[-1]

    total, elements = 0.0, 0
    for call in data["calls"]:
        lengths = [length // part for length, part in zip(size[call["tensor"]], call["parts"], strict=False)]
        grid = data["grids"][call["grid"]]
        across = [
            line(grid["rows"], [row[i] for row in grid["times"]], lengths[0]) for i in range(len(grid["columns"]))
        ]
        total += line(grid["columns"], across, lengths[1])
        elements += call["elements"] * lengths[call["output"]]
    total += data["fixed"] + data["per_element"] * elements
    assert total == pytest.approx(predict(steps, table, kept).middle, rel=1e-9)


def test_times_between_widths_by_hand():
    grid = Grid(rows=(1, 3, 5), columns=(2, 6), times=((1.0, 5.0), (2.0, 6.0), (6.0, 10.0)), noise=0.0)
    assert time_at(grid, 3, 6) == 6
    assert time_at(grid, 2, 2) == 1.5, "half way from 1 to 2"
    assert time_at(grid, 4, 4) == 6, "rows: 4 and 8; then half way between these"
    assert time_at(grid, 9, 1) == 6, "outside: as at the nearest"


def steps_of(times: list[float], widths: list[int] | None = None, noise: float = 0.02) -> Steps:
    widths = widths or list(range(1, len(times) + 1))
    grid = Grid(rows=tuple(widths), columns=(8,), times=tuple((t,) for t in times), noise=noise)
    call = Call(layer="a", tensor="a.weight", grid=0, parts=(1, 1), output=0, elements=1)
    return Steps(
        batch=1, threads=1, torch="2", cpu="x", dense=9.0, grids=(grid,), calls=(call,), fixed=0.0, per_element=0.0,
        error=0.1, checks=((1.0, 1.1),), drift=0.0,
    )  # fmt: skip


STAIRS = [1.0 if width <= 4 else 2.0 if width <= 8 else 3.0 for width in range(1, 13)]


def test_a_drop_is_the_widest_width_of_its_time():
    assert drops(steps_of(STAIRS), "a") == [4, 8, 12]
    ragged = [time * (1.01 if width % 2 else 1.0) for width, time in enumerate(STAIRS, 1)]
    assert drops(steps_of(ragged), "a") == [4, 8, 12], "differences within the noise are none"
    bump = [*STAIRS[:5], 2.6, *STAIRS[6:]]
    assert drops(steps_of(bump), "a") == [4, 8, 12], "5 is faster than 6, but 8 is as fast as 5"


def test_where_time_falls_evenly_there_is_no_drop():
    assert drops(steps_of([float(width) for width in range(1, 33)]), "a") == [32]


def test_snapping():
    steps = steps_of(STAIRS)
    assert [snap(steps, "a", width) for width in (12, 11, 10, 9, 7, 6, 5, 4)] == [12, 12, 8, 8, 8, 4, 4, 4]
    assert snap(steps, "a", 2) == 2, "below the lowest step nothing is gained by more or fewer"
    assert neighbours(steps, "a", 6) == (4, 8) and neighbours(steps, "a", 8) == (8, 8)
    assert neighbours(steps, "a", 3) == (None, 4)
    with pytest.raises(InputError, match="'b'"):
        snap(steps, "b", 3)


def test_widths_timed():
    assert chosen_widths(20, 32) == list(range(1, 21))
    for top in (64, 100, 192, 256, 512, 2048):
        found = chosen_widths(top, 32)
        assert found == sorted(set(found)) and 16 <= len(found) <= 32 and found[0] == 1 and found[-1] == top
    assert {64, 65, 128, 129, 192, 193} <= set(chosen_widths(256, 32)), "both sides of a step"


@pytest.mark.parametrize(
    ("machine", "all_widths"),
    [(lambda out, width: out**0.5 * (2 + width), True), (lambda out, width: out + width, False)],
)
def test_times_with_part_of_the_input(machine, all_widths):
    """Measured at a few output widths, where they are what the clock says; filled in at the others, where that is
    exact on a machine whose time is a product of something of each width."""
    model = nn.Sequential(nn.Linear(30, 60), nn.Linear(60, 48), nn.Linear(48, 2))
    graph = build_graph(model, (30,))
    call = next(call for call in timed_calls(graph, cost_table(graph), 1) if call.layer == "1")
    grid = time_grid(call.kind, 1.0, lambda call, _: machine(*call.keywords["weight"].shape), None)
    assert grid.rows == tuple(chosen_widths(48, 32)) and grid.columns == (1, 10, 20, 30, 40, 50, 60) and grid.noise == 0
    for row, times in zip(grid.rows, grid.times, strict=True):
        truth = [1000 * machine(row, column) for column in grid.columns]
        assert times[-1] == pytest.approx(truth[-1])
        if all_widths or row in (1, 48):
            assert times == pytest.approx(truth)


@pytest.mark.parametrize(
    ("build", "shape"),
    [
        (lambda: MobileNetV2(width_mult=0.1, num_classes=5), (3, 32, 32)),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 12, 1, groups=4), nn.Conv2d(12, 2, 1)), (3, 9, 9)),
        (lambda: nn.Sequential(nn.Conv2d(3, 8, 3), nn.ConvTranspose2d(8, 6, 2, 2), nn.Conv2d(6, 2, 1)), (3, 9, 9)),
        (lambda: nn.Sequential(nn.Conv1d(3, 8, 3, padding="same"), nn.Conv1d(8, 6, 3, 2, bias=False)), (3, 20)),
        (lambda: nn.TransformerEncoderLayer(16, 4, 32, batch_first=True), (7, 16)),
    ],
    ids=["depthwise", "groups", "transposed", "1d", "attention"],
)
def test_calls_at_other_widths_make_what_the_layer_would(build, shape):
    """Every timed call runs, at the narrowest and dense widths and with another batch, and has the output it should."""
    graph = build_graph(build().eval(), shape)
    calls = timed_calls(graph, cost_table(graph), 3)
    assert {call.layer for call in calls} == {site.layer for site in graph.contractions}
    for call in calls:
        kind = call.kind
        bench = kind.benches()
        dense = bench(*kind.weight[:2])()
        assert dense.numel() == call.elements
        least = [
            unit if shrinks else top for unit, shrinks, top in zip(kind.units, kind.shrinks, kind.weight, strict=False)
        ]
        small = bench(*least)()
        assert small.numel() == call.elements * least[kind.output] // kind.weight[kind.output]


def test_the_rest_is_never_less_than_nothing_per_value():
    steps = steps_of([1.0, 2.0])
    model = nn.Sequential(nn.Linear(8, 2), nn.ReLU(), nn.Linear(2, 3))
    table = cost_table(build_graph(model, (8,)))
    steps = replace(steps, calls=(replace(steps.calls[0], tensor="0.weight"),), dense=5.0)
    slower = fit_rest(steps, table, [({"0": 1}, 7.0)])
    assert slower.per_element == 0 and slower.fixed == 3, "a smaller network that takes longer: no sign of a part"
    assert slower.error == pytest.approx(7 / 4 - 1) and slower.checks == ((7.0, 4.0),)
    assert fit_rest(steps, table, [({"0": 1}, 0.1)]).fixed == 0, "at most all of it"


def test_json_round_trip_and_damage(profiled):
    _, _, _, steps = profiled
    data = json.loads(json.dumps(steps.to_json()))
    assert Steps.from_json(data) == steps
    for broken in ({**data, "version": 0}, {**data, "grids": None}, {"version": 1}, []):
        with pytest.raises(StorageError, match="Measure them again"):
            Steps.from_json(broken)


def test_the_model_and_the_threads_stay(monkeypatch):
    quick(monkeypatch)
    model = net().train()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    threads = torch.get_num_threads()
    profile(model, build_graph(net(), SHAPE), 1, timer=made_up)
    assert model.training and torch.get_num_threads() == threads
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def test_cancel_and_refusals(monkeypatch):
    quick(monkeypatch)
    model = net()
    graph = build_graph(model, SHAPE)
    with pytest.raises(Cancelled):
        profile(model, graph, 1, timer=made_up, cancel=lambda: True)
    with pytest.raises(InputError, match="at least one"):
        profile(model, graph, 0, timer=made_up)
    with pytest.raises(InputError, match="no convolution or linear"):
        profile(nn.BatchNorm1d(3), build_graph(nn.BatchNorm1d(3), (3,)), 1, timer=made_up)


def test_cache_is_by_architecture_not_by_weights(profiled, tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    _, graph, _, steps = profiled
    assert read_steps(steps_key(graph, 2)) is None
    job = job_of(steps_key(graph, 2))
    with job.working() as work:
        publish_steps(work, steps)
        assert read_steps(steps_key(graph, 2)) is None, "they count once the job is done"
    assert read_steps(steps_key(build_graph(net(), SHAPE), 2)) == steps, "other weights, same shapes"
    assert read_steps(steps_key(graph, 1)) is None, "another batch size"
    conv = [nn.Sequential(nn.Conv2d(3, width, 1), nn.ReLU(), nn.Conv2d(width, 2, 1)) for width in (8, 8, 9)]
    shapes = (SHAPE, (3, 5, 6), SHAPE)
    keys = {steps_key(build_graph(model, shape), 2) for model, shape in zip(conv, shapes, strict=True)}
    assert len(keys) == 3, "another size of images, another width"
    (file,) = (tmp_path / "latency" / steps_key(graph, 2)).rglob("steps.json")
    file.write_text("{")
    with pytest.raises(StorageError, match="Measure them again"):
        read_steps(steps_key(graph, 2))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data.pop("dense"),
        lambda data: data.update(version=2),
        lambda data: data.update(dense="1"),
        lambda data: data.update(dense=-1.0),
        lambda data: data.update(dense=math.inf),
        lambda data: data.update(grids=[]),
        lambda data: data.update(calls={}),
        lambda data: data.update(checks=[[1.0]]),
        lambda data: data["grids"][0].update(rows=[2, 1]),
        lambda data: data["grids"][0].update(times=[]),
        lambda data: data["grids"][0].update(noise=None),
        lambda data: data["calls"][0].update(grid=99),
        lambda data: data["calls"][0].update(parts=[1]),
        lambda data: data["calls"][0].update(output=True),
        lambda data: data["calls"][0].pop("layer"),
    ],
)
def test_damaged_times_are_a_sentence(profiled, damage):
    steps = profiled[3]
    data = json.loads(json.dumps(steps.to_json()))
    assert Steps.from_json(data) == steps
    damage(data)
    with pytest.raises(StorageError, match="is damaged"):
        Steps.from_json(data)


def test_a_page_starts_one_process_a_network(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    monkeypatch.setattr(pool, "ensure", lambda line: 0)
    graph = build_graph(net(), SHAPE)
    key = jobs.start_profile("sample:resnet20", graph, 4)
    assert jobs.start_profile("sample:resnet20", graph, 4) == key == steps_key(graph, 4)
    (ticket,) = local_line().tickets()
    assert ticket.arguments == ("latency", "--batch", "4", "--", "sample:resnet20") and ticket.lane == TIMING
    assert state(graph, 4) == "queued"
    local_line().remove(ticket)
    assert state(graph, 4) == "failed"
    jobs.start_profile("sample:resnet20", graph, 4)
    assert len(local_line().tickets()) == 1, "it may be started again"


def state(graph, batch: int) -> str | None:
    now = job_of(steps_key(graph, batch)).status()
    return None if now is None else now.state


def test_command(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    quick(monkeypatch)
    monkeypatch.setattr("pruning.cli.latency.profile", lambda *a, **k: profile(*a, **k, timer=made_up))
    assert main(["latency", "sample:lenet5", "--batch", "2", "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    sample = SAMPLES["lenet5"]
    graph = build_graph(sample.build(), sample.input_shape)
    assert read_steps(steps_key(graph, 2)) == Steps.from_json(result["steps"]), "the page finds what it measured"
    assert Steps.from_json(json.loads(Path(result["file"]).read_text())) == read_steps(steps_key(graph, 2))
    assert set(result["drops"]) == {site.layer for site in graph.contractions}
    assert state(graph, 2) == "done"
    assert main(["latency", "sample:lenet5"]) == 0
    out, err = capsys.readouterr()
    assert "measured" in out and "Timing" in err
    assert main(["latency", "sample:lenet5", "--batch", "0"]) == 2
    assert "--batch" in capsys.readouterr().err


def test_curve_says_what_was_timed():
    assert curve(steps_of(STAIRS), "a") == (tuple(range(1, 13)), tuple(STAIRS), 0.02)


def test_ctrl_c_while_timing(tmp_path, monkeypatch):
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path))
    quick(monkeypatch)
    handlers = {kind: signal.getsignal(kind) for kind in (signal.SIGINT, signal.SIGTERM)}

    def interrupted(function, repeats: int) -> float:
        os.kill(os.getpid(), signal.SIGINT)
        return 1.0

    monkeypatch.setattr("pruning.cli.latency.profile", lambda *a, **k: profile(*a, **k, timer=interrupted))
    try:
        assert main(["latency", "sample:lenet300"]) == 130
    finally:
        for kind, handler in handlers.items():
            signal.signal(kind, handler)
    sample = SAMPLES["lenet300"]
    graph = build_graph(sample.build(), sample.input_shape)
    assert state(graph, 1) == "cancelled" and read_steps(steps_key(graph, 1)) is None

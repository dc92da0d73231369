"""Engines: each computes what the module does, is timed with others in turn, and says why it is not here."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from pruning.base import extras
from pruning.base.errors import InputError, StorageError
from pruning.base.extras import is_installed
from pruning.base.fields import Fields
from pruning.cost.table import cost_table
from pruning.graph.inputs import Inputs
from pruning.graph.outputs import output_tensors
from pruning.latency import profile as profiling
from pruning.latency.cache import steps_key
from pruning.latency.calls import timed_calls
from pruning.latency.clock import ENGINE, Comparison, Timing
from pruning.latency.engines import measure as measuring
from pruning.latency.engines.answering import Answering
from pruning.latency.engines.candidate import Candidate
from pruning.latency.engines.engine import Engine
from pruning.latency.engines.layers import Elsewhere
from pruning.latency.engines.matrix import Cell, cell_of, cell_values, shrunk, times_over
from pruning.latency.engines.measure import Networks, maker, measure
from pruning.latency.engines.table import ENGINES, engine_key, find_engine, sorted_out
from pruning.latency.noise import Noise
from pruning.latency.steps import Steps
from pruning.latency.threads import with_threads
from pruning.removal.build import build_graph

pytestmark = pytest.mark.usefixtures("quick_exporter")
ROOT = Path(__file__).parents[2]
QUIET, NOISE = Noise(same=(0.99, 1.0, 1.01), spread=0.01), Noise(same=(0.5, 1.2, 2.0), spread=0.4)


class Two(nn.Module):
    """An image and a number a sample; two results."""

    def __init__(self, width: int = 6) -> None:
        super().__init__()
        self.conv, self.norm, self.head = nn.Conv2d(3, width, 3), nn.BatchNorm2d(width), nn.Linear(width, 4)
        with torch.no_grad():
            self.norm.running_mean.uniform_(-1, 1)  # type: ignore[union-attr]

    def forward(self, image: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
        seen = self.norm(self.conv(image)).relu().mean((2, 3))
        return self.head(seen) * weight, seen


INPUTS = Inputs.of((torch.randn(2, 3, 9, 9), torch.rand(2, 1)))


def candidate(folder: Path, model: nn.Module | None = None) -> Candidate:
    return Candidate(name="it", inputs=INPUTS, folder=folder, model=(model or Two()).eval())


def here(name: str) -> Engine:
    engine = ENGINES[name]
    reason = engine.why_not()
    if reason is not None:
        pytest.skip(reason)
    return engine


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.slow if n == "compile" else []) for n in ENGINES])
def test_an_engine_computes_what_the_module_does(name: str, tmp_path: Path) -> None:
    """At batch sizes other than the example's, with one thread and two; and it leaves the module alone."""
    engine, model = here(name), Two().train()
    before = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    own = candidate(tmp_path, model.train())
    model.train()
    for batch, threads in ((1, 1), (3, 2)):
        inputs = INPUTS.random(batch, torch.float32, seed=batch)
        with with_threads(threads):
            found = [torch.as_tensor(one) for one in engine.load(own, batch, threads)(inputs)()]
        wanted = output_tensors(inputs.call(own.model.eval()))
        model.train()
        assert len(found) == 2
        for one, other in zip(found, wanted, strict=True):
            torch.testing.assert_close(one, other, atol=1e-5, rtol=1e-4)
    assert model.training and all(torch.equal(t, before[key]) for key, t in model.state_dict().items())
    assert engine.version()[0].isdigit() and engine.words("float32") == f"{engine.title}, float32, CPU"


def test_the_first_engine_is_what_all_other_times_are_taken_with() -> None:
    assert next(iter(ENGINES.values())).words("float32") == ENGINE


def test_an_engine_takes_the_threads_that_it_is_told(tmp_path: Path) -> None:
    here("onnxruntime")
    from pruning.latency.engines.onnx_runtime import session_of

    session = session_of(candidate(tmp_path).onnx(1), 2)
    assert session.get_session_options().intra_op_num_threads == 2


def test_more_threads_than_the_machine_has_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"OpenVINO takes \d+ threads here, where 4096 were asked for"):
        here("openvino").load(candidate(tmp_path), 1, 4096)


@pytest.mark.parametrize(("name", "module"), [("onnxruntime", "onnxruntime"), ("openvino", "openvino")])
def test_what_is_not_installed_is_named_with_how_to_get_it(
    name: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = extras._is_there
    monkeypatch.setattr(extras, "_is_there", lambda other: other != module and there(other))
    found, absent = sorted_out([name, "eager"])
    assert [engine.name for engine in found] == ["eager"] and list(absent) == [name]
    assert f"needs {module}" in absent[name] and "pip install '.[" in absent[name]


def test_without_a_compiler_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert ENGINES["compile"].why_not() == (
        "torch.compile needs a C++ compiler, and this machine has none: install g++."
    )


def test_no_engine_of_that_name_is_a_sentence() -> None:
    with pytest.raises(InputError, match="There is no engine 'tensorrt': take eager, compile, onnxruntime, openvino"):
        find_engine("tensorrt")


def test_each_copy_is_a_fresh_one(tmp_path: Path) -> None:
    model = Two()
    fresh = maker(ENGINES["eager"], candidate(tmp_path, model), 2, 1)
    first, second = fresh(), fresh()
    before = [tensor.clone() for tensor in first()]  # type: ignore[attr-defined]
    with torch.no_grad():
        model.head.weight.zero_()
    assert all(torch.equal(one, other) for one, other in zip(before, first(), strict=True))  # type: ignore[call-overload]
    assert all(torch.equal(one, other) for one, other in zip(before, second(), strict=True)), "the same inputs"  # type: ignore[call-overload]


class OneSize(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) * (torch.ones(4) if len(x) < 3 else 2 * torch.ones(4))


def test_a_network_that_fixes_its_batch_has_a_file_for_each(tmp_path: Path) -> None:
    engine = here("onnxruntime")
    own = Candidate(name="it", inputs=Inputs.of(torch.rand(2, 4)), folder=tmp_path, model=OneSize().eval())
    for batch in (2, 5):
        inputs = Inputs.of(torch.rand(batch, 4))
        (found,) = engine.load(own, batch, 1)(inputs)()
        torch.testing.assert_close(torch.as_tensor(found), own.model(*inputs.args))


def test_a_network_answers_on_an_engine_like_any_module(tmp_path: Path) -> None:
    engine = here("onnxruntime")
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(8, 3)).eval()
    own = Candidate(name="it", inputs=Inputs.of(torch.rand(2, 1, 4, 4)), folder=tmp_path, model=model)
    answering = Answering(engine, own, 1).eval()
    for size in (4, 1, 4):
        images = torch.rand(size, 1, 4, 4).contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(answering(images), model(images))


def compared(batch: int, engine: str, ratio: float, noise: Noise = QUIET) -> Comparison:
    slow, fast = (Timing(low=time * 0.9, median=time, high=time * 1.1) for time in (ratio, 1.0))
    span = (ratio * 0.95, ratio, ratio * 1.05)
    return Comparison(batch=batch, dense=slow, pruned=fast, speedup=span, pairs=9, threads=1, noise=noise,
                      engine=engine, at=datetime.now(UTC))  # fmt: skip


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """In place of the clock: notes what it is to compare."""
    asked: list[tuple[str, int]] = []

    def compare(first: Callable[[], object], second: Callable[[], object], **options: object) -> Comparison:
        asked.append((str(options["engine"]), options["batch"]))  # type: ignore[arg-type]
        return compared(options["batch"], str(options["engine"]), 2.0)  # type: ignore[arg-type]

    monkeypatch.setattr(measuring, "compare", compare)
    return asked


def test_every_pair_is_timed_in_turn(tmp_path: Path, watch: list[tuple[str, int]]) -> None:
    one = candidate(tmp_path)
    int8 = Candidate(name="small", inputs=INPUTS, folder=tmp_path, model=Two().eval(), precision="int8")
    networks = Networks(dense=one, pruned=candidate(tmp_path, Two(3)), int8=int8)
    engines = [ENGINES["eager"], ENGINES["onnxruntime"]]
    cells = list(measure(networks, engines, [1, 8], threads=1))
    assert [(cell.engine, cell.batch) for cell in cells] == [
        ("eager", 1), ("eager", 8), ("onnxruntime", 1), ("onnxruntime", 8)]  # fmt: skip
    assert watch[:2] == [("PyTorch eager, float32, CPU", 1), ("PyTorch eager, float32, CPU", 8)]
    assert {text for text, batch in watch[2:] if batch == 8} == {
        "ONNX Runtime, float32, CPU",
        "PyTorch eager, then ONNX Runtime, float32, CPU",
        "ONNX Runtime, float32, then int8, CPU",
    }
    assert cells[0].change is None and cells[0].int8 is None and cells[2].int8 is not None


def test_an_engine_that_cannot_run_it_says_why(tmp_path: Path) -> None:
    class Broken(nn.Module):
        def forward(self, image: Tensor, weight: Tensor) -> Tensor:
            raise ValueError("no")

    networks = Networks(dense=candidate(tmp_path, Broken()), pruned=candidate(tmp_path, Two(3)))
    assert networks.refusal(ENGINES["eager"], [1], 1) == "PyTorch eager failed on this network (ValueError)."
    sound = Networks(dense=candidate(tmp_path), pruned=candidate(tmp_path, Two(3)))
    assert sound.refusal(ENGINES["eager"], [1, 2], 1) is None


def cell(engine: str, batch: int, pruning: float, change: float | None = None, noise: Noise = QUIET) -> Cell:
    return Cell(
        engine=engine,
        pruning=compared(batch, engine, pruning, noise),
        change=None if change is None else compared(batch, engine, change),
    )


def test_a_speed_up_is_what_the_engine_gave_times_what_pruning_gave() -> None:
    found = cell("onnxruntime", 1, 1.5, 4.0)
    assert found.by_engine == pytest.approx((3.8, 4.0, 4.2)) and found.by_pruning == pytest.approx((1.425, 1.5, 1.575))
    assert found.together == pytest.approx((3.8 * 1.425, 6.0, 4.2 * 1.575))
    assert cell("eager", 1, 2.0).together == pytest.approx((1.9, 2.0, 2.1))
    noisy = cell("onnxruntime", 1, 1.5, 4.0, NOISE)
    assert noisy.by_pruning is None and noisy.together is None and noisy.by_engine is not None
    assert times_over((1.0, 2.0, 3.0), (0.5, 0.5, 0.5)) == (0.5, 1.0, 1.5)


def test_pruning_gains_less_only_where_the_intervals_say_so() -> None:
    eager, less, alike = cell("eager", 1, 2.0), cell("onnxruntime", 1, 1.5, 3.0), cell("openvino", 1, 1.95, 3.0)
    other, noisy = cell("openvino", 32, 1.1, 3.0), cell("compile", 1, 1.2, 1.5, NOISE)
    assert shrunk([eager, less, alike, other, noisy]) == [(less, eager)]


def test_a_cell_reads_itself_back() -> None:
    for found in (cell("eager", 1, 2.0), cell("onnxruntime", 32, 1.5, 4.0)):
        assert cell_of(Fields(json.loads(json.dumps(cell_values(found))), "it")) == found


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it.update(engine="tensorrt"),
        lambda it: it.update(engine=3),
        lambda it: it.pop("change"),
        lambda it: it.pop("pruning"),
        lambda it: it["change"].update(batch=2),
        lambda it: it["pruning"].update(threads=2),
        lambda it: it["pruning"].update(speedup=[3, 2, 1]),
        lambda it: it.update(change=[]),
    ],
)
def test_a_damaged_cell_is_refused(change: Callable[[dict], object]) -> None:
    values = json.loads(json.dumps(cell_values(cell("onnxruntime", 32, 1.5, 4.0))))
    change(values)
    with pytest.raises(StorageError):
        cell_of(Fields(values, "it"))


def test_the_extra_brings_what_the_engine_imports() -> None:
    for extra, name in (("export", "onnxruntime"), ("openvino", "openvino")):
        assert (ENGINES[name].why_not() is None) == (is_installed(extra) and is_installed("export"))


LAYERS = {
    "conv": (nn.Conv2d(4, 6, 3, stride=2, padding=1), (2, 4, 9, 9)),
    "dilated": (nn.Conv2d(4, 6, (3, 1), dilation=2, padding=(2, 0), bias=False), (1, 4, 9, 7)),
    "same": (nn.Conv2d(4, 6, 4, padding="same"), (1, 4, 9, 9)),
    "depthwise": (nn.Conv2d(4, 4, 3, groups=4), (2, 4, 9, 9)),
    "one dimension": (nn.Conv1d(4, 6, 3), (2, 4, 9)),
    "transposed": (nn.ConvTranspose2d(4, 6, 3, stride=2, padding=1, output_padding=1), (2, 4, 5, 5)),
    "linear": (nn.Linear(4, 6), (3, 4)),
    "linear of tokens": (nn.Linear(4, 6, bias=False), (3, 5, 4)),
}


@pytest.mark.skipif(not is_installed("export"), reason="the packages of the extra 'export' are not here")
@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_alone_computes_what_pytorch_does(name: str, tmp_path: Path) -> None:
    layer, shape = LAYERS[name]
    model = nn.Sequential(layer, nn.ReLU())
    inputs = Inputs.of(torch.randn(shape))
    graph = build_graph(model, inputs)
    (call,) = timed_calls(graph, cost_table(graph), shape[0])
    elsewhere = Elsewhere(ENGINES["onnxruntime"], tmp_path, 1)
    rows, columns = call.kind.weight[:2]
    units = call.kind.units
    for size in ((rows, columns), (max(units[0], rows // 2 // units[0] * units[0]), columns)):
        wanted = call.kind.benches()(*size)()
        (found,) = elsewhere.benches(call.kind)(*size)()  # type: ignore[misc]
        torch.testing.assert_close(torch.as_tensor(found), wanted, atol=1e-5, rtol=1e-4)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not is_installed("export"), reason="the packages of the extra 'export' are not here")
def test_widths_are_timed_on_another_engine_and_kept_apart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profiling, "NETWORK_SECONDS", 0.0)
    monkeypatch.setattr(profiling, "WARM_SECONDS", 0.0)
    monkeypatch.setattr(profiling, "MOST_DRIFT", 1e9)
    for name, value in (("UNIFORM", (0.5,)), ("RANDOM", 1), ("PASSES", 1)):
        monkeypatch.setattr(profiling, name, value)
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(36, 2))
    graph = build_graph(model, (3, 5, 5))
    steps = profiling.profile(model, graph, 1, elsewhere=Elsewhere(ENGINES["onnxruntime"], tmp_path, 1))
    assert steps.engine == "ONNX Runtime, float32, CPU" and [call.layer for call in steps.calls] == ["0", "3"]
    assert Steps.from_json(json.loads(json.dumps(steps.to_json()))) == steps
    plain = json.loads(json.dumps({name: value for name, value in steps.to_json().items() if name != "engine"}))
    assert Steps.from_json(plain).engine == ENGINE, "times from before there were engines"
    keys = {steps_key(graph, 1, engine_key(name)) for name in ("eager", "onnxruntime")}
    assert len(keys) == 2 and steps_key(graph, 1) in keys


def test_openvino_tells_nobody_that_it_is_used(tmp_path: Path) -> None:
    here("openvino")
    code = (
        "import sys\nfrom pruning.latency.engines.openvino_cpu import _openvino\n"
        "print(_openvino().Core().available_devices)\n"
        "assert not [name for name in sys.modules if name.startswith('openvino_telemetry.')]"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and "CPU" in done.stdout, done.stderr
    assert list(tmp_path.iterdir()) == [], "it would leave a name of its own for whoever uses it"


def test_an_engine_that_takes_no_layers_says_so(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"torch\.compile takes no layers alone"):
        Elsewhere(ENGINES["compile"], tmp_path, 1)

"""A run on several engines: a job that is asked for, whole in one file, read back as a stranger's."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pruning.base.errors import Cancelled, InputError, StorageError
from pruning.base.extras import is_installed
from pruning.base.safe_json import dump
from pruning.jobs.queue import pool
from pruning.jobs.queue.local import local_line
from pruning.jobs.queue.ticket import TIMING
from pruning.latency.clock import Comparison, Timing
from pruning.latency.engines import measure
from pruning.latency.engines.matrix import Cell
from pruning.latency.engines.names import ENGINE_NAMES
from pruning.latency.noise import TOO_NOISY, Noise
from pruning.render.markup import engine_table
from pruning.runs import create_run, delete_run, engine_networks, engines, execute, read_run
from pruning.runs.engine_times import Calibration, EngineTimes, Variant, engine_times_of, read_engine_times
from pruning.runs.engine_words import int8_words, pruning_words, remarks, split_words, variant_words
from pruning.runs.engines import Asked
from pruning.runs.pack import pack
from pruning.runs.recipe import Recipe
from pruning.runs.unpack import unpack
from pruning.spec import PruneSpec

pytestmark = pytest.mark.usefixtures("quick_exporter")
QUIET, NOISE = Noise(same=(0.99, 1.0, 1.01), spread=0.01), Noise(same=(0.5, 1.2, 2.0), spread=0.4)
exporting = pytest.mark.skipif(not is_installed("export"), reason="the packages of the extra 'export' are not here")


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("runs") / "a-run"
    execute(create_run(Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.5)), path=path))
    return path


@pytest.fixture
def run(done: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished run, and a line that nobody serves."""
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(pool, "ensure", lambda line: 0)
    shutil.copytree(done, tmp_path / "a-run")
    return tmp_path / "a-run"


def made(
    batch: int, engine: str = "PyTorch eager, float32, CPU", noise: Noise = QUIET, ratio: float = 1.6
) -> Comparison:
    slow, fast = (Timing(low=time * 0.9, median=time, high=time * 1.1) for time in (ratio, 1.0))
    return Comparison(batch=batch, dense=slow, pruned=fast, speedup=(ratio - 0.1, ratio, ratio + 0.1), pairs=9,
                      threads=1, noise=noise, engine=engine, at=datetime(2026, 11, 1, tzinfo=UTC))  # fmt: skip


class Watch:
    """In place of the clock: runs both once, and gives what it is told to."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, noise: Noise = QUIET) -> None:
        self.noise, self.asked = noise, []  # type: ignore[var-annotated]
        monkeypatch.setattr(measure, "compare", self)

    def __call__(self, first: Any, second: Any, **options: Any) -> Comparison:
        first()(), second()()
        self.asked.append((options["engine"], options["batch"]))
        return made(options["batch"], options["engine"], self.noise)


@exporting
def test_what_was_measured_is_the_runs(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watch = Watch(monkeypatch)
    monkeypatch.setattr(engine_networks, "CALIBRATION", 48)
    found = engines.measure_engines(run, Asked(engines=("onnxruntime", "eager")))
    assert read_engine_times(run) == read_run(run).engine_times() == found
    assert [(cell.engine, cell.batch) for cell in found.cells] == [
        ("eager", 1), ("eager", 32), ("onnxruntime", 1), ("onnxruntime", 32)]  # fmt: skip
    assert len(watch.asked) == 2 + 3 * 2 and found.absent == {} and found.no_int8 is None
    assert found.calibration is not None and found.calibration.images == 48
    dense, pruned, int8 = found.variants
    assert dense.bytes is not None and pruned.bytes is not None and int8.bytes is not None
    assert int8.bytes < pruned.bytes < dense.bytes
    assert {one.role for v in found.variants for one in v.accuracy.values()} == {"select"}, "test is looked at once"
    result = read_run(run).result
    assert result is not None and pruned.accuracy == {"eager": result.stages.as_cut}, "as the run measured it"
    assert abs(int8.accuracy["onnxruntime"].value - pruned.accuracy["eager"].value) < 0.03
    assert sorted(p.name for p in run.iterdir() if "int8" in p.name or "onnx" in p.name) == []


def test_without_the_extra_the_rest_is_measured(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pruning.base import extras

    there = extras._is_there
    monkeypatch.setattr(extras, "_is_there", lambda name: not name.startswith(("onnx", "openvino")) and there(name))
    Watch(monkeypatch)
    found = engines.measure_engines(run, Asked(engines=("eager", "onnxruntime", "openvino"), batches=(2,)))
    assert [cell.engine for cell in found.cells] == ["eager"] and set(found.absent) == {"onnxruntime", "openvino"}
    assert found.no_int8 == "int8 runs on ONNX Runtime and OpenVINO, which were not timed."
    assert any("OpenVINO is left out: OpenVINO needs openvino" in said for said in remarks(found))
    assert found.variants[0].bytes is None and found.variants[1].accuracy["eager"].images > 0
    with pytest.raises(InputError, match=r"None of the engines can be timed: OpenVINO needs openvino.*pip install"):
        engines.measure_engines(run, Asked(engines=("openvino",)))
    assert read_engine_times(run) == found, "what was measured stays"


@exporting
def test_without_images_times_are_taken_all_the_same(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Watch(monkeypatch)
    monkeypatch.setattr(engine_networks, "_data_of", lambda subject: (None, "the images are not on this machine"))
    found = engines.measure_engines(run, Asked(engines=("onnxruntime",), batches=(1,)))
    assert len(found.cells) == 1 and found.cells[0].int8 is None and not any(v.accuracy for v in found.variants)
    assert found.no_int8 == "int8 needs train images to calibrate with: the images are not on this machine."


def test_int8_can_be_left_out(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Watch(monkeypatch)
    found = engines.measure_engines(run, Asked(engines=("eager",), batches=(1,), int8=False))
    assert [variant.kind for variant in found.variants] == ["dense", "pruned"]
    assert found.no_int8 == "int8 was not asked for." and found.calibration is None


def test_noise_does_not_replace_what_was_measured_in_quiet(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked(engines=("eager",), batches=(1,), int8=False)
    Watch(monkeypatch)
    before = engines.measure_engines(run, asked)
    Watch(monkeypatch, NOISE)
    assert engines.measure_engines(run, asked).cells == before.cells
    monkeypatch.setattr(engines, "processor", lambda: "another processor")
    after = engines.measure_engines(run, asked)
    assert not after.is_quiet and after.cpu == "another processor"
    assert pruning_words(after.cells[0]) == "too noisy to measure", "and nothing else of it"


def test_it_is_a_job_in_the_lane_of_timings(run: Path) -> None:
    asked = Asked(engines=("eager", "openvino"), batches=(4,), int8=False)
    assert engines.start_engines(run, asked) and not engines.start_engines(run, asked), "one job"
    (ticket,) = local_line().tickets()
    assert ticket.kind == "engines" and ticket.lane == TIMING
    assert ticket.arguments == ("engines", "--engine", "eager", "--engine", "openvino", "--batch", "4", "--no-int8",
                                "--", str(run))  # fmt: skip
    assert engines.engines_status(run) is not None
    delete_run(run)
    assert not run.exists() and not local_line().tickets()


def test_two_do_not_measure_at_once_and_a_cancel_ends_it(run: Path) -> None:
    asked = Asked(engines=("eager",), batches=(1,), int8=False)
    with engines.engines_job(run).working(), pytest.raises(InputError, match="Another process"):
        engines.measure_engines(run, asked)
    with pytest.raises(Cancelled):
        engines.measure_engines(run, asked, cancel=lambda: True)
    assert read_engine_times(run) is None


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"engines": ("tensorrt",)}, "There is no engine 'tensorrt'"),
        ({"batches": (0,)}, "A batch of 0 cannot be timed"),
        ({"batches": (10**9,)}, "A batch of 1,000,000,000 cannot be timed"),
        ({"engines": ()}, "Name at least one"),
    ],
)
def test_what_cannot_be_asked_is_a_sentence(values: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        Asked(**values)


def example() -> EngineTimes:
    cells = (
        Cell(engine="eager", pruning=made(1, ratio=2.0)),
        Cell(engine="onnxruntime", pruning=made(1, ratio=1.5), change=made(1, ratio=4.0), int8=made(1, ratio=0.8)),
    )
    return EngineTimes(
        at=datetime(2026, 11, 1, tzinfo=UTC), cpu="a processor", threads=1, torch="2.14.1",
        versions={"eager": "2.14.1", "onnxruntime": "1.31.1"},
        variants=(Variant(kind="dense", bytes=400), Variant(kind="pruned", bytes=200), Variant(kind="int8", bytes=60)),
        cells=cells, absent={"openvino": "OpenVINO needs openvino."},
        calibration=Calibration(images=256, method="static"),
    )  # fmt: skip


def test_it_reads_itself_back() -> None:
    found = example()
    assert engine_times_of(json.loads(json.dumps(found.to_values())), "it") == found
    assert set(ENGINE_NAMES) > set(found.versions)


def test_words_claim_no_more_than_was_measured() -> None:
    eager, other = example().cells
    assert pruning_words(eager) == "2.00 ms (1.80–2.20) dense, 1.00 ms (0.90–1.10) pruned: 2.00× as fast (1.90–2.10)"
    assert split_words(eager) is None and int8_words(eager) is None
    assert split_words(other) == (
        "4.00× (3.90–4.10) from the engine and 1.50× (1.40–1.60) from pruning: together 6.00× (5.46–6.56) against "
        "dense in PyTorch eager"
    )
    assert (int8_words(other) or "").endswith("slower: 0.80× (0.70–0.90); int8 costs time on this processor")
    assert remarks(example()) == [
        "Pruning gains less on ONNX Runtime than in PyTorch eager at batch 1: 1.50× (1.40–1.60) against 2.00× "
        "(1.90–2.10).",
        "OpenVINO is left out: OpenVINO needs openvino.",
    ]
    assert variant_words(example().variants[2]) == "pruned, int8: 60 B as ONNX"
    noisy = replace(other, pruning=made(1, noise=NOISE))
    assert split_words(noisy) == pruning_words(noisy) == "too noisy to measure"


def _set(*path: Any, value: Any) -> Callable[[dict], None]:
    def change(values: Any) -> None:
        for step in path[:-1]:
            values = values[step]
        values[path[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        _set("schema_version", value=2),
        _set("at", value="yesterday"),
        _set("threads", value=0),
        _set("threads", value=2),
        _set("versions", value={"eager": "1"}),
        _set("versions", "tensorrt", value="1"),
        _set("absent", "eager", value="gone"),
        _set("cells", value={}),
        _set("cells", 0, "engine", value="onnxruntime"),
        _set("cells", 1, "pruning", "speedup", value=[1, float("inf"), 2]),
        _set("variants", value=[]),
        _set("variants", 0, "kind", value="int8"),
        _set("variants", 0, "bytes", value=-1),
        _set("variants", 0, "accuracy", value={"eager": {"metric": "accuracy"}}),
        _set("variants", 0, "accuracy", value={"../evil": {}}),
        _set("calibration", value=None),
        _set("no_int8", value="none"),
    ],
)
def test_what_is_damaged_is_one_sentence(run: Path, change: Callable[[dict], None]) -> None:
    values = json.loads(json.dumps(example().to_values()))
    change(values)
    (run / "engines.json").write_bytes(json.dumps(values).encode())
    with pytest.raises(StorageError) as raised:
        read_engine_times(run)
    assert "\n" not in str(raised.value) and len(str(raised.value)) < 300
    assert read_run(run).state == "done", "it harms nothing else"


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b"[" * 10_000, b'{"schema_version": 1}'])
def test_no_json_is_one_sentence(run: Path, damage: bytes) -> None:
    (run / "engines.json").write_bytes(damage)
    with pytest.raises(StorageError):
        read_engine_times(run)


def test_texts_of_a_stranger_are_cut_and_can_be_shown(run: Path) -> None:
    values = json.loads(json.dumps(example().to_values()))
    values["absent"]["openvino"] = "a\x1b[31m\n" * 5000
    (run / "engines.json").write_bytes(dump(values))
    found = read_engine_times(run)
    assert found is not None and len(found.absent["openvino"]) <= 601 and found.absent["openvino"].isprintable()


def test_they_travel_with_the_run(run: Path, tmp_path: Path) -> None:
    (run / "engines.json").write_bytes(dump(example().to_values()))
    taken = unpack(pack(run, tmp_path / "it.zip"), tmp_path)
    assert read_run(taken.path).engine_times() == example()
    (run / "engines.json").write_bytes(b"{}")
    with pytest.raises(StorageError, match=r"engines\.json"):
        unpack(pack(run, tmp_path / "it.zip"), tmp_path)


def test_the_table_of_a_page_claims_no_more_than_was_measured() -> None:
    found = example()
    eager, other = found.cells
    noisy = replace(other, pruning=made(1, noise=NOISE), int8=made(1, ratio=1.05))
    plain, said = (engine_table.cells(found, cell) for cell in (eager, noisy))
    assert plain[0] == "PyTorch eager 2.14.1" and plain[2].startswith("2.00 ms") and plain[3].startswith("1.00 ms")
    assert plain[4].startswith("2.00×") and "1.90–2.10" in plain[4] and plain[5:] == [engine_table.NONE] * 4
    assert said[2:5] == [TOO_NOISY] * 3 and said[5].startswith("4.00×") and said[8] == TOO_NOISY
    assert said[7].startswith("≈ 1×"), "its interval holds 1"
    assert 'aria-label="measured"' in said[5]
    assert 'aria-label="estimated"' in engine_table.cells(found, other)[8], "worked out from two"
    assert engine_table.html(found).count("<tr><th scope='row'>") == len(found.cells) + len(found.variants)
    assert found.cpu in engine_table.setting(found)

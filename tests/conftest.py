"""What tests of several folders share."""

import contextlib
import dataclasses
import functools
import os
import shutil
import sys

os.environ.setdefault("OMP_NUM_THREADS", "1")  # small tensors: more threads only wait for each other
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

NOT_WITH_TORCH_2_9 = {
    "test_hooks_leave_nothing_behind_and_fire_as_before[watched_by_itself]": "what changes while it is traced",
    "test_hooks_leave_nothing_behind_and_fire_as_before[watched_from_a_dict]": "what changes while it is traced",
    "test_what_a_network_collects_is_neither_the_callers_nor_the_results": "what changes while it is traced",
    "test_channels_that_another_layer_reads_at_the_next_call_stay[Flag]": "what changes while it is traced",
    "test_what_the_code_writes_beside_the_network_is_as_before": "a generator of random numbers",
    "test_the_callers_model_is_untouched[Hooked]": "what changes while it is traced",
    "test_what_goes_is_what_was_worked_out_by_hand[GatesByAttribute]": "an iterator that stands in an attribute",
    "test_what_goes_is_what_was_worked_out_by_hand[RecurrentState]": "the shape of an LSTM's last state",
}
"""What torch.export of 2.9 gets wrong or refuses itself: the network is refused there, in a sentence."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    from importlib.metadata import version

    for item in items if version("torch").startswith("2.9.") else []:
        if item.name in NOT_WITH_TORCH_2_9:
            item.add_marker(pytest.mark.skip(f"torch.export of 2.9 stumbles over {NOT_WITH_TORCH_2_9[item.name]}"))


@pytest.fixture(scope="session")
def full_data() -> str:
    """The folder with mnist.zip and cifar10.zip: PRUNING_DATA, or shared/data beside the repository.

    Decoded images stay in the user's own cache: decoding 130,000 files once a test would take minutes.
    """
    folder = Path(os.environ.get("PRUNING_DATA") or Path(__file__).parents[2] / "shared" / "data")
    missing = [name for name in ("mnist.zip", "cifar10.zip") if not (folder / name).is_file()]
    if missing:
        pytest.skip(f"the full data sets are absent: no {' and '.join(missing)} in PRUNING_DATA or ../shared/data")
    return str(folder)


@pytest.fixture(scope="session", autouse=True)
def own_indexes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Indexes of the folders of runs that tests make lie apart from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNING_INDEX", str(tmp_path_factory.mktemp("indexes")))
        yield


@pytest.fixture(scope="session", autouse=True)
def short_timing() -> Iterator[None]:
    """Timings in the tests' own process look at the clock for an instant only, and take the machine for quiet: none of
    the tests asserts a speed. What a page asks to be timed is timed at once, in that process."""
    from pruning.base.errors import PruningError
    from pruning.latency import clock, cuts
    from pruning.runs import times

    def at_a_glance(*args: Any, **options: Any) -> clock.Comparison:
        return dataclasses.replace(clock.compare_latency(*args, **{**options, "seconds": 0.01}), noise=None)

    def answer(question: cuts.Question, visitor: str = "") -> None:
        with contextlib.suppress(PruningError):  # its job says so
            cuts.answer(question)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(times, "compare_latency", at_a_glance)
        patch.setattr(cuts, "compare_latency", at_a_glance)
        patch.setattr(cuts, "start", answer)
        yield


@pytest.fixture(scope="session")
def quick_exporter() -> Iterator[None]:
    """torch's exporter reads its translations once, not anew for every file: each would take seconds more."""
    from pruning.base.extras import is_installed

    if not is_installed("export"):
        yield
        return
    from torch.onnx._internal._lazy_import import onnxscript_apis

    read = onnxscript_apis.get_torchlib_ops
    apis = sys.modules[onnxscript_apis._name]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(apis, "get_torchlib_ops", functools.cache(read))
        yield


@pytest.fixture(scope="session")
def make_result() -> Callable[..., Any]:
    """Builds a run's result: 4 test images, half the parameters, timed for one image; named fields are changed."""
    from pruning.cost.counts import Bytes
    from pruning.latency.clock import Timing
    from pruning.planning.plan import LayerPlan
    from pruning.removal.verify import Check
    from pruning.runs.recipe import Recipe
    from pruning.runs.result import Change, DataUsed, FinishedRound, Measurement, Result, Side, Speedup, Stages

    test = Measurement(value=0.75, interval=(0.3, 0.95), correct=3, images=4, role="test")
    select = Measurement(value=0.5, interval=(0.15, 0.85), correct=2, images=4, role="select")
    dense = Side(
        params=100,
        nonzero=90,
        macs=1000,
        bytes=Bytes(raw=400, deflate=300, sparse=380),
        activation_bytes=64,
        activation_place="fc1",
        latency={1: Timing(low=1.9, median=2.0, high=2.1)},
        test=test,
    )
    result = Result(
        recipe=Recipe(model="sample:lenet300", data="mnist5k"),
        model="sample:lenet300",
        model_digest="0" * 64,
        data=DataUsed(name="mnist5k", sha256="images", source="built in"),
        dense=dense,
        pruned=dataclasses.replace(dense, params=50, nonzero=45),
        speedups=(Speedup(batch=1, low=1.5, middle=1.6, high=1.7),),
        difference=Change(value=-0.25, interval=(-0.7, 0.3), newly_wrong=2, newly_right=1),
        stages=Stages(as_cut=select),
        rounds=(FinishedRound(number=1, sparsity=0.5, steps=0, stages=Stages(as_cut=select)),),
        layers=(LayerPlan(name="fc1", group="fc1", requested=0.5, achieved=0.5, kept=5, total=10),),
        check=Check(status="exact", max_error=0.0, reference="masked model"),
        engine="an engine",
        cpu="a processor",
        threads=1,
        torch="2",
        seconds=1.5,
    )
    return lambda **changes: dataclasses.replace(result, **changes)


@pytest.fixture(scope="session")
def repaired_run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A finished run that refitted a small network without training; a few seconds. Not to be changed."""
    from pruning.runs import create_run, execute, read_run
    from pruning.runs.recipe import Recipe
    from pruning.spec import PruneSpec

    recipe = Recipe(model="sample:lenet300", data="mnist5k", prune=PruneSpec(sparsity=0.8), repair="refit")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PRUNING_CACHE", str(tmp_path_factory.mktemp("cache")))
        path = create_run(recipe, path=tmp_path_factory.mktemp("repaired") / "refitted")
        execute(path)
    return read_run(path)


@pytest.fixture
def stored_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of runs that the explorer of November 2026 (recipes and results of version 1) left behind, as
    PRUNING_RUNS: channel, weight, iterative, continued (from channel), cancelled and failed."""
    folder = tmp_path / "stored"
    shutil.copytree(Path(__file__).parent / "fixtures" / "runs", folder)
    for path in (folder / "continued").iterdir():
        path.write_bytes(path.read_bytes().replace(b"run:RUNS/", f"run:{folder}/".encode()))
    monkeypatch.setenv("PRUNING_RUNS", str(folder))
    monkeypatch.setenv("PRUNING_CACHE", str(tmp_path / "cache"))
    return folder


@pytest.fixture(scope="session")
def as_pruned() -> Callable[..., Any]:
    """Makes a subject of a model that was pruned from another subject's, as opening its run would."""
    from pruning.subject import Subject

    def made(dense: Subject, model: Any, **of_network: Any) -> Subject:
        network = dataclasses.replace(
            dense.network, ref="run:made", title="made", model=model, root=dense.ref, weights="of the run", **of_network
        )
        return Subject.of(network).with_images(dense.images)

    return made


@pytest.fixture(scope="module")
def pair(
    tmp_path_factory: pytest.TempPathFactory, make_result: Callable[..., Any], as_pruned: Callable[..., Any]
) -> Any:
    """A dense network and the same without 40 % of its channels; twice as fast alone, not measurably in batches."""
    from pruning.compare.sides import Pair, Side
    from pruning.cost.counts import Bytes
    from pruning.latency.clock import Timing
    from pruning.planning.plan import make_plan
    from pruning.removal.apply import removed_model
    from pruning.removal.shrinkage import shrinkage
    from pruning.runs import Run
    from pruning.runs.recipe import Recipe
    from pruning.runs.result import Measurement, Speedup
    from pruning.runs.result import Side as Figures
    from pruning.spec import PruneSpec
    from pruning.subject import open_subject

    figures = Figures(
        params=20_000, nonzero=20_000, macs=3_000_000, bytes=Bytes(raw=80_000, sparse=84_000, deflate=70_000),
        activation_bytes=0, activation_place="",
        latency={batch: Timing(low=9.0, median=10.0, high=11.0) for batch in (1, 32)},
        test=Measurement(value=0.98, interval=(0.97, 0.99), correct=980, images=1000, role="test"),
    )  # fmt: skip
    dense = open_subject("sample:mini_resnet")
    plan = make_plan(dense.model, dense.graph, PruneSpec(sparsity=0.4))
    model = removed_model(dense.model, dense.graph, plan).eval()
    small = as_pruned(dense, model, structure=shrinkage(dense.graph, plan))
    speedups = (Speedup(batch=1, low=1.25, middle=2.0, high=4.0), Speedup(batch=32, low=0.9, middle=1.1, high=1.3))
    result = make_result(dense=figures, pruned=figures, speedups=speedups, threads=2)
    run = Run(
        path=tmp_path_factory.mktemp("runs") / "mine", state="done", created=datetime.now(UTC), result=result,
        recipe=Recipe(model="sample:mini_resnet", data="mnist5k"), message=None,
    )  # fmt: skip
    smaller = dataclasses.replace(figures, bytes=Bytes(raw=30_000, sparse=84_000, deflate=28_000))
    first = Side(kind="dense", label="dense", subject=dense, run=None, answers=None, figures=figures, tuned=False)
    second = Side(kind="run", label="mine", subject=small, run=run, answers=None, figures=smaller, tuned=False)
    return Pair(before=first, after=second)

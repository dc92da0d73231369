"""How fast is the pruned network here, against the unpruned one? `python bench.py` in this folder, on the machine where
it will run, while nothing else does.

On every engine that is installed (PyTorch, ONNX Runtime, OpenVINO) both take turns, and the unpruned one also against
itself: what differs there is noise. With PyTorch, layers are timed at their widths, too. Everything is written to
bench-times.json: `python -m pruning latency run:RUN --import bench-times.json` takes it in where Pruning Explorer is.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import itertools
import json
import math
import os
import platform
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(os.path.abspath(__file__)).parent
FORMAT, VERSION = "pruning-explorer-times", 1
BATCHES = (1, 32)
LEAST_TRIPLES, MOST_TRIPLES = 5, 24
TRIES = 3
"""How often a comparison that was too noisy is made."""
ORDERS = tuple(itertools.permutations(range(3)))
ROUNDS, BURST_SECONDS = 9, 3e-4
"""Over the widths of a layer; calls are repeated for so long."""
Call = Callable[[], object]
Makers = tuple[Callable[[], Call], Callable[[], Call]]
"""Give a fresh copy of the unpruned and of the pruned network."""


def main() -> int:
    """Time, tell, and write the file."""
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    asked.add_argument("--batch", type=int, action="append", help="samples at a time; again for another (1 and 32)")
    asked.add_argument("--threads", type=int, default=1, help="of every engine (1)")
    asked.add_argument("--seconds", type=float, default=3.0, help="for each comparison (3)")
    asked.add_argument("--no-widths", action="store_true", help="leave the layers' widths out")
    asked.add_argument("--out", type=Path, default=Path("bench-times.json"))
    args = asked.parse_args()
    if args.threads < 1 or min(args.batch or [1]) < 1:
        asked.error("--batch and --threads are at least 1")
    told = json.loads((HERE / "bench.json").read_text(encoding="utf-8"))
    noise = _module("noise.py")
    found: list[dict[str, Any]] = []
    missing: list[str] = []
    for title, engine in ENGINES.items():
        try:
            for batch in args.batch or BATCHES:
                found.append(_compared(engine(batch, args.threads), title, batch, args, noise))
                print(_line(found[-1]), flush=True)
        except ImportError as error:
            missing.append(f"{title}: {error.name} is not installed")
        except Missing as error:
            missing.append(f"{title}: {error}")
    for reason in missing:
        print(f"not timed on {reason}")
    widths = []
    if not args.no_widths and importlib.util.find_spec("torch") is not None:
        with contextlib.suppress(Missing):  # said above
            widths.append(_widths(told, args.threads))
    if not found:
        print("Nothing could be timed: install torch, onnxruntime or openvino.", file=sys.stderr)
        return 1
    record = {
        "format": FORMAT,
        "version": VERSION,
        "run": told["run"],
        "weights_sha256": told["weights_sha256"],
        "machine": {"cpu": _processor(), "system": platform.platform(), "python": platform.python_version(),
                    "torch": _version("torch")},
        "at": datetime.now(UTC).isoformat(),
        "comparisons": found,
        "widths": [one for one in widths if one is not None],
    }  # fmt: skip
    args.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    print(f"written to {args.out}")
    return 0


class Missing(Exception):
    """What an engine needs is not in this bundle."""


def _eager(batch: int, threads: int) -> Makers:
    import torch

    torch.set_num_threads(threads)
    loading = _module("load.py")
    try:
        config = loading.read_config()
        loading.build(config["architecture"])
    except loading.BundleError as error:
        raise Missing(str(error)) from error
    args, kwargs = loading.example(config, batch)

    def maker(make: Callable[[], Any]) -> Callable[[], Call]:
        def fresh() -> Call:
            model = make().float().eval()

            def call() -> object:
                with torch.inference_mode():
                    return model(*args, **kwargs)

            return call

        return fresh

    return maker(lambda: loading.build(config["architecture"])), maker(loading.load)


def _onnx_runtime(batch: int, threads: int) -> Makers:
    import onnxruntime

    onnxruntime.set_default_logger_severity(3)

    def maker(name: str) -> Callable[[], Call]:
        path = _file(name)

        def fresh() -> Call:
            options = onnxruntime.SessionOptions()
            options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
            session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
            given = {each.name: _array(each.shape, each.type, batch) for each in session.get_inputs()}
            return lambda: session.run(None, given)

        return fresh

    return maker("dense.onnx"), maker("model.onnx")


def _openvino(batch: int, threads: int) -> Makers:
    import openvino

    core = openvino.Core()

    def maker(name: str) -> Callable[[], Call]:
        path = _file(name)

        def fresh() -> Call:
            settings = {
                "INFERENCE_NUM_THREADS": threads,
                "PERFORMANCE_HINT": "LATENCY",
                "INFERENCE_PRECISION_HINT": "f32",
            }
            request = core.compile_model(core.read_model(path), "CPU", settings).create_infer_request()
            given = [
                _array([None if size.is_dynamic else size.get_length() for size in each.get_partial_shape()],
                       each.get_element_type().get_type_name(), batch)
                for each in request.model_inputs
            ]  # fmt: skip
            return lambda: request.infer(given)

        return fresh

    return maker("dense.onnx"), maker("model.onnx")


ENGINES: dict[str, Callable[[int, int], Makers]] = {
    "PyTorch eager": _eager,
    "ONNX Runtime": _onnx_runtime,
    "OpenVINO": _openvino,
}
"""Each gives what makes copies of the two networks, for a batch size and a number of threads."""


def _compared(makers: Makers, title: str, batch: int, asked: argparse.Namespace, noise: ModuleType) -> dict[str, Any]:
    """Both in turn, and the unpruned one once more against itself."""
    dense, pruned = makers
    for attempt in range(TRIES):
        times: list[list[float]] = [[], [], []]
        logs, same = [], []
        for block in range(noise.BLOCKS):
            order = ORDERS[block % len(ORDERS)]
            made = {side: (dense, pruned, dense)[side]() for side in order}  # where they lie in memory changes
            taken = list(_turns([made[side] for side in range(3)], asked.seconds / noise.BLOCKS))
            for own, more in zip(times, zip(*taken, strict=True), strict=True):
                own += more
            logs.append(statistics.median(math.log(math.sqrt(a * b) / small) for a, small, b in taken))
            same.append(statistics.median(math.log(a / b) for a, _, b in taken))
        speedup, found = noise.against_itself(logs, same)
        if found.is_quiet or attempt == TRIES - 1:
            return {
                "batch": batch,
                "dense": _timing(times[0] + times[2]),
                "pruned": _timing(times[1]),
                "speedup": list(speedup),
                "pairs": len(times[1]),
                "threads": asked.threads,
                "engine": f"{title}, float32, CPU",
                "quiet": found.is_quiet,
                "same": list(found.same),
                "spread": found.spread,
                "at": datetime.now(UTC).isoformat(),
            }
    raise AssertionError("it returns at the last attempt")


def _turns(calls: Sequence[Call], seconds: float) -> Iterator[tuple[float, ...]]:
    until = time.perf_counter() + seconds
    repeats = [_warm_up(call, seconds / 8) for call in calls]
    for number in range(MOST_TRIPLES):
        if number >= LEAST_TRIPLES and time.perf_counter() >= until:
            return
        taken = [0.0] * len(calls)
        for side in ORDERS[number % len(ORDERS)]:
            taken[side] = _time(calls[side], repeats[side])
        yield tuple(taken)


def _warm_up(call: Call, seconds: float) -> int:
    """How many calls take about 2 ms, after a while."""
    until = time.perf_counter() + seconds
    once = _time(call, 1)
    while time.perf_counter() < until:
        once = min(once, _time(call, 1))
    return max(1, round(0.002 / max(once, 1e-6)))


def _time(call: Call, repeats: int) -> float:
    started = time.perf_counter()
    for _ in range(repeats):
        call()
    return (time.perf_counter() - started) / repeats


def _timing(seconds: list[float]) -> dict[str, float]:
    """Median in milliseconds and its 95 % interval, from order statistics."""
    ordered = sorted(1000 * value for value in seconds)
    count, reach = len(ordered), 1.96 * math.sqrt(len(ordered)) / 2
    low = ordered[max(0, int(count / 2 - reach) - 1)]
    high = ordered[min(count - 1, int(count / 2 + reach) + 1)]
    return {"median": statistics.median(ordered), "low": low, "high": high}


def _line(found: dict[str, Any]) -> str:
    low, middle, high = found["speedup"]
    where = f"{found['engine']}, batch {found['batch']}, threads {found['threads']}"
    if not found["quiet"]:
        return f"{where}: too noisy to measure; end what else computes here, and try again"
    said = f"{middle:.2f} times as fast ({low:.2f} to {high:.2f})"
    if low <= 1 <= high:
        said = f"no measurable difference ({low:.2f} to {high:.2f})"
    return f"{where}: {found['dense']['median']:.3f} → {found['pruned']['median']:.3f} ms, {said}"


def _widths(told: dict[str, Any], threads: int) -> dict[str, Any] | None:
    """Seconds of the calls of each kind of layer at each of its widths, in PyTorch; None where none is listed."""
    import torch

    kinds = told["layers"]
    if not kinds:
        return None
    torch.set_num_threads(threads)
    taken = []
    with torch.inference_mode():
        whole = [_whole(told["batch"], threads)]
        for number, kind in enumerate(kinds):
            taken.append(_layer(kind))
            if (number + 1) % math.ceil(len(kinds) / 4) == 0:
                whole.append(_whole(told["batch"], threads))
            print(f"\rlayers at their widths: {number + 1} of {len(kinds)}", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    return {"batch": told["batch"], "threads": threads, "key": told["layers_key"], "taken": taken,
            "dense_ms": [pair[0] for pair in whole], "pruned_ms": [pair[1] for pair in whole]}  # fmt: skip


def _whole(batch: int, threads: int) -> tuple[float, float]:
    """Milliseconds of the unpruned and the pruned network, in turn."""
    calls = [make() for make in _eager(batch, threads)]
    times: list[list[float]] = [[], []]
    repeats = [_warm_up(call, 0.1) for call in calls]
    until = time.perf_counter() + 0.6
    while len(times[0]) < 5 or time.perf_counter() < until:
        for own, call, many in zip(times, calls, repeats, strict=True):
            own.append(_time(call, many))
    dense, pruned = (1000 * statistics.quantiles(own, n=4)[0] for own in times)
    return dense, pruned


def _layer(kind: dict[str, Any]) -> list[list[float]]:
    """Of each width in `kind["points"]` the seconds of one call, in each round."""
    calls = [_bench(kind, rows, columns) for rows, columns in kind["points"]]
    repeats = []
    for call in calls:  # the first call of a shape prepares it
        _time(call, 1)
        repeats.append(max(1, min(100, round(BURST_SECONDS / max(_time(call, 1), 1e-7)))))
    taken: list[list[float]] = [[] for _ in calls]
    generator = random.Random(0)
    for _ in range(ROUNDS):
        for place in generator.sample(range(len(calls)), len(calls)):
            taken[place].append(_time(calls[place], repeats[place]))
    return taken


def _bench(kind: dict[str, Any], rows: int, columns: int) -> Call:
    """A call of a layer with so many rows and columns of its weight: as in Pruning Explorer's own profile."""
    import torch

    weight = (rows, columns, *kind["weight"][2:])
    groups = kind["groups"] * rows // kind["weight"][0] if kind["whole"] else kind["groups"]
    if kind["whole"]:
        reads = kind["source"][kind["channel"]] * rows // kind["weight"][0]
    else:
        reads = rows if kind["transposed"] else columns * groups
    source = [reads if dim == kind["channel"] else size for dim, size in enumerate(kind["source"])]
    makes = columns * groups if kind["transposed"] else rows
    given: dict[str, Any] = {name: value for name, value in kind["others"]}
    if "groups" in given:
        given["groups"] = groups
    given["input"] = torch.randn(source)
    given["weight"] = torch.randn(weight) * 0.01
    given["bias"] = torch.zeros(makes) if kind["bias"] else None
    namespace, name, overload = kind["target"].split(".")
    target = getattr(getattr(getattr(torch.ops, namespace), name), overload)
    return lambda: target(**given)


def _array(shape: Sequence[Any], kind: str, batch: int) -> Any:
    import numpy

    sizes = [size if isinstance(size, int) and size > 0 else batch for size in shape]
    if "float" in kind or kind == "f32":
        return numpy.random.default_rng(0).standard_normal(sizes, dtype=numpy.float32)
    return numpy.zeros(sizes, dtype={"tensor(int64)": numpy.int64, "i64": numpy.int64}.get(kind, numpy.int32))


def _file(name: str) -> str:
    if not (HERE / name).is_file():
        raise Missing(f"this bundle has no {name}")
    return str(HERE / name)


def _module(file: str) -> ModuleType:
    """A file of the bundle as a module."""
    path = HERE / file
    if not path.is_file():
        raise Missing(f"this bundle has no {file}")
    spec = importlib.util.spec_from_file_location(f"_bundle_bench_{path.stem}", path)
    assert spec is not None and spec.loader is not None, path
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def _processor() -> str:
    with contextlib.suppress(OSError):  # not Linux
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name" and value.strip():
                return " ".join(value.split())[:80]
    return platform.processor() or platform.machine() or "unknown processor"


def _version(package: str) -> str:
    with contextlib.suppress(ImportError):
        return str(importlib.import_module(package).__version__)
    return ""


if __name__ == "__main__":
    sys.exit(main())

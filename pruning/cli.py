"""The command line: `python -m pruning COMMAND`. The same core as the app; JSON on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import contextlib
import json
import operator
import platform
import re
import signal
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pruning.errors import Cancelled, InputError, PruningError, RemovalError, RequirementError

if TYPE_CHECKING:  # the engine is imported where it is used: importing torch takes seconds, --help should not
    from pruning.recipe import Recipe

EXIT_OK, EXIT_ERROR, EXIT_CANCELLED = 0, 1, 130
COMPARISONS = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}


MODEL_FORMS = (
    "sample:NAME, run:DIR, torchvision:NAME, timm:NAME or file:PATH.py:FACTORY; the last three with ?size=PIXELS, "
    "?weights=default or ?weights=FILE (else random weights)"
)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, 1 for an error of the user's, 130 when cancelled."""
    parser = build_parser()
    try:
        args = parser.parse_args(arguments)
    except SystemExit as ended:
        return EXIT_OK if not ended.code else EXIT_ERROR
    stop = _Stop()
    try:
        status: int = args.command(args, stop)
        return status
    except (Cancelled, KeyboardInterrupt) as error:
        _say(str(error) or "Cancelled.")
        return EXIT_CANCELLED
    except PruningError as error:
        _say(f"Error: {error}")
        return EXIT_ERROR
    except BrokenPipeError:
        return EXIT_ERROR
    except OSError as error:
        _say(f"Error: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}.")
        return EXIT_ERROR


class _Stop:
    """True once the user asked to stop (Ctrl-C, or a polite kill); training and timing look at it often."""

    def __init__(self) -> None:
        self.asked = False
        for kind in (signal.SIGINT, signal.SIGTERM):
            with contextlib.suppress(ValueError):  # not in the main thread, as in tests
                signal.signal(kind, self._note)

    def _note(self, *_: object) -> None:
        if self.asked:
            raise KeyboardInterrupt  # asked twice: at once
        self.asked = True

    def __call__(self) -> bool:
        return self.asked


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        _say(f"Error: {message}. See '{self.prog} --help'.")
        raise SystemExit(EXIT_ERROR)


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = _Parser(
        prog="pruning", description="Prune trained networks, exactly, and measure what it costs and saves."
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, function: Any, text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=function)
        sub.add_argument("--json", action="store_true", help="one JSON object on stdout")
        return sub

    def with_data(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--data", help="data set: mnist5k, mnist or cifar10 (default: the model's own)")
        sub.add_argument("--data-dir", help="folder or zip that holds its images (else PRUNING_DATA)")

    sub = command("inspect", _inspect, "Show a model: layers, channel groups, sizes, weights near zero.")
    sub.add_argument("model", help=MODEL_FORMS)

    sub = command("evaluate", _evaluate, "Measure the accuracy of a model.")
    sub.add_argument("model", help="sample:NAME or run:DIR")
    with_data(sub)
    sub.add_argument("--role", choices=("train", "select", "test"), default="select", help="which images (select)")

    sub = command("verify", _verify, "Remove channels and prove the smaller model equal to the masked one.")
    sub.add_argument("model", help=MODEL_FORMS)
    sub.add_argument("--sparsity", type=float, required=True, help="fraction removed in each group")
    sub.add_argument("--round-to", type=int, default=None, metavar="K", help="keep a multiple of K channels in a layer")
    sub.add_argument("--criterion", default="l2", help="l1, l2, random or largest (l2)")
    sub.add_argument("--seed", type=int, default=0)

    sub = command("prune", _prune, "Prune, fine-tune and measure; keeps a run folder.")
    sub.add_argument("model", nargs="?", help="sample:NAME or run:DIR (or --recipe)")
    with_data(sub)
    sub.add_argument("--recipe", type=Path, help="a recipe.yaml instead of the options below")
    sub.add_argument("--granularity", default=None, help="channel: remove units; weight: zero weights (channel)")
    sub.add_argument("--criterion", default=None, help="l1, l2, random or largest (l2)")
    sub.add_argument("--sparsity", type=float, default=None, help="fraction removed in each layer or group (0.5)")
    sub.add_argument("--layer", action="append", default=None, metavar="NAME=S", help="a layer's own sparsity")
    sub.add_argument("--schedule", default=None, help="oneshot or iterative (oneshot)")
    sub.add_argument("--steps", type=int, default=None, help="prune-fine-tune rounds of the iterative schedule (4)")
    sub.add_argument("--finetune-epochs", type=float, default=None, help="passes over the train images, all rounds (0)")
    sub.add_argument("--finetune-seconds", type=float, default=None, help="instead of epochs; turned into steps")
    sub.add_argument("--lr", type=float, default=None, help="highest learning rate (the data set's default)")
    sub.add_argument("--seed", type=int, default=None)
    sub.add_argument("--out", type=Path, help="the run's folder (default: a new one in runs/)")
    sub.add_argument(
        "--require", action="append", default=[], metavar="'accuracy>=0.97'",
        help="fail (exit 1) unless the result meets this; any figure of the JSON by its path, such as "
        "pruned.params<=100000, difference.accuracy>=-0.01, speedup.1.0>1.5; 'accuracy' is pruned.accuracy",
    )  # fmt: skip

    sub = command("doctor", _doctor, "Say what this installation has, and what is missing.")
    sub.add_argument("--data-dir", help="folder or zip with images to look for")

    sub = command("worker", _worker, "Carry out the run in a folder (used by the app).")
    sub.add_argument("run_dir", type=Path)
    return parser


def _inspect(args: argparse.Namespace, stop: _Stop) -> int:
    from pruning.commands.inspect import inspect

    with _only_ours():
        result, lines = inspect(args.model)
    return _print(args, result, lines)


def _evaluate(args: argparse.Namespace, stop: _Stop) -> int:
    from pruning.catalog.datasets import load_dataset
    from pruning.catalog.models import open_model
    from pruning.evaluate import evaluate
    from pruning.pipeline import check_fits

    _check_has_images(args.model)
    opened = open_model(args.model)
    data = load_dataset(args.data or opened.data[0], args.data_dir)
    check_fits(opened, data)
    measured = evaluate(opened.model, data, args.role, cancel=stop)
    result = {
        "schema_version": 1,
        "model": args.model,
        "data": data.info.name,
        "role": measured.role,
        "accuracy": measured.accuracy,
        "accuracy_interval": list(measured.interval),
        "correct": measured.correct,
        "images": measured.images,
        "loss": measured.loss,
    }
    low, high = measured.interval
    line = (
        f"{opened.title}: {measured.accuracy:.2%} ({low:.2%} to {high:.2%}) of {measured.images:,} "
        f"{measured.role} images of {data.info.name}, measured"
    )
    return _print(args, result, [line])


def _verify(args: argparse.Namespace, stop: _Stop) -> int:
    from pruning.commands.verify import verify

    with _only_ours():
        result, lines = verify(
            args.model, sparsity=args.sparsity, round_to=args.round_to, criterion=args.criterion, seed=args.seed
        )
    _print(args, result, lines)
    if result["check"]["status"] == "refused":
        raise RemovalError(f"Nothing was removed: {result['check']['reason']}")
    return EXIT_OK


def _prune(args: argparse.Namespace, stop: _Stop) -> int:
    from pruning.pipeline import check_recipe
    from pruning.runs import create_run, execute

    requirements = [_parse_requirement(text) for text in args.require]
    recipe = _recipe(args)
    _check_has_images(recipe.model)
    check_recipe(recipe)
    folder = create_run(recipe, data_dir=_absolute(args.data_dir), path=args.out)
    _say(f"Run folder: {folder}")
    result = execute(folder, progress=_progress, cancel=stop)
    result = {**result, "run": str(folder)}
    _print(args, result, _summary(result))
    unmet = [text for text, path, sign, wanted in requirements if not _holds(result, path, sign, wanted)]
    if unmet:
        raise RequirementError(f"The run is done, but does not meet: {'; '.join(unmet)}.")
    return EXIT_OK


def _recipe(args: argparse.Namespace) -> Recipe:
    """The recipe that the options describe, its fine-tuning in steps."""
    from pruning.catalog.datasets import dataset_info
    from pruning.catalog.models import open_model
    from pruning.finetune import choose_precision, default_hyperparameters
    from pruning.pipeline import steps_for_seconds
    from pruning.recipe import SCHEDULES, Recipe

    if args.recipe is not None:
        given = [name for name in ("granularity", "criterion", "sparsity", "layer", "schedule", "steps",
                                   "finetune_epochs", "finetune_seconds", "lr", "data", "model")
                 if getattr(args, name) is not None]  # fmt: skip
        if given:
            raise InputError(
                f"--recipe already says everything: leave out {', '.join(given)}, or change the recipe's text."
            )
        recipe = Recipe.from_file(args.recipe)
        return recipe if args.seed is None else replace(recipe, seed=args.seed)
    if args.model is None:
        raise InputError("Say which model to prune, such as sample:lenet5, or give --recipe FILE.")
    if args.finetune_epochs is not None and args.finetune_seconds is not None:
        raise InputError("Give --finetune-epochs or --finetune-seconds, not both.")
    _check_has_images(args.model)
    opened = open_model(args.model)
    info = dataset_info(args.data or opened.data[0])
    hyper = default_hyperparameters(info)
    if args.lr is not None:
        hyper["lr"] = args.lr
    schedule = args.schedule or "oneshot"
    if schedule not in SCHEDULES:
        raise InputError(f"--schedule is one of {', '.join(SCHEDULES)}, not '{schedule}'.")
    if schedule == "oneshot" and args.steps not in (None, 1):
        raise InputError("--steps is the number of rounds of --schedule iterative; a oneshot schedule has one.")
    for name in ("finetune_epochs", "finetune_seconds"):
        value = getattr(args, name)
        if value is not None and not 0 <= value < 1e6:
            raise InputError(f"--{name.replace('_', '-')} must be 0 or more, not {value:g}.")
    epochs = args.finetune_epochs or 0
    recipe = Recipe(
        model=_absolute_ref(args.model),
        data=info.name,
        granularity=args.granularity or "channel",
        criterion=args.criterion or "l2",
        sparsity=0.5 if args.sparsity is None else args.sparsity,
        layers=_layers(args.layer or []),
        schedule=schedule,
        iterations=(args.steps or 4) if schedule == "iterative" else 1,
        finetune_steps=round(epochs * (info.sizes["train"] // int(hyper["batch_size"]))),
        batch_size=int(hyper["batch_size"]),
        lr=float(hyper["lr"]),
        shift=int(hyper["shift"]),
        precision=choose_precision(opened.model),
        seed=args.seed or 0,
    )
    if args.finetune_seconds:
        steps = steps_for_seconds(recipe, args.finetune_seconds, args.data_dir)
        _say(f"{args.finetune_seconds:g} s of fine-tuning are {steps} steps on this machine")
        recipe = replace(recipe, finetune_steps=steps)
    return recipe


def _layers(given: list[str]) -> dict[str, float]:
    layers: dict[str, float] = {}
    for text in given:
        name, equals, value = text.rpartition("=")
        try:
            number = float(value)
        except ValueError:
            equals = ""
            number = 0.0
        if not equals or not name:
            raise InputError(f"--layer takes NAME=SPARSITY, such as conv1=0.3, not '{text}'.")
        if layers.get(name, number) != number:
            raise InputError(f"--layer {name} is given twice, with {layers[name]:g} and {number:g}.")
        layers[name] = number
    return layers


def _parse_requirement(text: str) -> tuple[str, str, str, float]:
    match = re.fullmatch(r"\s*([A-Za-z_][\w.]*)\s*(>=|<=|>|<)\s*(-?[\d.]+(?:[eE]-?\d+)?)\s*", text)
    try:
        if match is None:
            raise ValueError
        return text, match[1], match[2], float(match[3])
    except ValueError:
        raise InputError(
            f"--require takes a figure, a comparison and a number, such as 'accuracy>=0.97', not '{text}'."
        ) from None


def _holds(result: dict[str, Any], path: str, comparison: str, wanted: float) -> bool:
    value: Any = result
    for key in ("pruned.accuracy" if path == "accuracy" else path).split("."):
        try:
            value = value[int(key)] if isinstance(value, list | tuple) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            raise InputError(f"--require names '{path}', which the result does not have.") from None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(f"--require names '{path}', which is not a number.")
    return bool(COMPARISONS[comparison](value, wanted))


def _doctor(args: argparse.Namespace, stop: _Stop) -> int:
    import torch

    from pruning.catalog.datasets import DATASETS
    from pruning.catalog.sources import cache_dir, is_available
    from pruning.runs import default_runs_dir
    from sample_models import SAMPLES

    versions: dict[str, str | None] = {}
    for package in ("torch", "torchvision", "streamlit", "plotly", "pandas", "mlxtend", "safetensors"):
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            versions[package] = None
    result: dict[str, Any] = {
        "schema_version": 1,
        "python": platform.python_version(),
        "versions": versions,
        "threads": torch.get_num_threads(),
        "cpu": torch.backends.cpu.get_cpu_capability(),
        "bf16": torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported(),
        "samples": {name: sample.weights_path.is_file() for name, sample in SAMPLES.items()},
        "data": {name: is_available(name, args.data_dir) for name in DATASETS},
        "cache": str(cache_dir()),
        "runs": str(default_runs_dir()),
    }
    lines = [
        f"Python {result['python']}, {result['threads']} threads, {result['cpu']}"
        f"{', bf16 in hardware' if result['bf16'] else ''}",
        *(f"{name} {version or 'is missing'}" for name, version in versions.items()),
        *(f"sample:{name} {'is here' if here else 'has no weights'}" for name, here in result["samples"].items()),
        *(
            f"images of {name} {'are here' if here else 'are absent: make data, --data-dir or PRUNING_DATA'}"
            for name, here in result["data"].items()
        ),
        f"runs are kept in {result['runs']}, the cache is {result['cache']}",
    ]
    _print(args, result, lines)
    needed = ("torch", "torchvision", "plotly", "pandas", "mlxtend", "safetensors")
    missing = [name for name in needed if versions[name] is None]
    missing += [f"weights of sample:{name}" for name, here in result["samples"].items() if not here]
    if missing:
        raise RequirementError(f"The installation lacks {', '.join(missing)}: run 'make venv'.")
    return EXIT_OK


def _worker(args: argparse.Namespace, stop: _Stop) -> int:
    from pruning.runs import execute

    execute(args.run_dir, cancel=stop)
    return EXIT_OK


def _check_has_images(ref: str) -> None:
    """Only sample networks and runs know the images they can be measured on."""
    if ref.partition(":")[0] in ("torchvision", "timm", "file"):
        raise InputError(
            f"'{ref}' comes without images to measure it on: evaluate and prune take sample:NAME or run:DIR; inspect "
            "and verify take this one."
        )


def _absolute(path: str | None) -> str | None:
    return None if path is None else str(Path(path).expanduser().resolve())


def _absolute_ref(ref: str) -> str:
    return f"run:{_absolute(ref[4:])}" if ref.startswith("run:") else ref


def _progress(event: dict[str, Any]) -> None:
    stage = event["stage"]
    if stage == "finetune":
        if event.get("accuracy") is not None:
            _say(
                f"fine-tuning {event['step']}/{event['steps']}: loss {event['loss']:.3f}, "
                f"{event['accuracy']:.2%} on select images, {event['seconds']:.0f} s"
            )
    elif "accuracy" in event:
        stage = {"as_cut": "as cut", "finetuned": "fine-tuned"}.get(stage, stage)
        _say(f"{stage}: {event['accuracy']:.2%} on select images")
    elif event.get("text") and stage not in ("failed", "cancelled"):  # those are said at the end
        _say(event["text"])


def _summary(result: dict[str, Any]) -> list[str]:
    dense, pruned, difference = result["dense"], result["pruned"], result["difference"]
    low, high = (100 * end for end in difference["interval"])
    lines = [
        f"accuracy on {pruned['role']} images: {dense['accuracy']:.2%} → {pruned['accuracy']:.2%}, "
        f"{100 * difference['accuracy']:+.2f} points ({low:+.2f} to {high:+.2f}); "
        f"{difference['newly_wrong']} newly wrong, {difference['newly_right']} newly right",
        f"removal: {result['check']['status']}",
    ]
    for name, unit in (("params", "parameters"), ("nonzero", "non-zero parameters"), ("macs", "MACs")):
        ratio = dense[name] / max(1, pruned[name])
        lines.append(f"{unit}: {dense[name]:,} → {pruned[name]:,} (÷{ratio:.2f})")
    lines += [f"time, batch {batch}: {text}" for batch, text in result["verdict"].items()]
    lines += [f"{row['name']}: {row['note']}" for row in result["layers"] if row["note"]]
    return [*lines, f"run: {result['run']}"]


def _print(args: argparse.Namespace, result: dict[str, Any], lines: list[str]) -> int:
    print(json.dumps(result) if args.json else "\n".join(lines), flush=True)
    return EXIT_OK


@contextlib.contextmanager
def _only_ours() -> Iterator[None]:
    """What a model prints while it runs goes to stderr: stdout is for the result."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)

"""The table of commands: what each is called, what it takes, and what carries it out.

A new command is a file beside this one and a row here. Files of commands are imported when one is carried out:
importing torch takes seconds, `--help` and a refusal should not.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pruning.runs  # noqa: F401 - adds run: to the openers
from pruning.base.errors import InputError, NoisyError, RemovalError, RequirementError
from pruning.catalog.openers import OPENERS, forms
from pruning.cli.arguments import number, path, students, whole
from pruning.cli.images import add_image_options, asked_of
from pruning.cli.output import emit, field
from pruning.cli.requirements import parse_requirement
from pruning.cli.runs import add_runs_options, carry_out
from pruning.cli.spec import SPEC_FIELDS, add_spec_options, spec_of
from pruning.cli.training import add_training_options
from pruning.export.table import EXPORTS
from pruning.latency.engines.names import ENGINE_NAMES
from pruning.repair.kinds import REPAIRS
from pruning.spec import CONTEST, RUN, PruneSpec

Stop = Callable[[], bool]
"""Becomes true once the user asked to stop."""


@dataclass(frozen=True, kw_only=True)
class Command:
    """One command."""

    name: str
    explanation: str
    """One sentence."""
    options: Callable[[argparse.ArgumentParser], None]
    """Adds what it takes, beside --json."""
    run: Callable[[argparse.Namespace, Stop], None]
    """Carries it out and writes what came of it. Raises PruningError."""


def _with_model(sub: argparse.ArgumentParser, *, images: bool = False, **more: Any) -> None:
    """The network to work on. `images`: it is measured, so that it has to know images or be told which."""
    options = "those of a library or file with ?size=PIXELS, ?classes=N (else as many as the weights have), "
    options += "?weights=default or ?weights=FILE, joined by & (without weights= they are random); where a FILE has "
    options += "several sets of weights, such as an averaged copy, &key=NAME takes another than its main one"
    words = f"{forms()}; {options}"
    if images:
        words = f"{' or '.join(row.form for row in OPENERS.values() if row.brings_data)}, or another with --data"
    sub.add_argument("model", help=words + more.pop("otherwise", ""), **more)


def _with_expected(sub: argparse.ArgumentParser) -> None:
    sub.add_argument(
        "--expect", action="append", default=[], metavar="'accuracy>=0.9'",
        help="stop (exit 1) before anything else unless the unpruned network meets this on select images",
    )  # fmt: skip


def _inspect_options(sub: argparse.ArgumentParser) -> None:
    _with_model(sub)


def _inspect(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.inspect import inspect

    result, lines = inspect(args.model)
    emit(result, lines, as_json=args.json)


def _verify_options(sub: argparse.ArgumentParser) -> None:
    _with_model(sub)
    sub.add_argument("--sparsity", type=number, required=True, metavar="S", help="fraction removed in each group")
    add_spec_options(
        sub,
        PruneSpec(),
        *("round_to", "head_rounding", "criterion", "parameters", "seed"),
        granularity="channel",
        images=False,
    )


def _verify(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.verify import verify

    result, lines = verify(args.model, spec_of(args, PruneSpec()))
    emit(result, lines, as_json=args.json)
    if result["check"]["status"] != "exact":
        reason = result["check"]["reason"].rstrip(".")
        raise RemovalError(f"{reason[0].upper()}{reason[1:]}.")


def _evaluate_options(sub: argparse.ArgumentParser) -> None:
    _with_model(sub, images=True)
    add_image_options(sub)
    sub.add_argument("--role", choices=("train", "select", "test"), default="select", help="which images (select)")
    _with_expected(sub)


def _evaluate(args: argparse.Namespace, stop: Stop) -> None:
    asked, expected = asked_of(args), [parse_requirement(text, "--expect") for text in args.expect]
    from pruning.cli.evaluate import evaluate

    result, lines = evaluate(args.model, asked, role=args.role, expected=expected, cancel=stop)
    emit(result, lines, as_json=args.json)


def _prune_options(sub: argparse.ArgumentParser) -> None:
    _with_model(sub, images=True, nargs="?", otherwise=" (or --recipe)")
    add_image_options(sub)
    sub.add_argument("--recipe", type=path, metavar="FILE", help="a recipe.yaml instead of the options below")
    add_spec_options(sub, RUN, *SPEC_FIELDS)
    sub.add_argument("--schedule", help="oneshot or iterative (oneshot)")
    sub.add_argument("--steps", type=whole, metavar="N", help="prune-fine-tune rounds of the iterative schedule (4)")
    sub.add_argument(
        "--repair", choices=REPAIRS, help="how accuracy is won back after each cut, before any training (refit)"
    )
    sub.add_argument("--finetune-epochs", type=number, metavar="E", help="passes over the train images, all rounds (0)")
    sub.add_argument("--finetune-seconds", type=number, metavar="T", help="instead of epochs; turned into steps")
    add_training_options(sub)
    _with_expected(sub)
    sub.add_argument("--out", type=path, metavar="DIR", help="the run's folder (default: a new one in runs/)")
    sub.add_argument(
        "--no-times", action="store_true", help="leave the times out: `times RUN` measures them when you like"
    )
    sub.add_argument(
        "--require", action="append", default=[], metavar="'accuracy>=0.97'",
        help="fail (exit 1) unless the result meets this; any figure of the JSON by its path, such as "
        "pruned.params<=100000, difference.accuracy>=-0.01, speedup.1.0>1.5; a metric alone (accuracy, top5, "
        "mean_per_class, agreement, kl_divergence) is the pruned network's; worst_class_drop: of any class",
    )  # fmt: skip


def _prune(args: argparse.Namespace, stop: Stop) -> None:
    required = [parse_requirement(text) for text in args.require]
    expected = [parse_requirement(text, "--expect") for text in args.expect]
    asked, spec = asked_of(args), spec_of(args, RUN)
    from pruning.cli.prune import prune

    result, lines, unmet, noisy = prune(args, spec, asked, stop, required=required, expected=expected)
    emit(result, lines, as_json=args.json)
    if unmet:
        raise RequirementError(f"The run is done, but does not meet: {'; '.join(unmet)}.")
    if noisy:
        raise NoisyError(
            f"The run is done, but the machine was too noisy to measure {'; '.join(noisy)}: end what else computes on "
            "it, and measure again by 'times'."
        )


def _resume_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run", metavar="RUN", help="the run's id, its folder, or run: with either")


def _resume(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.prune import resume

    result, lines = resume(args.run, stop)
    emit(result, lines, as_json=args.json)


def _sensitivity_options(sub: argparse.ArgumentParser) -> None:
    _with_model(sub, images=True)
    add_image_options(sub)
    add_spec_options(sub, PruneSpec(), "granularity", "criterion", "parameters", "seed")
    sub.add_argument("--images", type=whole, default=2000, metavar="N", help="select images to measure on (2000)")
    sub.add_argument("--lose", type=number, default=1.0, metavar="P", help="points that each may lose alone (1)")
    sub.add_argument("--repaired", action="store_true", help="also repair each cut without training; takes far longer")
    sub.add_argument("--tighten", type=number, metavar="P", help="find the limits with which all lose P points at most")


def _sensitivity(args: argparse.Namespace, stop: Stop) -> None:
    asked, spec = asked_of(args), spec_of(args, PruneSpec())
    from pruning.cli.sensitivity import sensitivity

    result, lines = sensitivity(args, spec, asked, stop)
    emit(result, lines, as_json=args.json)


def _contest_options(sub: argparse.ArgumentParser) -> None:
    _with_model(sub, images=True)
    add_image_options(sub)
    add_spec_options(sub, CONTEST, *(name for name in SPEC_FIELDS if name != "seed"))
    add_training_options(sub, lr="0.05", batch_size="64")
    _with_expected(sub)
    sub.add_argument("--rounds", type=whole, default=4, metavar="N", help="of the iterative side (4)")
    sub.add_argument("--steps", type=whole, default=240, metavar="N", help="optimiser steps of each side (240)")
    sub.add_argument("--seeds", default="0,1,2", metavar="N,N,N", help="one pair of lanes each (0,1,2)")


def _contest(args: argparse.Namespace, stop: Stop) -> None:
    expected = [parse_requirement(text, "--expect") for text in args.expect]
    asked, spec = asked_of(args), spec_of(args, CONTEST)
    from pruning.cli.contest import contest

    result, lines = contest(args, spec, asked, stop, expected=expected)
    emit(result, lines, as_json=args.json)


def _latency_options(sub: argparse.ArgumentParser) -> None:
    _with_model(sub)
    sub.add_argument("--batch", type=whole, default=1, metavar="N", help="samples in a forward pass (1)")
    sub.add_argument(
        "--engine",
        default="eager",
        metavar="NAME",
        help=f"{', '.join(n for n in ENGINE_NAMES if n != 'compile')} (eager)",
    )
    sub.add_argument(
        "--import", dest="file", type=path, metavar="FILE",
        help="take in what a bundle's bench.py wrote on another machine; the model is the run (run:RUN)",
    )  # fmt: skip


def _latency(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.abroad import import_times
    from pruning.cli.latency import latency

    if args.file is not None:
        result, lines = import_times(args.model, args.file)
        emit(result, lines, as_json=args.json)
        return
    result, lines = latency(args.model, batch=args.batch, engine=args.engine, cancel=stop, work=args.work)
    emit(result, lines, as_json=args.json)


def _times_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run", metavar="RUN", help="the run's id, its folder, or run: with either")


def _times(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.times import check_quiet, times

    result, lines = times(args, stop)
    emit(result, lines, as_json=args.json)
    if args.work is None:  # else the run's page says so
        check_quiet(result)


def _import_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("bundle", type=path, metavar="BUNDLE", help="a bundle's folder or zip file")
    sub.add_argument(
        "weights", type=path, nargs="?", metavar="WEIGHTS",
        help="weights of its network that were trained on, as safetensors or a state dict: all is measured anew "
        "(default: the bundle itself becomes a run, with the figures that it states)",
    )  # fmt: skip
    sub.add_argument("--dense", metavar="MODEL", help="the unpruned network, where this machine does not know it")
    add_image_options(sub)
    sub.add_argument("--out", type=path, metavar="FOLDER", help="a new or empty folder for the run")
    sub.add_argument("--no-times", action="store_true", help="leave the times out")


def _import(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.bring import Wanted, import_weights, take_bundle
    from pruning.runs.bring_back import Asked

    images = asked_of(args)
    if images.single:
        raise InputError(
            f"{images.single[0]} is not taken here: images are prepared as in the bundle's run, or as a file says "
            "(--preprocess FILE)."
        )
    if args.weights is None:
        if args.dense or images.data or images.data_dir or images.preprocess or args.out:
            raise InputError("Without WEIGHTS nothing is measured: name the weights, or leave the other options out.")
        result, lines = take_bundle(args.bundle)
    else:
        asked = Asked(dense=args.dense, data=images.data, data_dir=images.data_dir, preprocess=images.preprocess)
        wanted = Wanted(out=args.out, times=not args.no_times)
        result, lines = import_weights(args.bundle, args.weights, asked, wanted, stop)
    emit(result, lines, as_json=args.json)


def _engines_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run", metavar="RUN", help="the run's id, its folder, or run: with either")
    sub.add_argument(
        "--engine", action="append", default=[], metavar="NAME",
        help=f"{', '.join(ENGINE_NAMES)}; may be given several times (all that are here)",
    )  # fmt: skip
    sub.add_argument(
        "--batch", action="append", type=whole, default=[], metavar="N",
        help="samples in a forward pass; may be given several times (1 and 32)",
    )  # fmt: skip
    sub.add_argument("--no-int8", action="store_true", help="leave out the pruned network in int8")


def _engines(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.engines import check_quiet, engines

    result, lines = engines(args, stop)
    emit(result, lines, as_json=args.json)
    if args.work is None:  # else the run's page says so
        check_quiet(result)


def _report_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run", metavar="RUN", help="the run's id, its folder, or run: with either")
    sub.add_argument("--out", type=path, metavar="FILE", help="the file (default: report.html in the run's folder)")
    sub.add_argument("--title", default="", metavar="TEXT", help="the report's title (default: the network's)")
    sub.add_argument("--recommendation", default="", metavar="TEXT", help="your advice, in your words")
    sub.add_argument("--photos", action="store_true", help="with pictures of the test images whose answer changed")
    sub.add_argument("--data-dir", metavar="PLACE", help="folder or zip that holds the images (else as in the run)")


def _report(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.report import report

    result, lines = report(args, stop)
    emit(result, lines, as_json=args.json)


def _export_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run", metavar="RUN", help="the run's id, its folder, or run: with either")
    sub.add_argument(
        "format", metavar="FORMAT", nargs="?", default="bundle", help=f"{', '.join(EXPORTS)} (default: bundle)"
    )
    sub.add_argument(
        "--out",
        type=path,
        metavar="PLACE",
        help="the file, or for a bundle a new or empty folder (default: a file named after the run, here)",
    )
    sub.add_argument(
        "--format",
        dest="forms",
        nargs="+",
        metavar="FORM",
        help="of a bundle: only these forms of the network, of weights, pt2, onnx (default: all)",
    )
    sub.add_argument(
        "--with-images",
        type=whole,
        default=0,
        metavar="N",
        help="of a bundle: N of your images go along as samples (default: none)",
    )
    sub.add_argument(
        "--no-code", action="store_true", help="of a bundle: leave out Python files of your own that build the network"
    )
    sub.formatter_class = argparse.RawDescriptionHelpFormatter
    sub.epilog = "formats:\n" + "\n".join(
        line for export in EXPORTS.values() for line in field(f"  {export.name}", export.explanation)
    )


def _export(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.export import export

    result, lines = export(args, stop)
    emit(result, lines, as_json=args.json)


def _runs(args: argparse.Namespace, stop: Stop) -> None:
    carry_out(args)


def _doctor_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--data-dir", metavar="PLACE", help="folder or zip with images to look for")
    sub.add_argument(
        "--students", type=students, metavar="N", help="whether settings and machine will do for so many people at once"
    )


def _doctor(args: argparse.Namespace, stop: Stop) -> None:
    if args.students is not None:
        from pruning.cli.classroom import classroom

        result, lines, to_mend = classroom(args.students)
        emit(result, lines, as_json=args.json)
        if to_mend:
            raise RequirementError(f"To be mended for {args.students} students: {', '.join(to_mend)}.")
        return
    from pruning.cli.doctor import doctor

    result, lines, missing = doctor(args.data_dir)
    emit(result, lines, as_json=args.json)
    if missing:
        raise RequirementError(f"The installation lacks {', '.join(missing)}: run 'make venv'.")


def _clock_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("question", help="what is to be timed, as JSON")


def _clock(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.clock import clock

    result, lines = clock(args.question, stop, args.work)
    emit(result, lines, as_json=args.json)


def _worker_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run_dir", type=path)


def _worker(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.jobs.queue.worker import is_pool
    from pruning.runs import execute
    from pruning.runs.times import follow_with_times

    execute(args.run_dir, cancel=stop, work=args.work)
    if is_pool():
        follow_with_times(args.run_dir)


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command(
            name="inspect",
            explanation="Show a model: layers, channel groups, sizes, weights near zero.",
            options=_inspect_options,
            run=_inspect,
        ),
        Command(
            name="verify",
            explanation="Remove channels and prove the smaller model equal to the masked one.",
            options=_verify_options,
            run=_verify,
        ),
        Command(
            name="evaluate", explanation="Measure the accuracy of a model.", options=_evaluate_options, run=_evaluate
        ),
        Command(
            name="prune",
            explanation="Prune, fine-tune and measure; keeps a run folder.",
            options=_prune_options,
            run=_prune,
        ),
        Command(
            name="resume",
            explanation="Go on with a run that was cancelled or interrupted, from where it was.",
            options=_resume_options,
            run=_resume,
        ),
        Command(
            name="sensitivity",
            explanation="Measure how well each channel group or weight tensor bears pruning.",
            options=_sensitivity_options,
            run=_sensitivity,
        ),
        Command(
            name="contest",
            explanation="Prune at once against in rounds, with equal steps and several seeds.",
            options=_contest_options,
            run=_contest,
        ),
        Command(
            name="latency",
            explanation="Time the layers against their widths on this machine; keeps the times.",
            options=_latency_options,
            run=_latency,
        ),
        Command(
            name="times",
            explanation="Time the networks of a finished run, dense and pruned in turn; the run keeps the last times.",
            options=_times_options,
            run=_times,
        ),
        Command(
            name="engines",
            explanation="Time the networks of a finished run on several engines, and in int8; the run keeps the times.",
            options=_engines_options,
            run=_engines,
        ),
        Command(
            name="report",
            explanation="Write a finished run's report: one HTML file that needs no network.",
            options=_report_options,
            run=_report,
        ),
        Command(
            name="export",
            explanation="Take a finished run away: as a bundle that works without the explorer, or as one file of it.",
            options=_export_options,
            run=_export,
        ),
        Command(
            name="import",
            explanation="Take a bundle in as a run, or bring weights back that were trained on elsewhere.",
            options=_import_options,
            run=_import,
        ),
        Command(
            name="runs",
            explanation="List, name, delete, pack and take in runs.",
            options=add_runs_options,
            run=_runs,
        ),
        Command(
            name="doctor",
            explanation="Say what this installation has, and what is missing.",
            options=_doctor_options,
            run=_doctor,
        ),
        Command(
            name="clock",
            explanation="Time a cut that a page shows (used by the app).",
            options=_clock_options,
            run=_clock,
        ),
        Command(
            name="worker",
            explanation="Carry out the run in a folder (used by the app).",
            options=_worker_options,
            run=_worker,
        ),
    )
}
"""By name."""

"""The command line: `python -m pruning COMMAND`. The same core as the app; JSON on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from pruning.base.errors import Cancelled, InputError, PruningError, RemovalError, RequirementError
from pruning.cli.numbers import number, whole
from pruning.cli.output import emit, field, say
from pruning.cli.spec import SPEC_FIELDS, add_spec_options, spec_of
from pruning.export.table import EXPORTS
from pruning.jobs.attempt import Attempt
from pruning.jobs.work import Work
from pruning.spec import CONTEST, RUN, PruneSpec

EXIT_OK, EXIT_NO, EXIT_ERROR, EXIT_CANCELLED = 0, 1, 2, 130
"""`EXIT_NO`: everything was done, and the answer is no: a requirement is not met, a removal not proven."""

MODEL_FORMS = (
    "sample:NAME, run:DIR, torchvision:NAME, timm:NAME or file:PATH.py:FACTORY; the last three with ?size=PIXELS, "
    "?weights=default or ?weights=FILE, joined by & (without weights= they are random)"
)
Stop = Callable[[], bool]


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, 1 where the answer is no, 2 for an error, 130 when cancelled."""
    try:
        given = sys.argv[1:] if arguments is None else arguments
        if given[:1] == ["--job"]:
            _carry_out_as_job(*given[1:])
        else:
            _carry_out(given)
        return EXIT_OK
    except SystemExit as ended:
        return EXIT_ERROR if ended.code else EXIT_OK
    except (Cancelled, KeyboardInterrupt) as error:
        say(str(error) or "Cancelled.")
        return EXIT_CANCELLED
    except PruningError as error:
        say(f"Error: {error}")
        return EXIT_NO if isinstance(error, RequirementError | RemovalError) else EXIT_ERROR
    except BrokenPipeError:
        return EXIT_ERROR
    except OSError as error:
        say(f"Error: {error.strerror or error}{f' ({error.filename})' if error.filename else ''}.")
        return EXIT_ERROR


def _carry_out(arguments: list[str], work: Work | None = None) -> None:
    """Carry a command out; `work`: where it is an attempt at a job."""
    args = build_parser().parse_args(arguments)
    args.work = work
    args.command(args, _Stop())


def _carry_out_as_job(place: str = "", *arguments: str) -> None:
    """What an executor starts: `--job PLACE COMMAND ...`. The attempt in a folder is noted as begun before the command
    imports anything, and ends with it, whatever becomes of it."""
    with Attempt.at(place).working() as work:
        _carry_out(list(arguments), work)


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
        raise InputError(f"{message}. See '{self.prog} --help'.")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = _Parser(
        prog="python -m pruning" if Path(sys.argv[0]).name == "__main__.py" else "pruning",
        description="Prune trained networks, exactly, and measure what it costs and saves.",
        epilog="Exit status: 0 done; 1 done, and the answer is no (--require is not met, nothing could be removed or "
        "proven); 2 an error, said in a sentence; 130 cancelled.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")

    def command(name: str, function: Callable[[argparse.Namespace, Stop], None], text: str) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(command=function)
        sub.add_argument("--json", action="store_true", help="one JSON object on stdout")
        return sub

    def with_data(sub: argparse.ArgumentParser) -> None:
        sub.add_argument("--data", help="data set: mnist5k, mnist or cifar10 (default: the model's own)")
        sub.add_argument("--data-dir", metavar="PLACE", help="folder or zip that holds its images (else PRUNING_DATA)")

    sub = command("inspect", _inspect, "Show a model: layers, channel groups, sizes, weights near zero.")
    sub.add_argument("model", help=MODEL_FORMS)

    sub = command("verify", _verify, "Remove channels and prove the smaller model equal to the masked one.")
    sub.add_argument("model", help=MODEL_FORMS)
    sub.add_argument("--sparsity", type=number, required=True, metavar="S", help="fraction removed in each group")
    add_spec_options(
        sub, PruneSpec(), "round_to", "criterion", "parameters", "seed", granularity="channel", images=False
    )

    sub = command("evaluate", _evaluate, "Measure the accuracy of a model.")
    sub.add_argument("model", help="sample:NAME or run:DIR")
    with_data(sub)
    sub.add_argument("--role", choices=("train", "select", "test"), default="select", help="which images (select)")

    sub = command("prune", _prune, "Prune, fine-tune and measure; keeps a run folder.")
    sub.add_argument("model", nargs="?", help="sample:NAME or run:DIR (or --recipe)")
    with_data(sub)
    sub.add_argument("--recipe", type=Path, metavar="FILE", help="a recipe.yaml instead of the options below")
    add_spec_options(sub, RUN, *SPEC_FIELDS)
    sub.add_argument("--schedule", help="oneshot or iterative (oneshot)")
    sub.add_argument("--steps", type=whole, metavar="N", help="prune-fine-tune rounds of the iterative schedule (4)")
    sub.add_argument("--finetune-epochs", type=number, metavar="E", help="passes over the train images, all rounds (0)")
    sub.add_argument("--finetune-seconds", type=number, metavar="T", help="instead of epochs; turned into steps")
    sub.add_argument("--lr", type=number, help="highest learning rate (the data set's default)")
    sub.add_argument("--out", type=Path, metavar="DIR", help="the run's folder (default: a new one in runs/)")
    sub.add_argument(
        "--require", action="append", default=[], metavar="'accuracy>=0.97'",
        help="fail (exit 1) unless the result meets this; any figure of the JSON by its path, such as "
        "pruned.params<=100000, difference.accuracy>=-0.01, speedup.1.0>1.5; 'accuracy' is pruned.accuracy",
    )  # fmt: skip

    sub = command("sensitivity", _sensitivity, "Measure how well each channel group or weight tensor bears pruning.")
    sub.add_argument("model", help="sample:NAME or run:DIR")
    with_data(sub)
    add_spec_options(sub, PruneSpec(), "granularity", "criterion", "parameters", "seed")
    sub.add_argument("--images", type=whole, default=2000, metavar="N", help="select images to measure on (2000)")
    sub.add_argument("--lose", type=number, default=1.0, metavar="P", help="points that each may lose alone (1)")

    sub = command("contest", _contest, "Prune at once against in rounds, with equal steps and several seeds.")
    sub.add_argument("model", help="sample:NAME")
    with_data(sub)
    add_spec_options(sub, CONTEST, *(name for name in SPEC_FIELDS if name != "seed"))
    sub.add_argument("--rounds", type=whole, default=4, metavar="N", help="of the iterative side (4)")
    sub.add_argument("--steps", type=whole, default=240, metavar="N", help="optimiser steps of each side (240)")
    sub.add_argument("--seeds", default="0,1,2", metavar="N,N,N", help="one pair of lanes each (0,1,2)")

    sub = command("latency", _latency, "Time the layers against their widths on this machine; keeps the times.")
    sub.add_argument("model", help=MODEL_FORMS)
    sub.add_argument("--batch", type=whole, default=1, metavar="N", help="samples in a forward pass (1)")

    sub = command("report", _report, "Write a finished run's report: one HTML file that needs no network.")
    sub.add_argument("run", metavar="RUN", help="the run's folder, or run:DIR")
    sub.add_argument("--out", type=Path, metavar="FILE", help="the file (default: report.html in the run's folder)")
    sub.add_argument("--title", default="", metavar="TEXT", help="the report's title (default: the network's)")
    sub.add_argument("--recommendation", default="", metavar="TEXT", help="your advice, in your words")
    sub.add_argument("--photos", action="store_true", help="with pictures of the test images whose answer changed")
    sub.add_argument("--data-dir", metavar="PLACE", help="folder or zip that holds the images (else as in the run)")

    sub = command("export", _export, "Write a file from a finished run, such as its recipe, its weights or a table.")
    sub.add_argument("run", metavar="RUN", help="the run's folder, or run:DIR")
    sub.add_argument("format", metavar="FORMAT", help=", ".join(EXPORTS))
    sub.add_argument("--out", type=Path, metavar="FILE", help="the file (default: named after the run, here)")
    sub.formatter_class = argparse.RawDescriptionHelpFormatter
    sub.epilog = "formats:\n" + "\n".join(
        line for export in EXPORTS.values() for line in field(f"  {export.name}", export.explanation)
    )

    sub = command("doctor", _doctor, "Say what this installation has, and what is missing.")
    sub.add_argument("--data-dir", metavar="PLACE", help="folder or zip with images to look for")

    sub = command("worker", _worker, "Carry out the run in a folder (used by the app).")
    sub.add_argument("run_dir", type=Path)
    return parser


# Each command is imported where it is used: importing torch takes seconds, --help should not.


def _inspect(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.inspect import inspect

    result, lines = inspect(args.model)
    emit(result, lines, as_json=args.json)


def _verify(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.verify import verify

    result, lines = verify(args.model, spec_of(args, PruneSpec()))
    emit(result, lines, as_json=args.json)
    if result["check"]["status"] != "exact":
        reason = result["check"]["reason"].rstrip(".")
        raise RemovalError(f"{reason[0].upper()}{reason[1:]}.")


def _evaluate(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.evaluate import evaluate

    result, lines = evaluate(args.model, data=args.data, data_dir=args.data_dir, role=args.role, cancel=stop)
    emit(result, lines, as_json=args.json)


def _prune(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.prune import prune

    result, lines, unmet = prune(args, spec_of(args, RUN), stop)
    emit(result, lines, as_json=args.json)
    if unmet:
        raise RequirementError(f"The run is done, but does not meet: {'; '.join(unmet)}.")


def _sensitivity(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.sensitivity import sensitivity

    result, lines = sensitivity(args, spec_of(args, PruneSpec()), stop)
    emit(result, lines, as_json=args.json)


def _contest(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.contest import contest

    result, lines = contest(args, spec_of(args, CONTEST), stop)
    emit(result, lines, as_json=args.json)


def _latency(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.latency import latency

    result, lines = latency(args.model, batch=args.batch, cancel=stop, work=args.work)
    emit(result, lines, as_json=args.json)


def _report(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.report import report

    result, lines = report(args, stop)
    emit(result, lines, as_json=args.json)


def _export(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.export import export

    result, lines = export(args.run, args.format, args.out)
    emit(result, lines, as_json=args.json)


def _doctor(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.cli.doctor import doctor

    result, lines, missing = doctor(args.data_dir)
    emit(result, lines, as_json=args.json)
    if missing:
        raise RequirementError(f"The installation lacks {', '.join(missing)}: run 'make venv'.")


def _worker(args: argparse.Namespace, stop: Stop) -> None:
    from pruning.runs import execute

    execute(args.run_dir, cancel=stop, work=args.work)

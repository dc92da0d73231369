"""The command line: `python -m pruning COMMAND`. The same core as the app; JSON on stdout, progress on stderr."""

from __future__ import annotations

import argparse
import contextlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from pruning.base.cancel import Cancel
from pruning.base.errors import (
    Cancelled,
    InputError,
    NoisyError,
    PruningError,
    RemovalError,
    RequirementError,
    excerpt,
)
from pruning.base.waiting import wait_asleep
from pruning.catalog.openers import check_reference
from pruning.cli.commands import COMMANDS
from pruning.cli.output import say
from pruning.jobs.attempt import Attempt
from pruning.jobs.work import Work

EXIT_OK, EXIT_NO, EXIT_ERROR, EXIT_CANCELLED = 0, 1, 2, 130
"""`EXIT_NO`: everything was done, and the answer is no: a requirement is not met, a removal not proven, a time
not taken since the machine was too noisy."""


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit status: 0, 1 where the answer is no, 2 for an error, 130 when cancelled."""
    wait_asleep()
    try:
        given = sys.argv[1:] if arguments is None else arguments
        if given[:1] == ["--job"]:
            _carry_out_as_job(*given[1:])
        else:
            carry_out(given)
        return EXIT_OK
    except SystemExit as ended:
        return EXIT_ERROR if ended.code else EXIT_OK
    except (Cancelled, KeyboardInterrupt) as error:
        say(str(error) or "Cancelled.")
        return EXIT_CANCELLED
    except PruningError as error:
        say(_sentence(str(error)))
        return EXIT_NO if isinstance(error, NoisyError | RequirementError | RemovalError) else EXIT_ERROR
    except BrokenPipeError:
        return EXIT_ERROR
    except OSError as error:
        place = f" ({excerpt(str(error.filename), 200)})" if error.filename else ""
        say(_sentence(f"{error.strerror or error}{place}."))
        return EXIT_ERROR


def _sentence(text: str) -> str:
    """An error in one line, whatever names it quotes."""
    return f"Error: {' '.join(text.splitlines())}"


def carry_out(arguments: Sequence[str], work: Work | None = None, stop: Cancel | None = None) -> None:
    """Carry a command out. `work`: where it is an attempt at a job. `stop`: true once it shall end; None: once the user
    asks for that.

    Raises:
        PruningError: whatever the command raises.
    """
    args = build_parser().parse_args(arguments)
    args.work = work
    if getattr(args, "model", None):
        check_reference(args.model)  # refused before torch is imported, where that can be told
    COMMANDS[args.command].run(args, stop or _Stop())


def _carry_out_as_job(place: str = "", *arguments: str) -> None:
    """What another executor than this machine's queue starts: `--job PLACE COMMAND ...`. The attempt in a folder is
    noted as begun before the command imports anything, and ends with it, whatever becomes of it."""
    with Attempt.at(place).working() as work:
        carry_out(arguments, work)


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
        "proven, the machine was too noisy for a time); 2 an error, said in a sentence; 130 cancelled.",
    )
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND", dest="command")
    for command in COMMANDS.values():
        sub = commands.add_parser(command.name, help=command.explanation, description=command.explanation)
        sub.add_argument("--json", action="store_true", help="one JSON object on stdout")
        command.options(sub)
    return parser

"""`runs`: what is among the runs, what it is called, and deleting, packing and taking in: the table of its actions.

Files of actions are imported when one is carried out.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pruning.cli.arguments import path, whole
from pruning.cli.output import emit

Answer = tuple[dict[str, Any], list[str]]
"""A JSON object, and lines of text."""
RUN = "its id, its folder, or run: with either"


@dataclass(frozen=True, kw_only=True)
class Action:
    """One of the things that can be done with runs."""

    name: str
    explanation: str
    options: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], Answer]
    """Raises PruningError."""


def add_runs_options(sub: argparse.ArgumentParser) -> None:
    """The actions, each with what it takes."""
    actions = sub.add_subparsers(title="actions", required=True, metavar="ACTION", dest="action")
    for action in ACTIONS.values():
        parser = actions.add_parser(action.name, help=action.explanation, description=action.explanation)
        parser.add_argument(
            "--json", action="store_true", default=argparse.SUPPRESS, help="one JSON object on stdout"
        )  # absent it leaves what was said before the action
        action.options(parser)


def carry_out(args: argparse.Namespace) -> None:
    """Carry the action out that the options name. Raises PruningError."""
    result, lines = ACTIONS[args.action].run(args)
    emit({"schema_version": 1, **result}, lines, as_json=args.json)


def _run(sub: argparse.ArgumentParser, **more: Any) -> None:
    sub.add_argument("run", metavar="RUN", help=RUN, **more)


def _list_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("words", nargs="*", metavar="WORD", help="only runs in which all of these words stand")
    sub.add_argument("--network", metavar="NAME", help="only of this network, such as resnet20")
    sub.add_argument("--images", metavar="NAME", help="only with these images, such as cifar10")
    sub.add_argument("--state", action="append", default=[], metavar="STATE", help="queued, running, done, ...")
    sub.add_argument("--tag", action="append", default=[], metavar="TAG", help="only with this tag")
    sub.add_argument("--owner", metavar="VISITOR", help="only those that this visitor of a server asked for")
    sub.add_argument("--sort", default="created", metavar="BY", help="created (first), name, value, macs, speedup, ...")
    sub.add_argument("--reverse", action="store_true", help="the other way round")
    sub.add_argument("--limit", type=whole, default=50, metavar="N", help="so many at most (50); 0: all")
    which = sub.add_mutually_exclusive_group()
    which.add_argument("--deleted", action="store_true", help="deleted runs instead, which 'undelete' brings back")
    which.add_argument("--unreadable", action="store_true", help="folders that hold no readable run, and why")


def _list(args: argparse.Namespace) -> Answer:
    from pruning.cli.runs_list import list_deleted, list_runs, list_unreadable

    if args.deleted:
        return list_deleted()
    return list_unreadable() if args.unreadable else list_runs(args)


def _show(args: argparse.Namespace) -> Answer:
    from pruning.cli.runs_list import show

    return show(args.run)


def _tag_options(sub: argparse.ArgumentParser) -> None:
    _run(sub)
    sub.add_argument("tags", nargs="*", metavar="TAG", help="tags to add, each one word")
    sub.add_argument("--remove", action="append", default=[], metavar="TAG", help="a tag to take away")
    sub.add_argument("--name", metavar="TEXT", help="what the run is called from now on; '' for nothing")
    sub.add_argument("--note", metavar="TEXT", help="a note on it; '' for none")


def _tag(args: argparse.Namespace) -> Answer:
    from pruning.cli.runs_change import tag

    return tag(args.run, add=args.tags, remove=args.remove, title=args.name, note=args.note)


def _delete_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run", nargs="+", metavar="RUN", help=RUN)


def _delete(args: argparse.Namespace) -> Answer:
    from pruning.cli.runs_change import delete

    return delete(args.run)


def _undelete_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("run", metavar="ID", help="the run's id, as 'runs list --deleted' shows it")


def _undelete(args: argparse.Namespace) -> Answer:
    from pruning.cli.runs_change import bring_back

    return bring_back(args.run)


def _clean_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("--dry-run", action="store_true", help="only say what would be removed")


def _clean(args: argparse.Namespace) -> Answer:
    from pruning.cli.runs_change import clean

    return clean(only_say=args.dry_run)


def _pack_options(sub: argparse.ArgumentParser) -> None:
    _run(sub)
    sub.add_argument("--out", type=path, metavar="FILE", help="the file (default: named after the run, here)")


def _pack(args: argparse.Namespace) -> Answer:
    from pruning.cli.runs_pack import pack_run

    return pack_run(args.run, args.out)


def _unpack_options(sub: argparse.ArgumentParser) -> None:
    sub.add_argument("file", type=path, metavar="FILE", help="what 'runs pack' has written, here or elsewhere")


def _unpack(args: argparse.Namespace) -> Answer:
    from pruning.cli.runs_pack import unpack_run

    return unpack_run(args.file)


def _nothing(sub: argparse.ArgumentParser) -> None:
    """It takes nothing."""


def _reindex(args: argparse.Namespace) -> Answer:
    from pruning.cli.runs_list import reindex

    return reindex()


ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action(name="list", explanation="List runs, filtered and sorted.", options=_list_options, run=_list),
        Action(name="show", explanation="Show what is known of a run.", options=_run, run=_show),
        Action(name="tag", explanation="Give a run a name, tags or a note.", options=_tag_options, run=_tag),
        Action(
            name="delete",
            explanation="Delete runs; they can be brought back for some days.",
            options=_delete_options,
            run=_delete,
        ),
        Action(name="undelete", explanation="Bring a deleted run back.", options=_undelete_options, run=_undelete),
        Action(
            name="clean",
            explanation="Remove for good what the limits of pruning.toml leave no room for.",
            options=_clean_options,
            run=_clean,
        ),
        Action(name="pack", explanation="Write a finished run into one file.", options=_pack_options, run=_pack),
        Action(
            name="unpack",
            explanation="Take a packed run in, checked as a stranger's.",
            options=_unpack_options,
            run=_unpack,
        ),
        Action(
            name="reindex", explanation="Make the index of runs anew from the folders.", options=_nothing, run=_reindex
        ),
    )
}
"""By name."""

"""What leaves the explorer: the record of a format, and what a file is made from.

A format is made from a recipe, from runs, or from two networks to compare. What one page shows of a network, such as a
table of its layers, leaves by a download button of that page.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from pruning.base.cancel import Cancel
from pruning.base.errors import InputError
from pruning.export.target import check_target, save

if TYPE_CHECKING:
    from pruning.runs import Run
    from pruning.runs.recipe import Recipe
    from pruning.runs.summary import Summary
    from pruning.subject import Subject

Need = Literal["recipe", "run", "runs", "networks"]
"""A part of a `Source`."""
NEEDS: dict[Need, str] = {
    "recipe": "a recipe",
    "run": "a finished run",
    "runs": "the runs of a folder",
    "networks": "two networks to compare",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """What somebody has at hand to make files from; None where it is not there."""

    name: str = "pruning-recipe"
    """Of the run, for names of files; where there is none, what stands in its place."""
    recipe: Recipe | None = None
    run: Run | None = None
    """A finished one."""
    runs: Callable[[], Sequence[Summary]] | None = None
    """Gives runs in any state, newest first."""
    networks: Callable[[], tuple[Subject, Subject]] | None = None
    """Opens two networks, before and after."""

    @staticmethod
    def of(run: Run) -> Source:
        """A run by itself: the recipe, and once it is done the run."""
        return Source(name=run.name, recipe=run.recipe, run=run if run.result is not None else None)

    @staticmethod
    def around(run: Run) -> Source:
        """A run with the other runs of its folder, and once it is done with the dense network beside it."""
        alone = Source.of(run)
        networks = partial(_dense_and_pruned, run) if alone.run is not None else None
        return replace(alone, runs=partial(runs_of, run.path.parent), networks=networks)


def runs_of(folder: Path) -> Sequence[Summary]:
    """All runs of a folder, newest first.

    Raises:
        StorageError: the folder cannot be read.
    """
    from pruning.runs.index.index import looked
    from pruning.runs.index.query import Query

    return looked(folder, everything=True).find(Query()).runs


def _dense_and_pruned(run: Run) -> tuple[Subject, Subject]:
    from pruning.subject import open_subject

    return open_subject(run.dense_ref()), open_subject(run.ref)


@dataclass(frozen=True, kw_only=True)
class Export:
    """A kind of file that leaves the explorer."""

    name: str
    title: str
    """On its button."""
    explanation: str
    """One sentence: what it is good for."""
    file_name: str
    """How the file is called; '{name}' is the name of the run."""
    media_type: str
    needs: Need
    """What it is made from."""
    make: Callable[..., bytes] | None = None
    """Gives the file's content from that part of the source; one that takes long also takes `cancel`. None where it is
    too large for memory."""
    make_at: Callable[..., None] | None = None
    """Writes it to a path instead, whole or not at all, and says itself which paths will do."""
    takes_long: bool = False
    """It takes more than a few seconds: pages make it as a job, in a panel of its own."""

    def __post_init__(self) -> None:
        assert self.name.isidentifier(), f"{self.name!r} cannot be typed as a format"
        assert "." in self.file_name and "/" not in self.file_name, f"{self.file_name!r} is no name of a file"
        assert self.media_type.count("/") == 1, f"{self.media_type!r} is no media type"
        assert self.needs in get_args(Need)
        assert (self.make is None) != (self.make_at is None), "it is made in one way"

    def is_offered(self, source: Source) -> bool:
        """Whether it can be made from this."""
        return getattr(source, self.needs) is not None

    def file_for(self, source: Source) -> str:
        """The file's name."""
        return self.file_name.format(name=source.name)

    def _check_offered(self, source: Source) -> None:
        if not self.is_offered(source):
            raise InputError(f"{self.file_for(source)} is made from {NEEDS[self.needs]}, and there is none here.")

    def content(self, source: Source, *, cancel: Cancel | None = None) -> bytes:
        """The file. `cancel`: asked between the steps of one that takes long.

        Raises:
            InputError: the source lacks what it is made from.
            PruningError: what its function raises, such as for a damaged run.
        """
        self._check_offered(source)
        part, given = getattr(source, self.needs), {"cancel": cancel} if self.takes_long else {}
        if self.make is not None:
            return self.make(part, **given)
        assert self.make_at is not None
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder, self.file_for(source))
            self.make_at(part, place, **given)
            return place.read_bytes()

    def write(self, source: Source, out: Path, *, cancel: Cancel | None = None) -> Path:
        """Write it to the file `out`, whole or not at all. Errors as `content`; also:

        Raises:
            InputError: `out` can be no file.
            StorageError: it cannot be written.
        """
        if self.make_at is None:
            check_target(out)
            return save(out, self.content(source, cancel=cancel))
        self._check_offered(source)
        self.make_at(getattr(source, self.needs), out, **({"cancel": cancel} if self.takes_long else {}))
        return out

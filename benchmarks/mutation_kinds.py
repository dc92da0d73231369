"""The files that `benchmarks.mutations` damages: how each comes about, and who reads and shows it."""

from __future__ import annotations

import json
import shutil
import zipfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from benchmarks import mutated_bundles as bundles
from benchmarks import mutated_images as images
from benchmarks.mutated_weights import HOSTILE, WEIGHTS, show_weights
from pruning.base.safe_json import dump, read_object
from pruning.compare.casualties import casualties
from pruning.compare.verdict import facts_of_result, verdict
from pruning.contest import Finish, Terms, judge
from pruning.contest.cache import changes as race_changes
from pruning.contest.cache import replay as replay_race
from pruning.contest.cache import to_json as race_json
from pruning.contest.race import Mark, line_up
from pruning.data.readers import open_data
from pruning.jobs.events import encode
from pruning.jobs.follower import Follower
from pruning.jobs.job import Job
from pruning.jobs.store import LocalStore
from pruning.jobs.wishes import OWNER
from pruning.latency.steps import Call, Grid, Steps, curve, drops
from pruning.render.figures.runs import kept_bars, run_curve
from pruning.render.markup.result import footnote, ledger_html, select_caption, stages_html, test_caption, test_html
from pruning.render.markup.result import verdict as line
from pruning.runs import read_run
from pruning.runs.index.folders import read_indexed
from pruning.runs.labels import Label, read_label, read_labels, write_label
from pruning.runs.pack import pack
from pruning.runs.result_json import from_values, to_values
from pruning.runs.unpack import unpack
from pruning.sensitivity import SPARSITIES, Figure, Figures, Joint, Point, Sensitivity, largest_within, outline
from pruning.sensitivity.form import changes as scan_changes
from pruning.sensitivity.form import replay as replay_scan
from pruning.sensitivity.form import to_json as scan_json
from pruning.spec import PruneSpec
from pruning.subject import open_subject

STORED = Path(__file__).parents[1] / "tests" / "fixtures" / "runs"
LONGEST = 500
"""Characters of a sentence."""
ATTEMPT = "attempts/0001"
PACK = "run.zip"


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One file of a folder."""

    make: Callable[[Path], object]
    """Makes the folder."""
    file: str
    """The one that is mutated."""
    read: Callable[[Path], Any]
    """Reads the folder and shows what was read."""


def show_result(folder: Path) -> None:
    """Read a run with its result, and say all that pages say of it."""
    result = read_run(folder).result
    if result is None:
        return
    said = (
        line(result), ledger_html(result), select_caption(result), stages_html(result), test_caption(result),
        test_html(result), footnote(result),
    )  # fmt: skip
    assert all(said) and verdict(facts_of_result(result)).text
    kept_bars(result.layers, False)
    assert from_values(json.loads(json.dumps(to_values(result), allow_nan=False)), "it") == result


def show_run(folder: Path) -> None:
    """Read a run and say what a list says of it."""
    run = read_run(folder)
    assert run.name and run.state and run.network and run.asked
    f"{run.created:%d %b %Y, %H:%M}"
    run.recipe.to_yaml()


def show_events(folder: Path) -> None:
    """Read what a run has said, and draw it."""
    run = read_run(folder)
    events = run.events()
    run_curve(events.training, events.stages, False, dense=None)


def show_model(folder: Path) -> None:
    """Open the model that a run led to."""
    open_subject(f"run:{folder}")


def show_answers(folder: Path) -> None:
    """Compare the answers of both networks."""
    sides = read_run(folder).answers()
    if {"dense", "pruned"} <= sides.keys():
        casualties(sides["dense"], sides["pruned"])


def show_job(folder: Path) -> None:
    """Look at a job in every way there is."""
    job = Job.in_folder(folder)
    for now in (job.status(), Follower(job).status()):
        assert now is None or (len(now.text) <= LONGEST and "\n" not in now.text)
    Follower(job).events()
    job.read("result.json")


def show_scan(folder: Path) -> None:
    """Read a scan's points, and what follows from them."""
    found = replay_scan(outline_of(), Follower(Job.in_folder(folder)).events())
    scan_json(found)
    assert (
        all(largest_within(curve, "as_cut", 0.01) or True for curve in found.curves) and found.measured <= found.wanted
    )


def show_race(folder: Path) -> None:
    """Read a race's marks, and who won."""
    found = replay_race(TERMS, Follower(Job.in_folder(folder)).last_events())
    assert found.share >= 0 and race_json(found)
    if found.done:
        judge([found])


def show_times(folder: Path) -> None:
    """Read layer times, and what follows from them."""
    steps = Steps.from_json(read_object(folder / "steps.json"))
    for call in steps.calls:
        curve(steps, call.layer), drops(steps, call.layer)


def show_listed(folder: Path) -> None:
    """Read what a list needs of a run: whatever is wrong with it is its reason."""
    assert read_indexed(folder).content


def show_label(folder: Path) -> None:
    """Read what people call a run; where it is damaged, others' names are still there."""
    store = LocalStore.at(folder)
    assert read_labels(store).keys() <= {OWNER}
    read_label(store)


def show_pack(folder: Path) -> None:
    """Take a packed run in; where it is refused, nothing of it is left."""
    runs = folder / "runs"
    try:
        found = unpack(folder / PACK, runs)
        assert read_run(found.path).result is not None
        shutil.rmtree(found.path)
    finally:
        assert not list(runs.iterdir())


def show_taken_in(folder: Path) -> None:
    """Show a run that was taken in from a bundle, and open its network."""
    show_result(folder)
    show_model(folder)


def make_label(folder: Path) -> None:
    """A run with a name, tags and a note."""
    shutil.copytree(STORED / "channel", folder)
    write_label(LocalStore.at(folder), Label(title="a name", tags=("small", "fast"), note="A note."))


def make_pack(folder: Path) -> None:
    """A run as one file."""
    folder.mkdir()
    pack(STORED / "channel", folder / PACK)


def stored(name: str) -> Callable[[Path], object]:
    """A run of an earlier version."""
    return lambda folder: shutil.copytree(STORED / name, folder)


def make_job(folder: Path) -> None:
    """A job that was done."""
    with Job.in_folder(folder).working() as work:
        work.say("Half way", 0.5)
        work.tell({"stage": "open", "text": "Opening"})
        work.publish("result.json", b"{}")


def killed(tell: Callable[[], Iterable[dict[str, Any]]]) -> Callable[[Path], None]:
    """A job whose process was killed after it had told these events: no manifest vouches for them."""

    def make(folder: Path) -> None:
        make_job(folder)
        attempt = folder / "attempts" / "0001"
        (attempt / "manifest.json").unlink()
        (attempt / "events").mkdir()
        (attempt / "events" / "000001.jsonl").write_bytes(encode(tell()))

    return make


@cache
def outline_of() -> Sensitivity:
    """The scan of a small network before it is measured."""
    subject = open_subject("sample:lenet5")
    return outline(subject.digest, subject.graph, open_data("mnist5k"), PruneSpec(), images=100)


def scan_events(wanted: Sensitivity, *, has_norms: bool) -> Iterable[dict[str, Any]]:
    """What the process of a scan tells, of figures made up for a metric that counts right answers.

    `has_norms`: whether the network has statistics that are recalibrated."""
    metric, images = wanted.metric, wanted.images
    correct = images * 9 // 10
    low, high = metric.interval(torch.arange(images) < correct)
    figure = Figure(
        metric=metric, value=correct / images, low=low, high=high, images=images, change=-2 / images,
        change_low=-0.06, change_high=0.02, correct=correct, newly_wrong=3, newly_right=1,
    )  # fmt: skip
    dense = Figures(as_cut=figure, recalibrated=figure if has_norms else None)
    found = replace(wanted, dense=dense, precision="fp32", seconds=1.0)
    for target in found.curves:
        if target.locked is None:
            for share in SPARSITIES[wanted.spec.granularity]:
                found = found.plus(target.name, Point(sparsity=share, kept=1, achieved=share, **vars(dense)))
    joint = Joint(kept=tuple((curve.name, 3) for curve in found.curves if curve.locked is None), **vars(dense))
    return scan_changes(wanted, replace(found, joints=(joint,)))


TERMS = Terms(model="sample:lenet300", data="mnist5k", rounds=2, steps=4, seeds=(0, 1))


def race_events(terms: Terms) -> Iterable[dict[str, Any]]:
    """What the process of a race tells, of figures made up for a metric that counts right answers."""
    start = line_up(terms)
    mark = Mark(step=terms.steps // 2, value=0.75, correct=3, images=4, after="training")
    end = Finish(metric=terms.metric, scores=(1, 1, 0, 1), kept=1, total=2, steps=terms.steps)
    return race_changes(
        start, replace(start, lanes=tuple(replace(one, marks=(mark,), finish=end) for one in start.lanes))
    )


def make_times(folder: Path) -> None:
    """Layer times made up."""
    folder.mkdir()
    grid = Grid(rows=(1, 2), columns=(3,), times=((1.0,), (2.0,)), noise=0.1)
    call = Call(layer="a", tensor="a.weight", grid=0, parts=(1, 1), output=0, elements=1)
    steps = Steps(batch=1, threads=1, torch="2", cpu="c", dense=3.0, grids=(grid,), calls=(call,), fixed=1.0,
                  per_element=0.0, error=0.1, checks=((1.0, 2.0),), drift=0.0)  # fmt: skip
    (folder / "steps.json").write_bytes(dump(steps.to_json()))


KINDS = {
    "result": Kind(make=stored("channel"), file="result.json", read=show_result),
    "recipe": Kind(make=stored("cancelled"), file="recipe.yaml", read=show_run),
    "order": Kind(make=stored("weight"), file="job.json", read=show_run),
    "events": Kind(make=stored("cancelled"), file="events.jsonl", read=show_events),
    "listed": Kind(make=stored("channel"), file="result.json", read=show_listed),
    "label": Kind(make=make_label, file="labels/owner.json", read=show_label),
    "pack": Kind(make=make_pack, file=PACK, read=show_pack),
    "structure": Kind(make=stored("channel"), file="model.json", read=show_model),
    "answers": Kind(make=stored("iterative"), file="answers.safetensors", read=show_answers),
    "manifest": Kind(make=make_job, file=f"{ATTEMPT}/manifest.json", read=show_job),
    "asker": Kind(make=make_job, file=f"{ATTEMPT}/asked.json", read=show_job),
    "worker": Kind(make=killed(list), file=f"{ATTEMPT}/worker.json", read=show_job),
    "now": Kind(make=killed(list), file=f"{ATTEMPT}/now.json", read=show_job),
    "scan": Kind(
        make=killed(lambda: scan_events(outline_of(), has_norms=False)),
        file=f"{ATTEMPT}/events/000001.jsonl",
        read=show_scan,
    ),
    "race": Kind(make=killed(lambda: race_events(TERMS)), file=f"{ATTEMPT}/events/000001.jsonl", read=show_race),
    "times": Kind(make=make_times, file="steps.json", read=show_times),
    "zip": Kind(make=images.make_zip, file="images.zip", read=images.show("zip", "images.zip")),
    "stored": Kind(
        make=lambda folder: images.make_zip(folder, zipfile.ZIP_STORED),
        file="images.zip",
        read=images.show("zip", "images.zip"),
    ),
    "npz": Kind(make=images.make_npz, file="images.npz", read=images.show("npz", "images.npz")),
    "compressed": Kind(
        make=lambda folder: images.make_npz(folder, np.savez_compressed),
        file="images.npz",
        read=images.show("npz", "images.npz"),
    ),
    "parquet": Kind(make=images.make_parquet, file="images.parquet", read=images.show("parquet", "images.parquet")),
    **{
        f"weights ({name})": Kind(make=make, file=file, read=show_weights(file, hostile=name in HOSTILE))
        for name, (make, file) in (WEIGHTS | HOSTILE).items()
    },
    **{
        f"bundle ({name})": Kind(
            make=bundles.made(STORED / "channel"), file=file, read=bundles.show(opened, show_taken_in)
        )
        for name, (file, opened) in bundles.BUNDLES.items()
    },
}

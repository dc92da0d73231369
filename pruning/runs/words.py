"""A run in a few words, as lists and boxes show it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pruning.base.errors import DataError, InputError
from pruning.catalog.references import short_title
from pruning.catalog.samples import sample_title
from pruning.criteria import find_criterion
from pruning.data.readers import describe_data, is_on_this_machine_alone
from pruning.granularity import find_granularity
from pruning.repair.kinds import Repair
from pruning.runs.run import Run
from pruning.runs.summary import UNKNOWN, Summary


def describe(run: Run | Summary) -> str:
    """What was done: 'channels by L2 norm, 50 %, fine-tuned'; how it was repaired where it is not by recalibration."""
    it = _summary(run)
    if it.only_fine_tunes:
        return "fine-tuned longer" if it.finetune_steps else "weights from elsewhere, measured here"
    tuned = ", fine-tuned" if it.finetune_steps else ""
    rounds = f" in {it.iterations} rounds" if it.schedule == "iterative" else ""
    return f"{find_granularity(it.granularity).title} {by_criterion(it)}, {sparsity(it)}{rounds}{_repaired(it)}{tuned}"


BROUGHT = (
    "Brought from a file: its figures are as that file states them, and were not measured here. Run its recipe again "
    "to measure them on this machine."
)
"""Of a run that came in a bundle or as a packed run."""
STAGE_WORDS: Mapping[str, str] = {
    "as_cut": "as cut",
    "recalibrated": "recalibrated",
    "repaired": "repaired (no training)",
    "finetuned": "fine-tuned",
}
"""What the stages of a run are called in lines of text, in their order."""
REPAIRED: Mapping[Repair, str] = {
    "none": "not repaired",
    "recalibrate": "",
    "bias": "bias corrected",
    "refit": "repaired",
}
"""What a run is said to have done after its cuts, by its recipe's word; '' for what runs did before there was a choice.
"""


def _repaired(it: Summary) -> str:
    said = "" if it.removes_nothing else REPAIRED[it.repair]
    return f", {said}" if said else ""


def network_title(run: Summary) -> str:
    """What its dense network is called: 'LeNet-5', 'resnet18 (torchvision)', 'net.py:build'."""
    return sample_title(run.origin) or (short_title(run.origin) if run.origin else UNKNOWN)


def data_title(run: Summary) -> str:
    """What its images are called: 'MNIST, 5,000 digits', 'folder:photos'."""
    if is_on_this_machine_alone(run.data):
        return run.images
    try:
        title, _, _ = describe_data(run.data).title.partition(" (")
    except (InputError, DataError):  # of a run from elsewhere, whose images nobody has here
        return run.images
    return title


def by_criterion(run: Run | Summary) -> str:
    """What chose what goes: 'by L2 norm'."""
    return f"by {find_criterion(_summary(run).criterion).title}"


def sparsity(run: Run | Summary) -> str:
    """What was asked for: '50 %', or its span over the layers."""
    low, high = (f"{100 * value:.0f}" for value in run.asked)
    return f"{low} %" if low == high else f"{low}–{high} % by layer"


def data_by_network(runs: Iterable[Run | Summary]) -> dict[str, set[str]]:
    """Network → the data sets that its runs used."""
    found: dict[str, set[str]] = {}
    for run in runs:
        found.setdefault(run.network, set()).add(run.images)
    return found


def told_apart(run: Run | Summary, data: Mapping[str, set[str]]) -> str:
    """A finished run among others: what it removed, when, and of which network and with which data where there are
    several; the name that somebody gave it first. `data`: `data_by_network` of them all."""
    it = _summary(run)
    network = it.network
    of = f" · {network}" if len(data) > 1 else ""
    of += f" · {it.images}" if len(data[network]) > 1 else ""
    called = f"{it.label.title} · " if it.label.title else ""
    words = f"{'◆' if it.tuned else '●'} {called}{describe(it).removesuffix(', fine-tuned')}"
    return f"{words}{of} · {it.created:%d %b %H:%M}"


def _summary(run: Run | Summary) -> Summary:
    return run.summary if isinstance(run, Run) else run

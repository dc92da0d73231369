"""Where a network comes from, in a few lines of Markdown."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pruning.base.files import given_path
from pruning.base.words import interval, percent
from pruning.catalog.listing import LIBRARIES
from pruning.catalog.openers import parse_reference
from pruning.catalog.references import last_part
from pruning.render.markdown import bullets, plain

if TYPE_CHECKING:
    from pruning.subject import Subject


def words(subject: Subject, *, weights: str = "", images: str = "") -> str:
    """What the network is, what it learnt from, and how well it did on which images; where its weights are from.

    `weights`, `images`: what the files were called by whoever sent them; they are kept under other names.
    """
    record = subject.network.provenance
    return bullets(
        _of_own(subject, weights, images) if record is None else [plain(subject.network.story), *_of_training(record)]
    )


def _of_training(record: Mapping[str, Any]) -> list[str]:
    data, phases = record["data"], record["phases"]
    optimiser = phases[-1]["optimiser"]
    teachers = [plain(phase["teacher"]) for phase in phases if phase["teacher"]]
    trained = (
        f"Trained on **{plain(data['name'])}** ({plain(data['source'])}) for {record['epochs']} epochs with "
        f"{plain(optimiser['name'])}, batches of {optimiser['batch_size']}, seed {record['seed']}"
        + (f", in {len(phases)} phases of {' and '.join(str(p['epochs']) for p in phases)}" if len(phases) > 1 else "")
        + (f", in part from the answers of {teachers[0]}" if teachers else "")
    )
    roles = "; ".join(f"**{role}** {plain(text)}" for role, text in record["roles"].items())
    return [
        f"{trained}.",
        f"Images by role: {roles}. No image has two roles.",
        *(
            f"Accuracy on {measured['images']:,} **{role}** images: **{percent(measured['accuracy'], 2)}** ● "
            f"({interval(tuple(measured['interval']))}, 95 % interval)."
            for role, measured in record["accuracy"].items()
        ),
    ]


def _of_own(subject: Subject, file: str, images: str) -> list[str]:
    """Of a network of a library, or of a file."""
    library, _, rest = subject.ref.partition(":")
    shape = " × ".join(map(str, subject.graph.example_shape))
    built = f"**{plain(subject.title)}**"
    if library in LIBRARIES:
        built = f"**{plain(rest.partition('?')[0])}** as {plain(library)} builds it"
    weights = plain(_without_folder(subject, file))
    if subject.network.untrained:
        learnt = (
            f"Its weights are **{weights}**: they have learnt nothing, so scores and histograms "
            "show only how the layers were initialised. Shapes, costs and times do not depend on them."
        )
    else:
        learnt = f"Its weights: {weights}."
    return [f"{built}, for inputs of {shape}.", learnt, _images(subject, images)]


def _images(subject: Subject, called: str) -> str:
    if subject.images is None:
        return "It comes without images here, so its accuracy cannot be measured."
    info = subject.info
    sizes = ", ".join(f"{count:,} {role}" for role, count in info.sizes.items())
    return f"Its images: **{plain(called or info.title)}** ({sizes}), measured by {plain(subject.task.metric.title)}."


def _without_folder(subject: Subject, called: str) -> str:
    """Where its weights come from, a file without its folder."""
    path = parse_reference(subject.ref).weights if subject.ref else None
    if path is None or path == "default":
        return subject.network.weights
    return subject.network.weights.replace(str(given_path(path)), called or last_part(path))

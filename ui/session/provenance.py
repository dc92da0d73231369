"""Where a network comes from, in a few lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pruning.base.words import interval, percent
from ui.kit.errors import plain

if TYPE_CHECKING:
    from pruning.subject import Subject


def words(subject: Subject) -> str:
    """In Markdown: what the network is, what it learnt from, and how well it did on which images."""
    record = subject.network.provenance
    if record is None:
        return _of_library(subject)
    data, phases = record["data"], record["phases"]
    optimiser = phases[-1]["optimiser"]
    teachers = [plain(phase["teacher"]) for phase in phases if phase["teacher"]]
    lines = [
        plain(subject.network.story),
        f"Trained on **{plain(data['name'])}** ({plain(data['source'])}) for {record['epochs']} epochs with "
        f"{plain(optimiser['name'])}, batches of {optimiser['batch_size']}, seed {record['seed']}"
        + (f", in {len(phases)} phases of {' and '.join(str(p['epochs']) for p in phases)}" if len(phases) > 1 else "")
        + (f", in part from the answers of {teachers[0]}" if teachers else "")
        + ".",
        "Images by role: "
        + "; ".join(f"**{role}** {plain(text)}" for role, text in record["roles"].items())
        + ". No image has two roles.",
    ]
    lines += [
        f"Accuracy on {measured['images']:,} **{role}** images: **{percent(measured['accuracy'], 2)}** ● "
        f"({interval(tuple(measured['interval']))}, 95 % interval)."
        for role, measured in record["accuracy"].items()
    ]
    return "\n".join(f"- {line}" for line in lines)


def _of_library(subject: Subject) -> str:
    library, _, rest = subject.ref.partition(":")
    shape = " × ".join(map(str, subject.graph.example_shape))
    lines = [f"**{plain(rest.partition('?')[0])}** as {plain(library)} builds it, for inputs of {shape}."]
    if subject.network.untrained:
        lines.append(
            f"Its weights are **{plain(subject.network.weights)}**: they have learnt nothing, so scores and histograms "
            "show only how the layers were initialised. Shapes, costs and times do not depend on them."
        )
    else:
        lines.append(f"Its weights: {plain(subject.network.weights)}.")
    lines.append("It comes without images here, so its accuracy cannot be measured.")
    return "\n".join(f"- {line}" for line in lines)

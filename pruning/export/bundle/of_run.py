"""A finished run as the material of a bundle."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from pruning.base.cancel import Cancel
from pruning.base.errors import InputError
from pruning.catalog.licences import licence_of
from pruning.catalog.network import Network
from pruning.catalog.openers import architecture_of, open_network
from pruning.data.readers import describe_data, without_path
from pruning.export.bundle.card_ledger import ledger_of_run
from pruning.export.bundle.forms import chosen
from pruning.export.bundle.material import Material, Samples
from pruning.export.bundle.write import Progress, check_target, write_bundle
from pruning.export.bundle.written import Bundle
from pruning.export.report.provenance import model_name, shared_recipe
from pruning.fitting import names_of, stated_by
from pruning.graph.inputs import Inputs
from pruning.latency.abroad import layers_to_time
from pruning.removal.build import build_graph
from pruning.render.markup.result import verdict
from pruning.runs import Run
from pruning.runs.bundled import references_of, run_values
from pruning.runs.held import changed
from pruning.runs.result import Result
from pruning.subject import open_subject

MOST_IMAGES = 1000
"""That go along as samples."""


def export_run(
    run: Run,
    out: Path,
    *,
    forms: Sequence[str] | None = None,
    images: int = 0,
    code: bool = True,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Bundle:
    """Write the bundle of a finished run into a new or an empty folder, or into a file that ends in .zip.

    `forms`: names of `pruning.export.bundle.forms.FORMS`; None: all. `images`: so many of its images go along as
    samples. `code`: whether the network's own Python files do. Errors as `material_of` and `write_bundle`.
    """
    check_target(out)
    chosen(None if forms is None else tuple(forms))
    material = material_of(run, images=images)
    return write_bundle(
        material, out, forms=forms, with_code=code, unreachable=(run.path,), progress=progress, cancel=cancel
    )


def material_of(run: Run, *, images: int = 0) -> Material:
    """What a bundle of a run is made of. `images`: so many go along as samples, with what the network answers to them.

    Raises:
        InputError: the run is not finished, there are not so many images, or too many are asked for.
        StorageError: its network is damaged, or cannot be built any more.
        DataError: its images are absent.
    """
    result = run.result
    if result is None:
        raise InputError(f"{run.name} is not finished ({run.state}): a bundle needs a finished run.")
    network = open_network(run.ref)
    return Material(
        name=run.name,
        title=network.title.partition(" · ")[0],
        model=network.model,
        dense=lambda: _dense(network),
        inputs=Inputs.of(network.example_inputs),
        architecture=architecture_of(network.root),
        unknown=f"Networks like {model_name(network.root)} cannot be built from a library or a Python file alone.",
        held_zero=network.held_zero,
        classes=tuple(" ".join(names[-1].split()) for names in names_of(network)),
        preprocess=stated_by(network),
        recipe=shared_recipe(run),
        origin=_origin(run, result, network),
        licence=licence_of(network.root),
        ledger=ledger_of_run(result),
        verdict=verdict(result),
        remarks=(*network.remarks, *(remark for remark in changed(run.path) if remark not in network.remarks)),
        samples=_samples(run, images) if images else None,
        bench=lambda: _bench(run, network),
        run=run_values(run, {reference: model_name(reference) for reference in references_of(run)}),
    )


def _bench(run: Run, network: Network) -> dict[str, Any]:
    graph = build_graph(_dense(network), network.example_inputs)
    return {"run": run.name, "weights_sha256": network.digest, **layers_to_time(graph, 1)}


def _dense(network: Network) -> nn.Module:
    return open_network(network.root).model


def _samples(run: Run, count: int) -> Samples:
    """The first of a fixed, balanced sample of `select` images."""
    if not 1 <= count <= MOST_IMAGES:
        raise InputError(f"From 1 to {MOST_IMAGES:,} images can go along, not {count:,}.")
    subject = open_subject(run.ref, run.recipe.data, run.data_dir, run.recipe.preprocess)
    there = subject.data.length("select")
    if there < count:
        raise InputError(f"The run has {there:,} select images, and {count:,} are to go along: ask for fewer.")
    index = subject.data.subset("select", count)
    pixels = subject.data.images("select", index)
    labels = subject.data.labels("select")
    return Samples(
        inputs=subject.data.normalise(pixels),
        pixels=pixels,
        labels=() if labels is None or subject.task.name != "classification" else tuple(labels[index].tolist()),
        source=f"select images of {subject.info.title}",
    )


def _origin(run: Run, result: Result, network: Network) -> dict[str, Any]:
    """Where it comes from, without a folder of this machine."""
    data = result.data
    return {
        "run": {"name": run.name, "created": run.created.isoformat(timespec="seconds")},
        "network": {
            "reference": model_name(network.root),
            "pruned_from": model_name(result.model),
            "weights_before_sha256": result.model_digest,
            "weights_sha256": network.digest,
            "untrained": network.untrained,
        },
        "data": None
        if data is None
        else {
            "name": without_path(data.name),
            "title": data.title or describe_data(data.name).title,
            "sha256": data.sha256,
            "roles": dict(data.sizes or describe_data(data.name).sizes),
        },
        "proof_of_removal": {"status": result.check.status, "max_error": result.check.max_error},
        "machine": {"cpu": result.cpu, "threads": result.threads, "engine": result.engine, "torch": result.torch},
    }

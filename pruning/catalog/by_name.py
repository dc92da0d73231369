"""Networks of torchvision and timm by name: the rows of two openers, and what a visitor may open of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from pruning.base.errors import InputError, excerpt
from pruning.base.extras import need
from pruning.catalog.names import check_name, library_names
from pruning.catalog.opener import Opener, stamp_of_files
from pruning.catalog.references import Reference, read_options
from pruning.catalog.weights.kinds import kind_of
from pruning.settings import settings

if TYPE_CHECKING:
    from pruning.catalog.architecture import Architecture, Kind
    from pruning.catalog.building import Blueprint
    from pruning.catalog.network import Network

LARGEST_SIZE = 1024
"""Pixels a side of the images that a network is opened for; what it needs grows with the square."""
MOST_CLASSES = 25_000
"""Of a network that a visitor opens."""


def plan_of(reference: Reference) -> Blueprint | None:
    """How a network of a library is built; None for a reference of another kind.

    Raises:
        InputError: there is no such network, or the library is missing.
    """
    from pruning.catalog.libraries import plan_timm, plan_torchvision

    plans = {"torchvision": plan_torchvision, "timm": plan_timm}
    return plans[reference.kind](reference) if reference.kind in plans else None


def _open(reference: Reference) -> Network:
    from pruning.catalog.building import assemble

    plan = plan_of(reference)
    assert plan is not None
    return assemble(plan)


def _architecture(reference: Reference) -> Architecture:
    from pruning.catalog.architecture import Architecture

    plan = plan_of(reference)
    assert plan is not None
    classes = {} if reference.classes is None else {"num_classes": reference.classes}
    kind: Kind = "timm" if reference.kind == "timm" else "torchvision"
    return Architecture(kind=kind, name=reference.name, arguments={**plan.arguments, **classes})


def _check(reference: Reference) -> None:
    """What can be told without the library, whose import takes seconds."""
    if reference.kind == "timm":
        need("timm", excerpt(reference.text))
    check_name(reference.kind, reference.name.partition(".")[0] if reference.kind == "timm" else reference.name)
    if reference.weights not in (None, "default"):
        kind_of(reference.weights)


def _check_visitor(reference: Reference) -> None:
    from pruning.catalog.libraries import default_weights_are_here, known_parameters

    if reference.weights not in (None, "default"):
        raise InputError(
            "weights=FILE reads a file on the server, so it works on the command line only: leave it out for random "
            "weights, or write weights=default."
        )
    if reference.weights == "default" and not default_weights_are_here(reference):
        raise InputError(
            f"The default weights of {reference.kind}:{excerpt(reference.name)} are not on this machine: leave out "
            "weights=default for random ones, or fetch them once on the command line with "
            f"'python -m pruning inspect {excerpt(reference.text)}'."
        )
    if (reference.size or 0) > LARGEST_SIZE:
        raise InputError(f"In the browser size= goes up to {LARGEST_SIZE} pixels, not {reference.size}.")
    if (reference.classes or 0) > MOST_CLASSES:
        raise InputError(f"In the browser classes= goes up to {MOST_CLASSES:,}, not {reference.classes:,}.")
    check_parameters(reference.text, known_parameters(reference))


def check_parameters(reference: str, parameters: int) -> None:
    """Raises InputError where a network has more parameters than the settings let the browser open: a server that holds
    a few networks for all its visitors should not be filled by one of them."""
    most = settings().server.largest_network_millions
    if parameters > most * 1_000_000:
        raise InputError(
            f"{excerpt(reference.partition('?')[0])} has {parameters / 1e6:,.0f} million parameters; in the browser "
            f"{most:,.0f} million can be opened. Use the command line for this one."
        )


def _torchvision_names() -> Mapping[str, str]:
    return {name: f"torchvision:{name}" for name in library_names("torchvision")}


def _timm_names() -> Mapping[str, str]:
    return {name: f"timm:{name}" for name in library_names("timm")}


TORCHVISION = Opener(
    kind="torchvision",
    form="torchvision:NAME",
    read=read_options,
    check=_check,
    open=_open,
    architecture=_architecture,
    check_visitor=_check_visitor,
    stamp=stamp_of_files,
    large=True,
    sizes=True,
    suggestions=_torchvision_names,
)
TIMM = Opener(
    kind="timm",
    form="timm:NAME",
    read=read_options,
    check=_check,
    open=_open,
    architecture=_architecture,
    check_visitor=_check_visitor,
    stamp=stamp_of_files,
    large=True,
    sizes=True,
    suggestions=_timm_names,
)

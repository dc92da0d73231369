"""What a visitor of the web pages may open: networks by name, never code or files on the server."""

from __future__ import annotations

from pruning.base.errors import InputError
from pruning.catalog.libraries import default_weights_are_here, known_parameters
from pruning.catalog.references import Reference

LARGEST_SIZE = 1024
"""Pixels a side of the images that a network is opened for; what it needs grows with the square."""
MOST_PARAMETERS = 150_000_000
"""A server that holds a few networks for all its visitors should not be filled by one of them (600 MB in float32)."""


def check_visitor(reference: Reference) -> None:
    """Let a reference pass that a visitor may open.

    Raises:
        InputError: it would run code or read a file on the server, fetch weights, or fill its memory.
    """
    if reference.kind == "file":
        raise InputError(
            "A Python file cannot be opened in the browser, because its code would run on the server: "
            "use 'python -m pruning inspect' or 'verify' with it on the command line."
        )
    if reference.weights not in (None, "default"):
        raise InputError(
            "weights=FILE reads a file on the server, so it works on the command line only: leave it out for random "
            "weights, or write weights=default."
        )
    if reference.weights == "default" and not default_weights_are_here(reference):
        raise InputError(
            f"The default weights of {reference.kind}:{reference.name} are not on this machine: leave out "
            "weights=default for random ones, or fetch them once on the command line with "
            f"'python -m pruning inspect {reference.text}'."
        )
    if (reference.size or 0) > LARGEST_SIZE:
        raise InputError(f"In the browser size= goes up to {LARGEST_SIZE} pixels, not {reference.size}.")
    parameters = known_parameters(reference)
    if parameters > MOST_PARAMETERS:
        raise InputError(
            f"{reference.kind}:{reference.name} has {parameters / 1e6:,.0f} million parameters; in the browser "
            f"{MOST_PARAMETERS / 1e6:,.0f} million can be opened. Use the command line for this one."
        )

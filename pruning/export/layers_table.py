"""Two networks layer by layer, as a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from pruning.export.csv_text import csv_bytes

if TYPE_CHECKING:
    from pruning.compare.networks import LayerPair
    from pruning.subject import Subject


def layers_csv(networks: Callable[[], tuple[Subject, Subject]]) -> bytes:
    """`layer_rows` of two networks as CSV."""
    from pruning.compare.networks import compare_layers

    return csv_bytes(layer_rows(compare_layers(*networks())))


def layer_rows(pairs: Sequence[LayerPair]) -> list[dict[str, Any]]:
    """One row a layer, columns by name; what a network does not have is None."""
    total = sum(found.after.macs for found in pairs if found.after is not None)
    rows = []
    for found in pairs:
        before, after = found.before, found.after
        either = before or after
        assert either is not None, "a layer is in one of the networks"
        left = 100 * after.nonzero / max(1, before.nonzero) if before is not None and after is not None else None
        rows.append(
            {
                "layer": found.name,
                "kind": either.what,
                "channels before": before and before.channels,
                "channels after": after and after.channels,
                "non-zero before": before and before.nonzero,
                "non-zero after": after and after.nonzero,
                "weights left": left,
                "MACs before": before and before.macs,
                "MACs after": after and after.macs,
                "share of MACs": after and 100 * after.macs / max(1, total),
            }
        )
    return rows

"""Statistics are gathered once for a network, its data, and what a spec needs of them; the last ones are remembered."""

from __future__ import annotations

import threading
from collections import OrderedDict

from torch import nn

from pruning.base.cancel import Cancel
from pruning.base.digests import weights_digest
from pruning.data.datasets import Dataset
from pruning.graph.model_graph import ModelGraph
from pruning.spec import PruneSpec
from pruning.statistics.gather import Progress, Statistics, gather_scores, key_of, without_images

MOST_BYTES = 256 * 2**20
"""Of scores that are remembered; the newest are, however large."""
_KNOWN: OrderedDict[tuple[object, ...], Statistics] = OrderedDict()
_LOCK = threading.Lock()


def statistics_for(
    model: nn.Module,
    graph: ModelGraph,
    data: Dataset | None,
    spec: PruneSpec,
    *,
    digest: str | None = None,
    dense: nn.Module | None = None,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> Statistics | None:
    """What `make_plan` needs of data for a spec: None where it needs nothing; from memory where it is known.

    `data`: None where there are no images. `digest`: the weights' own, where it is known. `dense`: whose answers stand
    in for labels, as in `gather_scores`.

    Raises:
        InputError: the spec needs images and there are none; or as `gather_scores`.
        Cancelled: `cancel()` became true.
    """
    if not spec.needs_images:
        return None
    if data is None:
        raise without_images(spec)
    teacher = None if dense is None or data.labels.get("train") is not None else weights_digest(dense)
    digest = digest or weights_digest(model)
    known = remembered(digest, data, spec, teacher)
    if known is not None:
        return known
    found = gather_scores(model, graph, data, spec, dense=dense, progress=progress, cancel=cancel)
    with _LOCK:
        _KNOWN[_key(digest, data, spec, teacher)] = found
        while len(_KNOWN) > 1 and sum(map(_bytes, _KNOWN.values())) > MOST_BYTES:
            _KNOWN.popitem(last=False)
    return found


def remembered(digest: str, data: Dataset, spec: PruneSpec, teacher: str | None = None) -> Statistics | None:
    """Statistics that were gathered before, if they still are in memory: at once, whoever computes meanwhile.

    `digest`: of the weights. `teacher`: of the network whose answers stand in for labels.
    """
    key = _key(digest, data, spec, teacher)
    with _LOCK:
        if key in _KNOWN:
            _KNOWN.move_to_end(key)
        return _KNOWN.get(key)


def _key(digest: str, data: Dataset, spec: PruneSpec, teacher: str | None) -> tuple[object, ...]:
    return digest, teacher, data.digest, *key_of(spec)


def _bytes(found: Statistics) -> int:
    return sum(scores.nbytes for scores in found.scores.values())

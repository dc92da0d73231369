"""Networks that a process of the pool opened, kept for the next job: thirty runs of one network trace it once."""

from __future__ import annotations

from collections import OrderedDict

from pruning.catalog.openers import OPENERS, parse_reference
from pruning.data.preprocess import Preprocess
from pruning.data.readers import is_on_this_machine_alone
from pruning.jobs.queue.worker import is_pool
from pruning.subject import Subject, open_subject

MOST = 2
_Key = tuple[str, tuple[int, ...], str, str | None]
_KEPT: OrderedDict[_Key, Subject] = OrderedDict()


def opened(ref: str, data: str, data_dir: str | None, preprocess: Preprocess | None) -> Subject:
    """As `open_subject`; in a process of the pool what was opened a moment ago is the same object, and must not be
    changed. Files of one's own are opened anew each time: they may have changed."""
    reference = parse_reference(ref)
    opener = OPENERS[reference.kind]
    if not is_pool() or opener.is_path or preprocess is not None or is_on_this_machine_alone(data):
        return open_subject(ref, data, data_dir, preprocess)
    key = (ref, opener.stamp(reference), data, data_dir)
    if key not in _KEPT:
        _KEPT[key] = open_subject(ref, data, data_dir, preprocess)
        while len(_KEPT) > MOST:
            _KEPT.popitem(last=False)
    _KEPT.move_to_end(key)
    return _KEPT[key]

"""How often the test images were looked at for a network: each look makes the next figure a little less honest.

A folder for each network and data set in the cache, and in it a file for each look: so nothing is lost where two
processes look at once.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime

from pruning.base import safe_json
from pruning.base.files import cache_dir, create_file


def note_look(model_digest: str, data_digest: str, by: str) -> int | None:
    """Note that the test images of a data set were looked at for an unpruned network, or one pruned from it; how often
    that was, this look included, or None where the cache cannot be written. `by`: who looked, such as 'evaluate'.
    """
    key = hashlib.sha256(f"{model_digest} {data_digest}".encode()).hexdigest()[:32]
    folder = cache_dir() / "looks" / key
    said = safe_json.dump({"by": by, "at": datetime.now(UTC).isoformat()})
    try:
        folder.mkdir(parents=True, exist_ok=True)
        create_file(folder / f"{secrets.token_hex(8)}.json", said)
        return sum(entry.name.endswith(".json") and not entry.name.startswith(".") for entry in folder.iterdir())
    except OSError:
        return None


def looks_words(looks: int) -> str:
    """
    >>> looks_words(1), looks_words(3)
    ('the test images were looked at once for this network', 'the test images were looked at 3 times for this network')
    """
    return f"the test images were {looked_at(looks)} for this network"


def looked_at(looks: int) -> str:
    """
    >>> looked_at(1), looked_at(3)
    ('looked at once', 'looked at 3 times')
    """
    return f"looked at {'once' if looks == 1 else f'{looks:,} times'}"

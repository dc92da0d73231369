"""What looks at a file that a visitor sent, in a process with limits: `python -m pruning.uploads.look KIND REFERENCE
MEGABYTES SECONDS`. One JSON object on standard output; whatever else is printed goes to standard error.
"""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable, Mapping
from typing import Any

from pruning.base.errors import InputError, PruningError
from pruning.base.safe_json import dump

LARGEST_FILE = 2 * 2**30
"""Bytes of any file that it may write, such as an index of images in the cache."""


def weights(reference: str) -> Mapping[str, Any]:
    """Open the network that a reference names with the weights in the file, and say what it is.

    Raises:
        PruningError: the weights do not fit, or cannot be read.
    """
    from pruning.catalog.openers import open_network

    network = open_network(reference)
    return {
        "title": network.title,
        "weights": network.weights,
        "params": sum(parameter.numel() for parameter in network.model.parameters()),
    }


def images(reference: str) -> Mapping[str, Any]:
    """Say what the images are, and read one of each role.

    Raises:
        PruningError: they cannot be read.
    """
    from pruning.data.info import ROLES
    from pruning.data.readers import describe_data, open_data

    info = describe_data(reference)
    data = open_data(reference)
    for role in ROLES:
        if data.length(role):
            data.image(role, 0)
    return {
        "title": info.title,
        "classes": len(info.classes),
        "labelled": info.labelled,
        "sizes": dict(info.sizes),
        "remarks": list(info.remarks),
    }


def bundles(reference: str) -> Mapping[str, Any]:
    """Take the bundle in the file in as a run, without running anything of it, and say where that is.

    Raises:
        PruningError: it is none, or there is no room for it.
    """
    from pathlib import Path

    from pruning.runs import default_runs_dir, read_run
    from pruning.runs.quota import check_room
    from pruning.runs.take_in import take_in

    check_room()
    found = take_in(Path(reference), default_runs_dir())
    return {"title": read_run(found.path).network, "run": str(found.path), "remarks": list(found.remarks)}


LOOKS: dict[str, Callable[[str], Mapping[str, Any]]] = {"weights": weights, "images": images, "bundles": bundles}
"""By the kind of what was sent."""


def look(kind: str, reference: str) -> dict[str, Any]:
    """What `LOOKS` says, or `error` with a sentence."""
    try:
        return dict(LOOKS[kind](reference))
    except PruningError as error:
        return {"error": str(error)}
    except MemoryError:
        return {"error": "It needs more memory than a file that is sent may take here: send fewer or smaller parts."}
    except Exception as error:  # a library's own, at a file that somebody else made
        return {"error": f"It cannot be read: {type(error).__name__} while it was opened. Save it anew and try again."}


def limit(megabytes: int, seconds: int) -> None:
    """From here on this process takes so much more memory, and so much time, and no more."""
    import torch  # noqa: F401 - trusted, and large: what it takes is not the file's

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE, LARGEST_FILE))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 5))
    most = _mapped() + megabytes * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _mapped() -> int:
    """Bytes of memory that this process has mapped."""
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def main(kind: str, reference: str, megabytes: str, seconds: str) -> int:
    """Look, and print what was found."""
    if kind not in LOOKS:
        raise InputError(f"There is no kind '{kind}': there is {', '.join(LOOKS)}.")
    result = os.dup(1)
    os.dup2(2, 1)  # whoever prints must not stand in the result
    limit(int(megabytes), int(seconds))
    with open(result, "wb") as out:
        out.write(dump(look(kind, reference)))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

"""The pruning engine: decide what to prune, remove it exactly, measure what is left.

In a notebook, begin with `pruning.open("sample:mini_resnet")`. For a network of your own: `pruning.remove_channels`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pruning.base.extras import need

if TYPE_CHECKING:
    from pruning.export.bundle.live import export_bundle
    from pruning.export.bundle.written import Bundle
    from pruning.notebook import Cut, Network, Result
    from pruning.notebook import open as open
    from pruning.removal.remove import Locked, Removal, remove_channels
    from pruning.repair.live import Refitted, refit

__all__ = [
    "Bundle",
    "Cut",
    "Locked",
    "Network",
    "Refitted",
    "Removal",
    "Result",
    "export_bundle",
    "refit",
    "remove_channels",
]
"""Without `open`: * would hide Python's."""
_PLACES = {
    "export_bundle": "pruning.export.bundle.live",
    "Bundle": "pruning.export.bundle.written",
    **dict.fromkeys(("Locked", "Removal", "remove_channels"), "pruning.removal.remove"),
    **dict.fromkeys(("Refitted", "refit"), "pruning.repair.live"),
    **dict.fromkeys(("Cut", "Network", "Result", "open"), "pruning.notebook"),
}


def __dir__() -> list[str]:
    """What there is to use, also before it is loaded."""
    return sorted({*globals(), *_PLACES})


def __getattr__(name: str) -> Any:
    """Load the engine when it is first asked for: importing torch takes seconds."""
    if name not in _PLACES:
        raise AttributeError(f"module 'pruning' has no attribute '{name}'")
    if _PLACES[name] == "pruning.notebook":
        need("notebook", f"pruning.{name}")
    return getattr(import_module(_PLACES[name]), name)

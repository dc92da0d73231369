"""The pruning engine: decide what to prune, remove it exactly, measure what is left."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pruning.removal import Locked, Removal, remove_channels

__all__ = ["Locked", "Removal", "remove_channels"]


def __getattr__(name: str) -> Any:
    """Load the engine when it is first asked for: importing torch takes seconds."""
    if name not in __all__:
        raise AttributeError(f"module 'pruning' has no attribute '{name}'")
    from pruning import removal

    return getattr(removal, name)

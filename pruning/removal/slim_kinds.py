"""What is known of a class of attention and its replacement."""

from __future__ import annotations

from dataclasses import dataclass
from operator import attrgetter

from torch import nn

from pruning.removal.slim_attention import SlimMultiheadAttention


@dataclass(frozen=True, kw_only=True)
class SlimKind:
    """A class of attention and its replacement."""

    original: type[nn.Module]
    slim: type[nn.Module]
    """Has the same parameter names and behaviour, and remembers the size of a head as `head_dim`."""
    heads: str
    """Attribute with the number of heads."""
    projections: tuple[str, ...]
    """Weights that project to queries, keys and values, all at once or each by itself; those that a module has not
    are None."""

    def rows(self, module: nn.Module) -> int:
        """Length of what they project to, queries, keys and values together."""
        weights = (attrgetter(name)(module) for name in self.projections)
        return sum(len(weight) for weight in weights if weight is not None)


ATTENTION = SlimKind(
    original=nn.MultiheadAttention,
    slim=SlimMultiheadAttention,
    heads="num_heads",
    projections=("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"),
)

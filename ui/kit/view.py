"""In which ways a page can look at things: its settings, each with what is allowed there. A link carries them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pruning.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One way in which a page can look at things: its key in the session and what is allowed there."""

    key: str
    allowed: Callable[[Any], bool]
    says: Callable[[Subject, Any], bool] = lambda subject, value: True
    """Whether a value says anything beyond what the page shows of that network at first."""


View = Mapping[str, Setting]
"""Settings of a page, by the names that they have in links."""


def one_of(key: str, choices: Any) -> Setting:
    """A setting with choices."""
    return Setting(
        key=key, allowed=lambda value: type(value) in {type(choice) for choice in choices} and value in choices
    )

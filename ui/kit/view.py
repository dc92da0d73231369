"""In which ways a page can look at things: its settings, each with what is allowed there. A link carries them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pruning.base.errors import InputError
from ui.kit import state

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


def one_of(key: str, choices: Collection[Any]) -> Setting:
    """A setting with choices."""
    return Setting(
        key=key, allowed=lambda value: type(value) in {type(choice) for choice in choices} and value in choices
    )


def changed(view: View) -> dict[str, Any]:
    """Values of the settings that are not as at first, by name."""
    now = {name: state.get(setting.key) for name, setting in view.items()}
    return {name: value for name, value in now.items() if value is not None and value != state.DEFAULTS[view[name].key]}


def check(view: View, values: Mapping[str, Any]) -> None:
    """Raises InputError where a link's values are not what the page offers."""
    for name, value in values.items():
        if name not in view or not view[name].allowed(value):
            raise InputError(f"The link sets '{name}' to '{value}', which this page does not offer: ask for it again.")


def put(view: View, values: Mapping[str, Any]) -> None:
    """Set the page to a link's values, which were checked."""
    for name, value in values.items():
        state.put(view[name].key, value)

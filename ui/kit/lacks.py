"""What a network lacks for its answers to mean anything."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pruning.subject import Subject


def unmeasured(subject: Subject) -> str | None:
    """Why no metric of its answers is shown, to go on 'accuracy is absent: …'; None where one is.

    A network that has learnt nothing has one, and it means nothing.
    """
    lack = next((lack.words for lack in subject.lacks if lack.part == "training"), None)
    return subject.missing or lack

"""What draws the activities of lessons: one module each, imported when it is first shown.

A module here has the name that `pruning.lessons.activities` gives the activity, and one function:

    def show(stage: Stage) -> None

`ui.learn.stage.Stage` gives it the lesson's settings and controls, its words, its memory, the network and the images,
and takes what the learner did.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ui.learn.stage import Stage


def drawing(activity: str) -> Callable[[Stage], None]:
    """The function that draws an activity."""
    function: Callable[[Stage], None] = import_module(f"{__name__}.{activity}").show
    return function

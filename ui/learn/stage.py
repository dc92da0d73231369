"""What an activity is given: its lesson's settings and controls, words, memory, network and images; and whom to tell.

def show(stage: Stage) -> None:
    percent = stage.control("percent", st.slider, stage.say("percent"), 0, 95, step=5, format="%d %%")
    cut = PruneSpec(sparsity=percent / 100)
    ...
    if percent:
        stage.acted(percent=percent, macs=now.macs)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import streamlit as st

from pruning.criteria import CRITERIA
from pruning.lessons.activities import ACTIVITIES, Fact, Kind, Value, settings_of
from pruning.lessons.lesson import Lesson
from pruning.lessons.library import Course
from ui.kit import loaders
from ui.learn import progress

if TYPE_CHECKING:
    from pruning.subject import Subject

_VALUES = "learn_values"
_MEMORY = "learn_memory"
_FACTS = "learn_facts"
_MOVED = "learn_moved"
_MEASURED = "learn_measured"


@dataclass(frozen=True, kw_only=True)
class Stage:
    """One lesson's right side."""

    course: Course
    lesson: Lesson
    hidden: tuple[str, ...] = ()
    """Controls that a link hides, beyond those that the lesson does not show."""
    locked: tuple[str, ...] = ()
    """Controls that a link shows without letting them change."""
    given: Mapping[str, Value] = field(default_factory=dict)
    """Values that a link sets its controls to at first, or for good where they are locked or hidden."""
    chosen: dict[str, Any] = field(default_factory=dict, init=False)
    """What the activity lets choose beyond its settings, for the code to copy."""
    _told: dict[str, Fact] = field(default_factory=dict, init=False)

    def say(self, key: str, /, **values: object) -> str:
        """A text of this activity, in the page's language."""
        return self.course.say(self.lesson.activity, key, **values)

    def criterion(self, name: str) -> str:
        """What a criterion is called: in the page's language, else as elsewhere in the explorer."""
        return self.words.get(name) or CRITERIA[name].title

    @property
    def words(self) -> Mapping[str, str]:
        """All texts of this activity, in the page's language: for what draws several of them."""
        return self.course.words[self.lesson.activity]

    def shows(self, name: str) -> bool:
        """Whether a control is on screen."""
        return name in self.lesson.controls and name not in self.hidden

    def is_locked(self, name: str) -> bool:
        """Whether a control may not be changed."""
        return name in self.locked

    def is_free(self, name: str) -> bool:
        """Whether the learner can change a control; a lesson asks for nothing that a link has taken away."""
        return self.shows(name) and not self.is_locked(name)

    def value(self, name: str) -> Any:
        """What a setting stands at: the learner's value where there is a control for it, else the link's or the
        lesson's."""
        start = self.given.get(name, self.lesson.setting(name))
        return _of(_VALUES, self.lesson.id).get(name, start) if self.is_free(name) else start

    def choices(self, name: str) -> tuple[Any, ...]:
        """What a setting may stand at, where it is one of several values."""
        return settings_of(self.lesson.activity)[name].allowed

    def put(self, name: str, value: Any) -> None:
        """Set a control's value, before it is drawn in this run or from a callback."""
        _of(_VALUES, self.lesson.id)[name] = value
        st.session_state[self._key(name)] = value
        self._moved().discard(name)

    def control(self, name: str, widget: Callable[..., Any], label: str, *args: Any, **options: Any) -> Any:
        """Draw the control of a setting unless it is hidden; gives the setting's value either way.

        `widget`: `st.slider`, `column.selectbox`, ...; its value is kept for the session, lesson by lesson.
        """
        if not self.shows(name):
            return self.value(name)
        key = self._key(name)
        if key not in st.session_state or name not in self._moved():
            # Told anew in each run: when a run is cut short by the next, the browser never hears of its values.
            st.session_state[key] = self.value(name)
            self._moved().discard(name)
        disabled = options.pop("disabled", False) or self.is_locked(name)
        widget(label, *args, key=key, on_change=self._keep, args=(name,), disabled=disabled, **options)
        return self.value(name)

    @property
    def memory(self) -> dict[str, Any]:
        """What the activity wants to remember of this lesson for the session, under names of its own."""
        return _of(_MEMORY, self.lesson.id)

    def subject(self) -> Subject:
        """The lesson's network with its images, shared by all sessions: never changed. Raises PruningError."""
        return loaders.open_subject(self.value("network"), self.value("data"))

    def tell(self, **facts: Fact) -> None:
        """What is found so far; `facts` (the table lists their names) judge, explain, and answer a prediction."""
        self._told.update(facts)

    def acted(self, **facts: Fact) -> None:
        """The learner has done the lesson's thing; `facts` as in `tell`."""
        self.tell(**facts)
        progress.mark(self.lesson.id, acted=True)

    @property
    def told(self) -> Mapping[str, Fact]:
        """What was told in this run of the page."""
        return self._told

    def badge_of(self, fact: str) -> Kind:
        """How a fact that is a number was found."""
        return ACTIVITIES[self.lesson.activity].numbers[fact]

    @property
    def measured_before(self) -> dict[str, Any]:
        """What answered the lesson's prediction, kept for the session while controls move elsewhere."""
        return _of(_MEASURED, self.lesson.id)

    @property
    def may_judge(self) -> bool:
        """Whether the activity may say in words what the question asks: not before it is answered."""
        return self.lesson.question is None or progress.of(self.lesson.id).is_settled

    def conclude(self) -> None:
        """The activity is on screen whole: what it told now takes the place of what it told of other settings."""
        known = _of(_FACTS, self.lesson.id)
        known.clear()
        known.update(self._told)

    @property
    def facts(self) -> Mapping[str, Fact]:
        """What the activity tells of what is on screen."""
        return _of(_FACTS, self.lesson.id)

    def _key(self, name: str) -> str:
        return f"lesson_{self.lesson.id}_{name}"

    def _keep(self, name: str) -> None:
        _of(_VALUES, self.lesson.id)[name] = st.session_state[self._key(name)]
        self._moved().add(name)

    def _moved(self) -> set[str]:
        """Controls whose value came from the browser since this lesson was opened: that one knows where they are."""
        lesson, names = st.session_state.get(_MOVED, ("", set()))
        if lesson != self.lesson.id:
            names = set()
            st.session_state[_MOVED] = (self.lesson.id, names)
        found: set[str] = names
        return found


def forget() -> None:
    """Start over: no values, memories or facts of any lesson."""
    for part in (_VALUES, _MEMORY, _FACTS, _MOVED, _MEASURED, "learn_open"):
        st.session_state.pop(part, None)
    for key in [key for key in st.session_state if str(key).startswith("lesson_")]:
        del st.session_state[key]


def _of(part: str, lesson: str) -> dict[str, Any]:
    found: dict[str, Any] = st.session_state.setdefault(part, {}).setdefault(lesson, {})
    return found

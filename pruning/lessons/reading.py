"""Read lessons from a YAML file: every mistake is one sentence that names the file, the lesson and the field."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml

from pruning.base import safe_yaml
from pruning.base.errors import InputError, first_line
from pruning.lessons.activities import ACTIVITIES, Value, check_value, settings_of
from pruning.lessons.fields import LONGEST, check_known, is_number, text_of, unit_of
from pruning.lessons.lesson import END, Lesson, LessonFile, Question, Reference, can_keep
from pruning.lessons.prediction import read_prediction

LARGEST = 400_000
"""Bytes of a file."""
MOST = 60
"""Lessons in a file."""
_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_FIELDS = {"id", "title", "short", "text", "more", "do", "activity", "settings", "controls", "predict", "question",
           "done", "references"}  # fmt: skip
_QUESTION = {"text", "choices", "answer", "answer_from", "tolerance", "unit", "hint", "explain"}
_REFERENCE = {"text", "arxiv", "doi"}
_ARXIV = re.compile(r"\d{4}\.\d{4,5}")
_DOI = re.compile(r"10\.\d{4,9}/[-._;()/:A-Za-z0-9]{1,100}")


def read_course(path: Path) -> LessonFile:
    """One language's file: `words:` and `lessons:`."""
    try:
        content = _content(path)
        words = content.get("words", {})
        if not isinstance(words, dict) or not all(isinstance(texts, dict) for texts in words.values()):
            raise InputError(f"{path.name}: `words` must hold parts with texts.")
        odd = [key for texts in words.values() for key in texts if not isinstance(key, str)]
        if odd:
            raise InputError(f"{path.name}: a key of `words` is {odd[0]}: put yes, no, on and off into quotes.")
    except InputError as error:
        return LessonFile(lessons=(), words={}, problems=(str(error),))
    lessons, problems = _lessons(content, path.name)
    texts = {
        part: {key: str(text) for key, text in entries.items() if text is not None} for part, entries in words.items()
    }
    return LessonFile(lessons=tuple(lessons), words=texts, problems=tuple(problems))


def read_lessons(path: Path) -> tuple[list[Lesson], list[str]]:
    """The lessons of a teacher's file, and what is wrong with it; a bad lesson does not keep out the others."""
    try:
        return _lessons(_content(path), path.name)
    except InputError as error:
        return [], [str(error)]


def read_lesson(entry: Any) -> Lesson:
    """One lesson of a file.

    Raises:
        InputError: a field is missing, unknown or not allowed; the sentence begins with the field.
    """
    if not isinstance(entry, dict):
        raise InputError("a lesson must have fields: `id`, `title`, `text`, `do`, `activity`.")
    check_known(entry, _FIELDS)
    ident = text_of(entry, "id")
    if not _ID.fullmatch(ident):
        raise InputError("`id` must be 1 to 40 small letters, digits, - or _: it stands in the lesson's address.")
    if ident == END:
        raise InputError(f"`id` {END} is the page after the last lesson: choose another.")
    activity = text_of(entry, "activity")
    if activity not in ACTIVITIES:
        raise InputError(f"`activity` '{activity[:40]}' does not exist. Choose one of: {', '.join(ACTIVITIES)}.")
    question = _question(entry["question"], activity) if entry.get("question") is not None else None
    done = entry.get("done", "answered" if question else "acted")
    if done not in ("answered", "acted", "both"):
        raise InputError("`done` must be answered, acted or both.")
    if question is None and done != "acted":
        raise InputError(f"`done` is {done}, but there is no `question`: add one, or write `done: acted`.")
    title = text_of(entry, "title")
    settings = _settings(entry.get("settings") or {}, activity)
    controls = _controls(entry.get("controls") or [], activity)
    predict = read_prediction(entry["predict"], activity) if entry.get("predict") is not None else None
    for name, value in (predict.at if predict else {}).items():
        if name not in controls and settings.get(name, settings_of(activity)[name].default) != value:
            raise InputError(f"`predict.at.{name}` is {value}, but the lesson does not show that control.")
    return Lesson(
        id=ident,
        title=title,
        short=text_of(entry, "short") if "short" in entry else title,
        text=text_of(entry, "text"),
        more=text_of(entry, "more") if "more" in entry else "",
        do=text_of(entry, "do"),
        activity=activity,
        settings=settings,
        controls=controls,
        predict=predict,
        question=question,
        done=done,
        references=_references(entry.get("references") or []),
    )


def _content(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > LARGEST:
            raise InputError(f"{path.name} is too long for a file of lessons: at most {LARGEST:,} bytes.")
        content = safe_yaml.load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        problem = safe_yaml.problem(error)
        raise InputError(f"{path.name} is not YAML: {problem}. Put texts with a colon into quotes.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} could not be read: {first_line(error)}.") from error
    if not isinstance(content, dict) or not isinstance(content.get("lessons"), list):
        raise InputError(f"{path.name} must begin with `lessons:` and list them.")
    return content


def _lessons(content: dict[str, Any], file: str) -> tuple[list[Lesson], list[str]]:
    lessons: list[Lesson] = []
    problems: list[str] = []
    for number, entry in enumerate(content["lessons"][:MOST], 1):
        named = entry.get("id") if isinstance(entry, dict) else None
        name = named[:40] if isinstance(named, str) and named else f"number {number}"
        try:
            lesson = read_lesson(entry)
            if any(lesson.id == other.id for other in lessons):
                raise InputError("`id` is that of another lesson in this file.")
            lessons.append(lesson)
        except InputError as error:
            problems.append(f"{file}, lesson {name}: {error}")
    if len(content["lessons"]) > MOST:
        problems.append(f"{file} has more than {MOST} lessons: put those after number {MOST} into another file.")
    return lessons, problems


def _question(entry: Any, activity: str) -> Question:
    if not isinstance(entry, dict):
        raise InputError("`question` must have fields: `text`, `choices`, `answer`, `explain`.")
    check_known(entry, _QUESTION, "question.")
    choices = entry.get("choices") or {}
    if not isinstance(choices, dict) or not all(
        isinstance(key, str) and isinstance(words, str) and len(words) <= LONGEST for key, words in choices.items()
    ):
        raise InputError("`question.choices` must be a name and a text each, such as `same: It stays the same`.")
    if not all(can_keep(name) for name in choices):
        raise InputError("`question.choices`: a name must be 1 to 40 characters on one line.")
    facts = ACTIVITIES[activity].facts
    answer, source = entry.get("answer"), entry.get("answer_from")
    if (answer is None) == (source is None):
        raise InputError("`question.answer` must say what is right (or `question.answer_from`, which fact says it).")
    if source is not None and source not in facts:
        raise InputError(f"`question.answer_from` must be a fact of {activity}: {', '.join(facts) or 'it has none'}.")
    if choices and answer is not None and not (isinstance(answer, str) and answer in choices):
        raise InputError(f"`question.answer` must be one of the choices: {', '.join(choices)}.")
    if not choices and answer is not None and not is_number(answer):
        raise InputError("`question.answer` must be a number where there are no `question.choices`.")
    tolerance = entry.get("tolerance", 0)
    if not is_number(tolerance) or tolerance < 0:
        raise InputError("`question.tolerance` must be a number, zero or more.")
    explain = text_of(entry, "explain", "question.")
    unknown = sorted(set(re.findall(r"\{(\w*)\}", explain)) - set(facts))
    if unknown:
        raise InputError(f"`question.explain` has {{{unknown[0]}}}, which is no fact of {activity}.")
    return Question(
        text=text_of(entry, "text", "question."),
        choices=choices,
        answer=answer,
        answer_from=source,
        tolerance=float(tolerance),
        unit=unit_of(entry),
        hint=text_of(entry, "hint", "question.") if entry.get("hint") is not None else "",
        explain=explain,
    )


def _settings(entries: Any, activity: str) -> dict[str, Value]:
    if not isinstance(entries, dict):
        raise InputError("`settings` must be names with values.")
    known = settings_of(activity)
    found: dict[str, Value] = {}
    for name, value in entries.items():
        if name not in known:
            raise InputError(f"`settings.{str(name)[:40]}` does not exist: {activity} has {', '.join(known)}.")
        wrong = check_value(known[name], value)
        if wrong:
            raise InputError(f"`settings.{name}` {wrong}.")
        found[name] = tuple(value) if isinstance(value, list) else value
    return found


def _controls(entries: Any, activity: str) -> tuple[str, ...]:
    known = ACTIVITIES[activity].controls
    if not isinstance(entries, list) or not all(entry in known for entry in entries):
        raise InputError(f"`controls` must be a list of controls that {activity} has: {', '.join(known) or 'none'}.")
    return tuple(entries)


def _references(entries: Any) -> tuple[Reference, ...]:
    if not isinstance(entries, list):
        raise InputError("`references` must be a list.")
    found = []
    for entry in entries:
        if not isinstance(entry, dict):
            raise InputError("`references`: each needs a `text`, and may have `arxiv` or `doi`.")
        check_known(entry, _REFERENCE, "references.")
        link = None
        if entry.get("arxiv") is not None:
            if not isinstance(entry["arxiv"], str) or not _ARXIV.fullmatch(entry["arxiv"]):
                raise InputError("`references.arxiv` must be a number such as '1506.02626', in quotes.")
            link = f"https://arxiv.org/abs/{entry['arxiv']}"
        elif entry.get("doi") is not None:
            if not _DOI.fullmatch(str(entry["doi"])):
                raise InputError("`references.doi` must look like 10.1109/ISSCC.2014.6757323.")
            link = f"https://doi.org/{entry['doi']}"
        found.append(Reference(text=text_of(entry, "text", "references."), link=link))
    return tuple(found)

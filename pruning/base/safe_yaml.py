"""YAML from strangers: plain values only, each written out, and whatever is wrong with it is a `yaml.YAMLError`."""

from __future__ import annotations

from typing import Any

import yaml

from pruning.base.errors import first_line

LARGEST = 2**63
"""Whole numbers stay below it: one of 5,000 digits cannot even be shown in a message."""


def load(text: str) -> Any:
    """The values in a YAML text.

    Raises:
        yaml.YAMLError: it is not YAML, nested too deeply, repeats a part by an alias, or holds a value that is none.
    """
    try:
        return yaml.load(text, _Loader)
    except yaml.YAMLError:
        raise
    except RecursionError as error:
        raise yaml.YAMLError("it is nested too deeply") from error
    except Exception as error:  # of the many that '2024-13-01', '0x_' or '!!int ""' raise, none is a YAMLError
        raise yaml.YAMLError(first_line(error)) from error


def problem(error: yaml.YAMLError) -> str:
    """What is wrong, in a few words: 'mapping values are not allowed here (line 3)'."""
    words = " ".join(str(getattr(error, "problem", None) or first_line(error)).split())[:200]
    mark = getattr(error, "problem_mark", None)
    return f"{words} (line {mark.line + 1})" if mark else words


class _Loader(yaml.SafeLoader):
    """Refuses aliases, with which a few lines become gigabytes, and texts that are no Unicode."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()
        if isinstance(event, yaml.AliasEvent):
            raise _refused("a part is repeated by an alias (*): write it out", event)
        if isinstance(event, yaml.ScalarEvent) and any("\ud800" <= letter <= "\udfff" for letter in event.value):
            raise _refused("a text holds a stray half of a character", event)
        return super().compose_node(parent, index)

    def construct_yaml_int(self, node: Any) -> int:
        value: int = super().construct_yaml_int(node)
        if abs(value) >= LARGEST:
            raise _refused("a number is too large", node)
        return value


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_yaml_int)


def _refused(what: str, where: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=what, problem_mark=where.start_mark)

"""What can go wrong, in the user's terms. App and command line catch `PruningError` only."""


class PruningError(Exception):
    """Root of all errors meant for people: one clear sentence saying what, where and what to do."""


class InputError(PruningError, ValueError):
    """A value the user gave is not allowed: a sparsity, a layer name, a recipe, a file."""


class DataError(PruningError):
    """Images are missing, corrupt, or not what the data set should hold."""


class RemovalError(PruningError):
    """A removed model did not equal its masked model, so it is not handed out."""


class StorageError(PruningError):
    """A run could not be written or read back: a full disk, a missing or damaged file."""


class RequirementError(PruningError):
    """A finished run does not meet what `--require` asked for."""


class NoisyError(PruningError):
    """The machine was too noisy for a time."""


class Cancelled(PruningError):
    """The user cancelled; nothing half-finished is kept as a result."""


def excerpt(text: str, length: int = 80) -> str:
    """A text that somebody gave, to be quoted inside a sentence: cut short, and what cannot be printed is a '?'.

    >>> excerpt("sample:lenet5"), excerpt("a\\nb"), excerpt("a" * 5000, 3)
    ('sample:lenet5', 'a?b', 'aaa…')
    """
    start = "".join(letter if letter.isprintable() else "?" for letter in text[:length])
    return start if len(text) <= length else f"{start}…"


def first_line(error: BaseException, length: int = 200) -> str:
    """The first line of somebody else's error, to be quoted inside a sentence; its kind where it says nothing."""
    line = next((line.strip() for line in str(error).splitlines() if line.strip()), type(error).__name__)
    return excerpt(line, length).rstrip(". ")

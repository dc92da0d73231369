"""Who a visitor is: a random secret in a cookie, and the name that follows from it, which tells nothing of it."""

from __future__ import annotations

import hashlib
import re
import secrets

COOKIE = "pruning_visitor"
DAYS = 400
"""How long a browser keeps the cookie after its last visit; browsers keep none for longer."""
_SECRET = re.compile(r"[A-Za-z0-9_-]{43}")
_VISITOR = re.compile(r"[0-9a-f]{32}")


def new_secret() -> str:
    """32 random bytes in letters that a cookie may hold."""
    return secrets.token_urlsafe(32)


def is_secret(text: str) -> bool:
    """Whether a cookie's text can be one that this server has set."""
    return _SECRET.fullmatch(text) is not None


def new_visitor() -> str:
    """A name for somebody new, who has no cookie."""
    return secrets.token_hex(16)


def is_visitor(text: str) -> bool:
    """Whether a text can be a visitor's name: 32 hexadecimal digits."""
    return _VISITOR.fullmatch(text) is not None


def visitor_of(secret: str) -> str:
    """The name that stands for a secret in files and on pages: 32 hexadecimal digits, the same each time. Nobody can
    tell the secret from it.

    >>> visitor_of("x" * 43)
    '19983f64793db9e97a817f003b5b8000'
    """
    return hashlib.sha256(f"visitor of the Pruning Explorer\n{secret}".encode()).hexdigest()[:32]

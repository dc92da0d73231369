"""Which names a server answers to. A page of somebody else that makes a browser take its name for this server's (DNS
rebinding) sends that name: it is refused, for pages and sockets alike. Numbers are let through, for no name is behind
them."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

EVERYWHERE = (None, "", "0.0.0.0", "::")
"""Addresses that stand for all networks of a machine."""
_NAME = re.compile(r"(\*\.)?([a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*")


def is_host_name(text: str) -> bool:
    """Whether a text can be listed: a name such as 'class.example.org', or '*.example.org' for all below it.

    >>> is_host_name("*.example.org"), is_host_name("http://example.org"), is_host_name("*")
    (True, False, False)
    """
    return len(text) <= 253 and _NAME.fullmatch(text.lower()) is not None


def own_names(address: str | None, listed: Iterable[str] = ()) -> frozenset[str]:
    """Names that a server bound to an address answers to: `localhost`, the address where it is a name, the machine's
    own unless the address is `localhost`, and those that its owner has listed."""
    names = {"localhost", *listed}
    if address != "localhost":
        own = socket.gethostname()
        names |= {own, own.partition(".")[0], f"{own.partition('.')[0]}.local", address or own}
    return frozenset(name.lower().rstrip(".") for name in names if not _is_number(name))


def is_allowed(host: str | None, names: Iterable[str]) -> bool:
    """Whether a request's Host is one of these names, `*.` in front standing for anything below it, or a number.

    >>> is_allowed("localhost:8501", {"localhost"}), is_allowed("evil.example", {"localhost"})
    (True, False)
    >>> is_allowed("[::1]:8501", set()), is_allowed("a.example.org", {"*.example.org"})
    (True, True)
    """
    name = name_of(host)
    if name is None:
        return False
    if _is_number(name) or name.endswith(".localhost"):  # of the latter browsers ask nobody
        return True
    return any(name == known or (known.startswith("*.") and name.endswith(known[1:])) for known in names)


def own_number() -> str | None:
    """The number under which other machines of the network reach this one; None where it is in none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect(("192.0.2.1", 9))  # chooses a way there, and sends nothing
            return str(asked.getsockname()[0])
        except OSError:
            return None


def _is_number(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def name_of(host: str | None) -> str | None:
    """The name in a Host header, without its port; None where it is no host."""
    try:
        parts = urlsplit(f"//{host or ''}")
        _ = parts.port  # raises where it is no number
    except ValueError:
        return None
    if not parts.hostname or parts.username is not None or parts.path or parts.query or parts.fragment:
        return None
    return parts.hostname.lower().rstrip(".")


def is_local(page: str) -> bool:
    """Whether an address leads to the reader's own machine only, so that nobody else can follow it.

    >>> is_local("http://localhost:8501/prune"), is_local("http://192.168.1.5:8501/")
    (True, False)
    """
    host = urlsplit(page).hostname or "localhost"
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return found.is_loopback or found.is_unspecified


def to_open(address: str | None) -> str:
    """What a browser on the server's own machine asks for.

    >>> to_open("0.0.0.0"), to_open("::1"), to_open("10.0.0.5")
    ('localhost', '[::1]', '10.0.0.5')
    """
    if address in EVERYWHERE:
        return "localhost"
    return f"[{address}]" if ":" in str(address) else str(address)

"""The tables of `pruning.toml`, each with its settings, what they are where nobody says anything, and their bounds."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from pruning.base.errors import InputError, excerpt
from pruning.base.files import cache_dir
from pruning.base.hosts import is_host_name


@dataclass(frozen=True, kw_only=True)
class PythonFiles:
    """`[python]`: files with code, whose functions make networks or images. Opening one runs it on the server."""

    allowed: bool = False
    """Whether they may be opened in the app; even then only where it serves this machine alone."""
    folders: tuple[Path, ...] = ()
    """Where they may lie."""

    def __post_init__(self) -> None:
        if self.allowed and not self.folders:
            raise InputError("[python] allows files with code but names no folders: list those that may hold them.")


@dataclass(frozen=True, kw_only=True)
class DataFolders:
    """`[data]`: images on the server that visitors may choose."""

    folders: tuple[Path, ...] = ()
    """Folders and files offered by name. Where the app serves this machine alone, any other can be typed as well."""


@dataclass(frozen=True, kw_only=True)
class Uploads:
    """`[uploads]`: files that visitors send."""

    folder: Path = field(default_factory=lambda: cache_dir() / "uploads")
    """Where they are kept, each under a random name."""
    largest_weights_mb: int = 500
    """0: no weights can be sent."""
    largest_images_mb: int = 500
    """Of a zip, npz or Parquet file; 0: none can be sent."""
    largest_bundles_mb: int = 500
    """Of a pruned network's bundle; 0: none can be sent."""
    hours: float = 24
    """How long they are kept after they were last opened; those that a run names stay until the run is deleted."""
    memory_mb: int = 4000
    """What the process that checks them may take, beside what PyTorch itself takes."""
    seconds: int = 300
    """How long it may take."""

    def __post_init__(self) -> None:
        for name, least, most in (
            ("largest_weights_mb", 0, 20_000),
            ("largest_images_mb", 0, 20_000),
            ("largest_bundles_mb", 0, 20_000),
            ("hours", 0.1, 8760),
            ("memory_mb", 200, 1_000_000),
            ("seconds", 5, 3600),
        ):
            if not least <= getattr(self, name) <= most:
                raise InputError(f"[uploads] {name} goes from {least:g} to {most:g}, not {getattr(self, name):g}.")

    @property
    def largest_mb(self) -> int:
        """The largest file of any kind."""
        return max(self.largest_weights_mb, self.largest_images_mb, self.largest_bundles_mb)


@dataclass(frozen=True, kw_only=True)
class Server:
    """`[server]`: who can reach the app, and what a visitor's network may cost."""

    public: bool = False
    """Whether others reach it although it is bound to this machine alone, as behind a proxy."""
    hosts: tuple[str, ...] = ()
    """Names that it answers to, beside its machine's own; `*.example.org` is everything below that name."""
    largest_network_millions: int = 150
    """Parameters of a network that is opened in the browser; four bytes each, and several are held at once."""

    def __post_init__(self) -> None:
        for host in self.hosts:
            if not is_host_name(host):
                raise InputError(
                    f"[server] hosts takes names such as class.example.org or *.example.org, not '{excerpt(host)}'."
                )
        if not 1 <= self.largest_network_millions <= 100_000:
            raise InputError(
                f"[server] largest_network_millions goes from 1 to 100000, not {self.largest_network_millions}."
            )


@dataclass(frozen=True, kw_only=True)
class Queue:
    """`[queue]`: how many jobs this machine carries out at once, and how many may wait."""

    workers: int = 0
    """Jobs carried out side by side; 0: one for each processor core."""
    threads: int = 1
    """Of each of them."""
    jobs_per_worker: int = 200
    """After so many a process makes room for a new one."""
    memory_mb: int = 3000
    """A process that takes more than this after a job makes room for a new one."""
    idle_seconds: int = 300
    """A process that nobody has needed for so long ends."""
    most_waiting: int = 1000
    most_waiting_each: int = 50
    """Of one visitor."""

    def __post_init__(self) -> None:
        for name, least, most in (
            ("workers", 0, 1024),
            ("threads", 1, 1024),
            ("jobs_per_worker", 1, 1_000_000),
            ("memory_mb", 200, 1_000_000),
            ("idle_seconds", 1, 86_400),
            ("most_waiting", 1, 100_000),
            ("most_waiting_each", 1, 100_000),
        ):
            if not least <= getattr(self, name) <= most:
                raise InputError(f"[queue] {name} goes from {least:,} to {most:,}, not {getattr(self, name):,}.")


@dataclass(frozen=True, kw_only=True)
class Runs:
    """`[runs]`: how much disk runs may take, and how long deleted ones are kept."""

    megabytes: int = 0
    """Of all runs together; above it none can be started, once deleted ones have made room. 0: no limit."""
    megabytes_per_visitor: int = 0
    """Of the runs that one visitor alone asked for. 0: no limit."""
    trash_days: float = 7
    """For so long deleted runs can be brought back."""

    def __post_init__(self) -> None:
        for name, least, most in (
            ("megabytes", 0, 1_000_000_000),
            ("megabytes_per_visitor", 0, 1_000_000_000),
            ("trash_days", 0, 3650),
        ):
            if not least <= getattr(self, name) <= most:
                raise InputError(f"[runs] {name} goes from {least:g} to {most:g}, not {getattr(self, name):g}.")


@dataclass(frozen=True, kw_only=True)
class Latency:
    """`[latency]`: how networks are timed, on pages, in runs and by commands alike."""

    threads: int = 1
    """Of PyTorch, while a network is timed."""

    def __post_init__(self) -> None:
        if not 1 <= self.threads <= 1024:
            raise InputError(f"[latency] threads goes from 1 to 1,024, not {self.threads:,}.")

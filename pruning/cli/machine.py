"""What this machine has: memory, cores, and the kind of disk below a folder. As a container lets it be seen."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

CGROUP, MEMINFO, MOUNTS = Path("/sys/fs/cgroup"), Path("/proc/meminfo"), Path("/proc/self/mounts")
_NETWORK = (
    "nfs",
    "cifs",
    "smb",
    "sshfs",
    "lustre",
    "gpfs",
    "beegfs",
    "ceph",
    "9p",
    "afs",
    "glusterfs",
    "s3fs",
    "rclone",
)
"""Beginnings of the names of file systems that lie on other machines."""


def core_count() -> int:
    """Processor cores that this process may use, as a share of one is counted as one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with suppress(OSError, ValueError):
        quota, period = (CGROUP / "cpu.max").read_text().split()
        if quota != "max":
            cores = min(cores, max(1, round(int(quota) / int(period))))
    return cores


def free_memory() -> int | None:
    """Bytes that programs can still take; None where the machine does not say."""
    free: list[int] = []
    with suppress(OSError, ValueError, IndexError):
        found = dict(line.split(":", 1) for line in MEMINFO.read_text().splitlines())
        free.append(int(found["MemAvailable"].split()[0]) * 1024)
    with suppress(OSError, ValueError):
        most = (CGROUP / "memory.max").read_text().strip()
        if most != "max":
            free.append(max(0, int(most) - int((CGROUP / "memory.current").read_text())))
    return min(free, default=None)


def file_system(folder: Path) -> str:
    """The kind of file system that a folder lies on, such as 'ext4' or 'nfs4'; '' where the machine does not say."""
    best, kind = "", ""
    real = os.path.realpath(folder)
    with suppress(OSError):
        for line in MOUNTS.read_text(errors="replace").splitlines():
            _, place, found, *_ = [*line.split(" "), "", ""]
            place = place.replace("\\040", " ")
            inside = real == place or real.startswith(f"{place.rstrip('/')}/")
            if inside and len(place) >= len(best):
                best, kind = place, found
    return kind


def is_network(kind: str) -> bool:
    """Whether a kind of file system lies on another machine.

    >>> is_network("nfs4"), is_network("fuse.sshfs"), is_network("ext4")
    (True, True, False)
    """
    return kind.removeprefix("fuse.").startswith(_NETWORK)

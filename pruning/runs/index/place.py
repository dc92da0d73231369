"""Where the index of a folder of runs lies: on a disk of this machine, also where the runs lie on a network."""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path

from pruning.base.files import cache_dir

VARIABLE = "PRUNING_INDEX"
"""Environment variable with the folder of all indexes, in place of `index` in the cache folder."""
NETWORK = frozenset(
    ("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "lustre", "beegfs", "gpfs", "glusterfs", "orangefs")
)
"""Kinds of file systems on which several machines write: a database with a write-ahead log must not lie there."""


def index_path(runs: Path) -> Path:
    """The file of the index of a folder of runs; links lead to the same one."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(runs))).hexdigest()[:24]
    return index_folder() / f"runs-{name}.sqlite3"


def index_folder() -> Path:
    """Where all indexes lie: PRUNING_INDEX, else the cache folder, else where that is on a network the folder for
    temporary files."""
    named = os.environ.get(VARIABLE)
    folder = Path(named) if named else cache_dir() / "index"
    if is_on_network(folder):
        return Path(tempfile.gettempdir()) / f"pruning-explorer-{os.getuid()}" / "index"
    return folder


def is_on_network(path: Path, mounts: Path = Path("/proc/self/mounts")) -> bool:
    """Whether a path lies on a network file system, as far as this system says so."""
    try:
        lines = mounts.read_text(errors="replace").splitlines()
    except OSError:
        return False
    real, best, kind = os.path.realpath(path), "", ""
    for line in lines:
        parts = line.split(" ")
        if len(parts) < 3:
            continue
        point = parts[1].encode().decode("unicode_escape", "replace")
        if len(point) >= len(best) and (real == point or real.startswith(point.rstrip("/") + "/")):
            best, kind = point, parts[2]
    return kind in NETWORK or kind in ("fuse.sshfs", "fuse.glusterfs", "fuse.rclone", "fuse.s3fs")

"""What a server says when it starts where others can reach it: who can see what."""

from __future__ import annotations

from pruning.base.hosts import EVERYWHERE, own_names, own_number, to_open
from pruning.settings import Settings


def sentences(held: Settings, address: str | None, port: int) -> list[str]:
    """Lines for the terminal: where it answers, and what visitors see, may do and may not."""
    names = sorted(own_names(address, held.server.hosts) - {"localhost"})
    images = "".join(f", {folder.name}" for folder in held.data.folders)
    uploads = held.uploads
    takes = [
        f"{kind} up to {most:,} MB"
        for kind, most in (
            ("weights", uploads.largest_weights_mb),
            ("images", uploads.largest_images_mb),
            ("bundles", uploads.largest_bundles_mb),
        )
        if most
    ]
    listed = " and ".join(part for part in (", ".join(takes[:-1]), *takes[-1:]) if part)
    sent = f"They can send {listed}, which only they can open." if takes else "They can send no files."
    here = (own_number() or to_open(address)) if address in EVERYWHERE else to_open(address)
    return [
        f"Others open it at http://{here}:{port}. Everybody who can reach it can use it, without a password: serve it "
        "on a network you trust.",
        f"It answers to its numbers and to {', '.join(names) or 'localhost'} (more names: [server] hosts in "
        "pruning.toml).",
        "Each visitor sees and cancels their own runs; a run of others is seen by whoever has its link, and nobody "
        "else can cancel or delete it.",
        f"Visitors can open networks by name and these images: the built-in ones{images}; no other file of this "
        f"machine. {sent}",
        "Runs made on the command line are seen by their link alone.",
    ]

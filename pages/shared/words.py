"""Numbers as people read them; they live in the engine, for reports say them too."""

from pruning.markup.words import amount, interval, milliseconds, percent, ratio, size

__all__ = ["amount", "interval", "milliseconds", "percent", "ratio", "size"]

"""Learn: short lessons, each with one thing to do on a real network."""

from __future__ import annotations

from pages.shared import header

chosen = header.show("Learn")

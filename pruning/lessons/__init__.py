"""Lessons as data: what a lesson is, which activities it can have, and how its files are read."""

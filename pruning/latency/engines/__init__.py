"""Engines that run a network on this machine, and how long it takes on each."""

"""A bundle: the pruned network in a folder that works without the explorer, and that says how this was proven."""

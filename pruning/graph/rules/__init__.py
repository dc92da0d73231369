"""Label rules: how labels go through a kind of call. `pruning.graph.ops` says which op has which rule."""

"""A network as a list of calls, carried out one by one on what a plan leaves: for what-if, and for repair."""

"""What criteria need of a network and its data, gathered once; and how weights are spread."""

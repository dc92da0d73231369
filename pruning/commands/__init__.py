"""What the larger commands of the command line do: each returns its JSON object and its lines of text."""

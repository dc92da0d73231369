"""What the commands of the command line do: each gives its JSON object and its lines of text, or raises."""

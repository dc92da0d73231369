"""Images of one's own: what a folder, a zip or a file of arrays holds, which image has which role, and reading them."""

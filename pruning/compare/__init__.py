"""Two networks beside each other: what changed in words, picture by picture, class by class and layer by layer."""

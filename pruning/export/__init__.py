"""What leaves the explorer as a file of its own."""

"""Files that go into a bundle as they stand here: none of them imports anything of the explorer."""

"""One script a claim; each prints JSON with versions and machine, and its exit status says whether the claim holds."""

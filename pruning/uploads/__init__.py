"""Files that visitors of the web pages send: kept under random names, and looked at in a process of their own first.

`spool.py` keeps them, `check.py` has a process look at them, `look.py` is what that process does.
"""

"""How work is asked to stop."""

from collections.abc import Callable

Cancel = Callable[[], bool]
"""True once the work shall stop; it is asked between steps."""

"""The what-if engine: accuracy that follows the sliders. `WhatIf(model, graph, data).follow(plan)`."""

from pruning.whatif.engine import Measured, Precision, WhatIf

__all__ = ["Measured", "Precision", "WhatIf"]

"""The engine for notebooks: open a network, look into it, cut, run. What a cell ends with shows itself."""

from pruning.notebook.accuracy import Accuracy
from pruning.notebook.cut import Cut
from pruning.notebook.network import Network, open
from pruning.notebook.result import Result

__all__ = ["Accuracy", "Cut", "Network", "Result", "open"]

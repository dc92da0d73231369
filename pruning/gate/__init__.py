"""The gate: before anything is pruned, what the unpruned network makes of one's own images, and whether that can be.

first = look(subject)
first.words          # 'Unpruned, net gets 93.8 % (91.3–95.6 %) of 500 select images right.'
first.doubt          # why that is suspicious, or None
try_others(subject, first)   # what other crops, normalisations, channel orders and class orders would give
"""

from pruning.gate.look import Example, Look, look
from pruning.gate.trials import Trial, explaining, try_others

__all__ = ["Example", "Look", "Trial", "explaining", "look", "try_others"]

"""One rule for each kind of call: how labels go through it. A call without a rule locks what reaches it."""

from pruning.graph.rules import contractions, elementwise, moves, norms, recurrent
from pruning.graph.rules.call import Rule

RULES: dict[str, Rule] = {
    **elementwise.RULES,
    **moves.RULES,
    **contractions.RULES,
    **norms.RULES,
    **recurrent.RULES,
}

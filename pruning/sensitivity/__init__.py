"""How well each channel group, or weight tensor, bears pruning on its own, and what that says about all together."""

from pruning.sensitivity.curves import (
    IMAGES,
    SPARSITIES,
    Curve,
    Joint,
    Point,
    Sensitivity,
    outline,
    ranking_of,
)
from pruning.sensitivity.figures import FIGURES, Figure, FigureName, Figures
from pruning.sensitivity.interaction import (
    Gap,
    Prediction,
    interaction_gap,
    kept_of,
    limits_plan,
    measure_joint,
    predict_joint,
)
from pruning.sensitivity.limits import Limits, kept_within, largest_within
from pruning.sensitivity.repairs import scan_repaired
from pruning.sensitivity.scan import Meter, scan
from pruning.sensitivity.tighten import Tightened, Trial, is_within, tighten

__all__ = [
    "FIGURES",
    "IMAGES",
    "SPARSITIES",
    "Curve",
    "Figure",
    "FigureName",
    "Figures",
    "Gap",
    "Joint",
    "Limits",
    "Meter",
    "Point",
    "Prediction",
    "Sensitivity",
    "Tightened",
    "Trial",
    "interaction_gap",
    "is_within",
    "kept_of",
    "kept_within",
    "largest_within",
    "limits_plan",
    "measure_joint",
    "outline",
    "predict_joint",
    "ranking_of",
    "scan",
    "scan_repaired",
    "tighten",
]

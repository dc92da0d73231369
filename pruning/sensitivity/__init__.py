"""How well each channel group, or weight tensor, bears pruning on its own, and what that says about all together."""

from pruning.sensitivity.curves import (
    FIGURES,
    IMAGES,
    SPARSITIES,
    Curve,
    Figure,
    FigureName,
    Figures,
    Joint,
    Point,
    Sensitivity,
    largest_within,
    outline,
    ranking_of,
)
from pruning.sensitivity.interaction import (
    Gap,
    Prediction,
    interaction_gap,
    kept_of,
    limits_plan,
    measure_joint,
    predict_joint,
)
from pruning.sensitivity.scan import Meter, scan

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
    "Meter",
    "Point",
    "Prediction",
    "Sensitivity",
    "interaction_gap",
    "kept_of",
    "largest_within",
    "limits_plan",
    "measure_joint",
    "outline",
    "predict_joint",
    "ranking_of",
    "scan",
]

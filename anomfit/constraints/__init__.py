"""What else a model must satisfy: published limits and rates, each with a prediction and a likelihood term."""

from anomfit.constraints.base import About, Constraint, HasLightBosons, Outcome
from anomfit.constraints.report import NOT_A_NUMBER, ConstraintRow, constraint_table

__all__ = [
    "NOT_A_NUMBER",
    "About",
    "Constraint",
    "ConstraintRow",
    "HasLightBosons",
    "Outcome",
    "constraint_table",
]

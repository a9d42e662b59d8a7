"""Which constraints a model is not asked, and why: a missing method, or a spin or flavour of which it says nothing."""

from collections.abc import Iterable

from anomfit.capabilities import HasLightBosons, Needs, called, offers, together
from anomfit.constraints.base import Constraint


def refused(model: object, constraints: Iterable[Constraint]) -> dict[str, str]:
    """Name and reason of each of the `constraints` that the model is not asked.

    Static: what methods the model has, and the spins of its light bosons, which are traced and not computed.
    """
    reasons = {entry.name: reason_of_refusal(model, entry) for entry in constraints}
    return {name: reason for name, reason in reasons.items() if reason}


def reason_of_refusal(model: object, constraint: Constraint) -> str:
    """Why this model is not asked about the constraint, "" where it is."""
    if offers(model, constraint.accepts):
        return ""
    lacking = [_lacking(model, needs) for needs in constraint.accepts]
    of_another = any(not methods for methods in lacking)  # light bosons of another spin, neutrinos of another flavour
    if of_another:
        return constraint.about.other_spins
    fewest = min(lacking, key=len)
    return "; ".join(f"needs {called(kind)}: see anomfit.capabilities.{kind.__name__}" for kind in fewest)


def _lacking(model: object, needs: Needs) -> list[type]:
    """Capabilities whose methods the model lacks; one that asks for a spin or a flavour stands for the plain one."""
    asked = [HasLightBosons if hasattr(kind, "spins") else getattr(kind, "base", kind) for kind in together(needs)]
    return [kind for kind in asked if not isinstance(model, kind)]

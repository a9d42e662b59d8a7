"""The form factors and the binding of nucleons of a model that scatters by scalar exchange."""

from anomfit.errors import reject
from anomfit.parameters import Point
from anomfit.physics.bound_nucleons import BOUND
from anomfit.physics.nucleon_scalar import SCALAR_DIPOLE_MASS
from anomfit.physics.scalar_upscattering import FormFactors

WORDS = {
    "nucleon_form_factor": ("dipole", "constant"),
    "nuclear_form_factor": ("measured", "helm", "exponential"),
    "bound_nucleons": tuple(BOUND),
}


def check_words(**chosen: str) -> None:
    """Refuse a static name that `FormFactors` does not know; arguments are named as in WORDS."""
    for field, word in chosen.items():
        if word not in WORDS[field]:
            raise reject(field, word, f"use one of {', '.join(WORDS[field])}")


def stated(nucleon: str, nucleus: str, bound: str, effect: str) -> dict[str, str]:
    """The words in force with what they mean; effect: what blocking does to this model's events."""
    blocked = f"{bound}: {BOUND[bound]}" + (f"; {effect}" if bound == "fermi-gas" else "")
    return {"nucleon form factor": nucleon, "nuclear form factor": nucleus, "bound nucleons": blocked}


def form_factors(nucleon: str, nucleus: str, bound: str, nuisances: Point) -> FormFactors:
    """Those of these static names (see `FormFactors`), the dipole mass from the nuisances."""
    return FormFactors(nucleon, nucleus, nuisances.get(SCALAR_DIPOLE_MASS.name, SCALAR_DIPOLE_MASS.mean), bound)

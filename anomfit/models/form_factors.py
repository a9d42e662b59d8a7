"""The form factors of a model that scatters by scalar exchange."""

from anomfit.parameters import Point
from anomfit.physics.nucleon_scalar import SCALAR_DIPOLE_MASS
from anomfit.physics.scalar_upscattering import FormFactors


def form_factors(nucleon: str, nucleus: str, nuisances: Point) -> FormFactors:
    """Those of these static names (see `FormFactors`), the dipole mass from the nuisances."""
    return FormFactors(nucleon, nucleus, nuisances.get(SCALAR_DIPOLE_MASS.name, SCALAR_DIPOLE_MASS.mean))

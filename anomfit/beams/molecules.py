"""What scintillators and glass are made of, a molecule at a time, and how many molecules a mass has."""

from anomfit.beams.flux import Target
from anomfit.physics.constants import ATOMIC_MASS_UNIT, M_C12, M_E, M_N, M_P

AVOGADRO = 6.02214076e23  # 1/mol

CARBON = Target("C12", M_C12, 1.0, 6, 6)
CH = (CARBON, Target("proton", M_P, 7.0, 1, 0), Target("neutron", M_N, 6.0, 0, 1))
GLASS = (
    Target("Si28", 27.976927 * ATOMIC_MASS_UNIT - 14.0 * M_E, 1.0, 14, 14),
    Target("O16", 15.994915 * ATOMIC_MASS_UNIT - 8.0 * M_E, 2.0, 8, 8),
    Target("proton", M_P, 30.0, 1, 0),
    Target("neutron", M_N, 30.0, 0, 1),
)


def molecules(tonnes: float, molar_mass: float) -> float:
    """Molecules in a mass (t) of a substance of that molar mass (g/mol)."""
    return 1e6 * tonnes / molar_mass * AVOGADRO

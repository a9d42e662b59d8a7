"""What scintillators and glass are made of, a molecule at a time, and how many molecules a mass has."""

from collections.abc import Mapping

from anomfit.physics.constants import ATOMIC_MASS_UNIT, M_C12, M_E, M_N, M_P
from anomfit.physics.nuclei import nucleus
from anomfit.physics.targets import Target

AVOGADRO = 6.02214076e23  # 1/mol
HYDROGEN = "H1"

CARBON = Target("C12", M_C12, 1.0, 6, 6)
CH = (
    CARBON,
    Target("proton", M_P, 7.0, 1, 0, (("C12", 6.0),)),
    Target("neutron", M_N, 6.0, 0, 1, (("C12", 6.0),)),
)
GLASS = (
    Target("Si28", 27.976927 * ATOMIC_MASS_UNIT - 14.0 * M_E, 1.0, 14, 14),
    Target("O16", 15.994915 * ATOMIC_MASS_UNIT - 8.0 * M_E, 2.0, 8, 8),
    Target("proton", M_P, 30.0, 1, 0, (("Si28", 14.0), ("O16", 16.0))),
    Target("neutron", M_N, 30.0, 0, 1, (("Si28", 14.0), ("O16", 16.0))),
)


def compound(atoms: Mapping[str, float]) -> tuple[Target, ...]:
    """Scatterers of a substance: atoms of each kind in a molecule (or moles in 100 g), by nucleus or "H1".

    The nuclei whole, each one target, then all protons and all neutrons, those of nuclei as bound.
    """
    kinds = [(nucleus(name), count) for name, count in atoms.items() if name != HYDROGEN]
    whole = [Target(of.name, of.mass, count, of.protons, of.neutrons) for of, count in kinds]
    protons = tuple((of.name, count * of.protons) for of, count in kinds)
    neutrons = tuple((of.name, count * of.neutrons) for of, count in kinds)
    free = atoms.get(HYDROGEN, 0.0)
    return (
        *whole,
        Target("proton", M_P, free + sum(count for _, count in protons), 1, 0, protons),
        Target("neutron", M_N, sum(count for _, count in neutrons), 0, 1, neutrons),
    )


def molecules(tonnes: float, molar_mass: float) -> float:
    """Molecules in a mass (t) of a substance of that molar mass (g/mol)."""
    return 1e6 * tonnes / molar_mass * AVOGADRO

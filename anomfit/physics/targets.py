"""What neutrinos scatter off: stacked scatterers, scalar form factors, what binding leaves of nucleons. GeV."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.errors import reject
from anomfit.parameters import Nuisance, Point
from anomfit.physics.bound_nucleons import BOUND, allowed, momentum_squared
from anomfit.physics.nuclear_form_factors import B_CARBON_12, exponential, fourier_bessel, helm, measured
from anomfit.physics.nuclei import charge_density, nucleus
from anomfit.physics.nucleon_scalar import SCALAR_DIPOLE_MASS, dipole

WORDS: Mapping[str, tuple[str, ...]] = {
    "nucleon": ("dipole", "constant"),
    "nucleus": ("measured", "fourier-bessel", "helm", "exponential"),
    "bound": tuple(BOUND),
}


@dataclass(frozen=True)
class FormFactors:
    """Which form factors are used (static words) and the nucleon's scalar mass M_S in GeV.

    nucleon: "dipole" or "constant" (as published in 2010.06159); nucleus: "measured", "fourier-bessel" (as measured
    where no density is known), "helm" or "exponential" (as published, with carbon's slope for every nucleus), as in
    `nuclear_form_factors`; bound: one of `bound_nucleons.BOUND`, "none" as published.
    """

    nucleon: str
    nucleus: str
    M_S: ArrayLike
    bound: str = "none"
    slope: ArrayLike = B_CARBON_12  # GeV^-2, of "exponential"


jax.tree_util.register_dataclass(FormFactors, data_fields=["M_S", "slope"], meta_fields=["nucleon", "nucleus", "bound"])


@dataclass(frozen=True)
class TargetChoices:
    """What is assumed of every target alike: static words, the table [targets] of a card, as in `FormFactors`.

    Raises InputError for a word that is not one of WORDS.
    """

    nucleon: str = "dipole"
    nucleus: str = "measured"
    bound: str = "fermi-gas"

    def __post_init__(self):
        for field in fields(self):
            word, known = getattr(self, field.name), WORDS[field.name]
            if word not in known:
                raise reject(f"targets.{field.name}", word, f"use one of {', '.join(known)}")

    @property
    def nuisances(self) -> tuple[Nuisance, ...]:
        """The nucleon's scalar dipole mass, where a dipole is used."""
        return (SCALAR_DIPOLE_MASS,) if self.nucleon == "dipole" else ()

    def form_factors(self, nuisances: Point) -> FormFactors:
        """The form factors in force, the dipole mass from the nuisances."""
        M_S = nuisances.get(SCALAR_DIPOLE_MASS.name, SCALAR_DIPOLE_MASS.mean)
        return FormFactors(self.nucleon, self.nucleus, M_S, self.bound)

    def stated(self, effect: str) -> dict[str, str]:
        """The words in force with what they mean; effect: what blocking does to a model's events."""
        blocked = f"{self.bound}: {BOUND[self.bound]}" + (f"; {effect}" if self.bound == "fermi-gas" else "")
        return {"nucleon form factor": self.nucleon, "nuclear form factor": self.nucleus, "bound nucleons": blocked}


MEASURED_TARGETS = TargetChoices()


@dataclass(frozen=True)
class Target:
    """A scatterer in a molecule of the detector: `count` of them; spin-0 nuclei scatter coherently.

    bound: how many of `count` nucleons are bound, in which nucleus, (("C12", 6.0),) for the 8 protons of CH2, two of
    which are free.
    """

    name: str  # "proton", "neutron" or "C12", as `nuclei.nucleus` spells it
    mass: float  # GeV
    count: float
    protons: int
    neutrons: int
    bound: tuple[tuple[str, float], ...] = ()

    @property
    def is_nucleus(self) -> bool:
        """Whether the target scatters as a whole, with a nuclear form factor."""
        return self.protons + self.neutrons > 1

    @property
    def alone(self) -> "Target":
        """One of them, its `bound` the share that is bound."""
        return replace(self, count=1.0, bound=tuple((name, number / self.count) for name, number in self.bound))


class Targets(NamedTuple):
    """The scatterers of a molecule, one an entry (NumPy: static); masses in GeV."""

    mass: np.ndarray
    number: np.ndarray
    protons: np.ndarray
    neutrons: np.ndarray
    is_nucleus: np.ndarray
    name: tuple[str, ...]
    bound: tuple[tuple[tuple[str, float], ...], ...]  # as `Target.bound`


def stack_targets(composition: tuple[Target, ...]) -> Targets:
    """The targets of a molecule as arrays."""
    return Targets(
        mass=np.array([target.mass for target in composition]),
        number=np.array([target.count for target in composition]),
        protons=np.array([target.protons for target in composition], dtype=float),
        neutrons=np.array([target.neutrons for target in composition], dtype=float),
        is_nucleus=np.array([target.is_nucleus for target in composition]),
        name=tuple(target.name for target in composition),
        bound=tuple(target.bound for target in composition),
    )


def scalar_structure(
    q_squared: Float[Array, "... targets"], targets: Targets, form_factors: FormFactors
) -> Float[Array, "... targets"]:
    """Squared scalar form factor of each target at Q^2 in GeV^2, times what binding leaves of its nucleons.

    Target by target: a nucleus's form factor costs more than the rest of the amplitude.
    """
    each = [
        of_nucleus(q_squared[..., i], name, form_factors) ** 2
        if targets.is_nucleus[i]
        else _of_nucleon(q_squared[..., i], form_factors) ** 2
        * allowed_fraction(i, q_squared[..., i], targets, form_factors)
        for i, name in enumerate(targets.name)
    ]
    return jnp.stack(each, axis=-1)


def of_nucleus(q_squared: Float[Array, "..."], name: str, form_factors: FormFactors) -> Float[Array, "..."]:
    """The form factor in force of a nucleus, 1 at Q^2 = 0."""
    if form_factors.nucleus == "exponential":
        return exponential(q_squared, form_factors.slope)
    own, density = nucleus(name), charge_density(name)
    if form_factors.nucleus == "helm":
        return helm(q_squared, own.mass_number)
    if form_factors.nucleus == "fourier-bessel" and density is not None:
        return fourier_bessel(q_squared, *density)
    return measured(q_squared, own.charge_radius)


def allowed_fraction(i: int, q_squared: Float[Array, "..."], targets: Targets, form_factors: FormFactors):
    """Mean over the nucleons of target i, bound and free, of what binding leaves at Q^2; 1 where none is bound."""
    if form_factors.bound == "none" or not targets.bound[i]:
        return 1.0
    transfer = momentum_squared(q_squared, targets.mass[i])
    shares = [(name, count / targets.number[i]) for name, count in targets.bound[i]]
    free = 1.0 - sum(share for _, share in shares)
    return sum((share * _allowed(transfer, name, form_factors) for name, share in shares), start=free)


def _of_nucleon(q_squared, form_factors: FormFactors):
    return dipole(q_squared, form_factors.M_S) if form_factors.nucleon == "dipole" else jnp.ones_like(q_squared)


def _allowed(transfer, name: str, form_factors: FormFactors):
    momentum = nucleus(name).fermi_momentum
    return allowed(form_factors.bound, transfer, momentum, lambda x: of_nucleus(x, name, form_factors))

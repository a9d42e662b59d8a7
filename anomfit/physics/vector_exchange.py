"""nu + target -> N + target by the exchange of light vectors: dark photons, baryon number, any quark charges. GeV."""

from functools import partial
from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.exchange import Flown, pairs_of
from anomfit.physics.extremes import smallest
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.nucleon_vector import sachs_form_factors
from anomfit.physics.targets import FormFactors, Targets, allowed_fraction, of_nucleus

NUCLEONS = ("proton", "neutron")


class VectorExchange(NamedTuple):
    """Vectors of mass m (GeV) with a left-handed vertex g nubar gamma^mu P_L N and conserved quark currents.

    charge_p, charge_n: couplings to protons and neutrons at Q^2 = 0, (e eps, 0) for a dark photon, (g_B, g_B) for
    baryon number; by isospin those of quarks, c_u and c_d, are 2 c_u + c_d and c_u + 2 c_d. charge_n None: a dark
    photon, whose neutrons have magnetic moments alone. The target's spin is averaged; the part of the propagator along
    the momentum drops out, because the target's current is conserved. The same for Dirac and Majorana N and for
    antineutrinos. Rosenbluth's structure with a massive N, derived here and tested against explicit Dirac matrices.
    """

    m_N: Float[Array, ""]
    mass: Float[Array, "vectors"]
    g: Float[Array, "vectors"]
    charge_p: Float[Array, "vectors"]
    charge_n: Float[Array, "vectors"] | None
    form_factors: FormFactors

    @property
    def lightest(self) -> Float[Array, ""]:
        """The lightest vector's mass, GeV."""
        return smallest(self.mass)

    def couplings(self, targets: Targets) -> Float[Array, "targets terms"]:
        """Products of g times charge of two sources; every vector has one through protons and one through neutrons.

        A nucleus has Z and N of them; a nucleon one of each, whose share stands in its form factors.
        """
        alone = ~targets.is_nucleus
        strengths = [(self.g * self.charge_p)[:, None] * jnp.where(alone, 1.0, targets.protons)]
        if self.charge_n is not None:
            strengths.append((self.g * self.charge_n)[:, None] * jnp.where(alone, 1.0, targets.neutrons))
        each = jnp.concatenate(strengths)
        return jnp.stack([many * each[i] * each[j] for i, j, many in pairs_of(len(each))], axis=-1)

    def kernel(self, e_nu, q_squared, targets: Targets) -> Float[Array, "... targets terms"]:
        """|M|^2 / (64 pi M^2 E_nu^2) of two sources and their propagators, cm^2/GeV^2."""
        electric = electric_part(q_squared, e_nu, self.m_N, targets.mass)
        return self._terms(e_nu, q_squared, targets, electric, magnetic_part(q_squared, self.m_N))

    def polarised_kernel(self, e_nu, q_squared, flown: Flown, targets: Targets):
        """The lepton's tensor with m_N s in place of N's momentum, s the direction of the spin, and the other sign."""
        m_N = self.m_N
        along = e_nu * (flown.momentum - flown.energy * flown.cosine)  # k.s m_N, s along the flight
        across = -m_N * e_nu * safe_sqrt((1.0 - flown.cosine) * (1.0 + flown.cosine))
        found = []
        for k_s, p_s in ((along, targets.mass * flown.momentum), (across, 0.0)):
            parts = spin_parts(q_squared, e_nu, m_N, targets.mass, k_s, p_s)
            found.append(-self._terms(e_nu, q_squared, targets, *parts))
        return found[0], found[1]

    def _terms(self, e_nu, q_squared, targets: Targets, electric, magnetic) -> Float[Array, "... targets terms"]:
        """The kernel, or what stands in its place for one direction of N's spin."""
        own = range(1 if self.charge_n is None else 2)
        sources = [(which, mass) for which in own for mass in self.mass]
        terms = pairs_of(len(sources))
        parts = (jnp.broadcast_to(part, q_squared.shape) for part in (electric, magnetic))
        structure = partial(self._structure, q_squared, targets, *parts)
        structures = {(a, b): structure(a, b) for a in own for b in own if a <= b}
        found = []
        for i, j, _ in terms:
            (a, m_a), (b, m_b) = sources[i], sources[j]
            found.append(structures[min(a, b), max(a, b)] / ((q_squared + m_a**2) * (q_squared + m_b**2)))
        common = GEV2_TO_CM2 / (64.0 * jnp.pi * targets.mass**2 * e_nu**2)
        return jnp.stack([common * each for each in found], axis=-1)

    def _structure(self, q_squared, targets: Targets, electric, magnetic, a: int, b: int):
        """Squared amplitude without propagators for sources a and b: 0 couples to protons, 1 to neutrons."""
        each = []
        for i, name in enumerate(targets.name):
            at, m_target = q_squared[..., i], targets.mass[i]
            if targets.is_nucleus[i]:
                each.append(electric[..., i] * of_nucleus(at, name, self.form_factors) ** 2)
                continue
            kinds = NUCLEONS if targets.protons[i] else NUCLEONS[::-1]  # the struck one, and its mirror image
            (e_a, m_a), (e_b, m_b) = (sachs_form_factors(kinds[k], at, m_target) for k in (a, b))
            tau = at / (4.0 * m_target**2)
            charge = (e_a * e_b + tau * m_a * m_b) / (1.0 + tau) * electric[..., i]
            current = m_a * m_b * magnetic[..., i]
            each.append((charge + current) * allowed_fraction(i, at, targets, self.form_factors))
        return jnp.stack(each, axis=-1)


def electric_part(q_squared, e_nu, m_N, m_target):
    """(s - u)^2 - (4M^2 + Q^2)(m_N^2 + Q^2), GeV^4: the target of spin 0 and charge 1, whose current is p + p'."""
    s = m_target**2 + 2.0 * m_target * e_nu
    difference = 2.0 * s - 2.0 * m_target**2 - m_N**2 - q_squared
    return difference**2 - (4.0 * m_target**2 + q_squared) * (m_N**2 + q_squared)


def magnetic_part(q_squared, m_N):
    """(m_N^2 + Q^2)(2 Q^2 - m_N^2), GeV^4, of G_M^2 alone."""
    return (m_N**2 + q_squared) * (2.0 * q_squared - m_N**2)


def spin_parts(q_squared, e_nu, m_N, m_target, k_s, p_s):
    """`electric_part` and `magnetic_part` with m_N s in place of N's momentum, for a spin s orthogonal to it, GeV^4.

    k_s, p_s: products of m_N s (GeV) with the momenta of the neutrino and of the target, GeV^2.
    """
    s = m_target**2 + 2.0 * m_target * e_nu
    difference = 2.0 * s - 2.0 * m_target**2 - m_N**2 - q_squared
    electric = 2.0 * (difference * (2.0 * p_s + k_s) - (4.0 * m_target**2 + q_squared) * k_s)
    return electric, 2.0 * (m_N**2 + 2.0 * q_squared) * k_s

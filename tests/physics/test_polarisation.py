"""The polarisation of a heavy neutrino made by scalars or vectors, against explicit spinors with a spin projector."""

import dirac
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.beams.flux import Target
from anomfit.physics.constants import M_C12, M_N, M_P
from anomfit.physics.exchange import Flown, ScalarExchange, polarisation
from anomfit.physics.nucleon_vector import sachs_form_factors
from anomfit.physics.targets import FormFactors, stack_targets
from anomfit.physics.vector_exchange import VectorExchange

M_HEAVY = 0.42
FORMS = FormFactors("dipole", "helm", 1.0)
PROTON, NEUTRON = Target("proton", M_P, 1.0, 1, 0), Target("neutron", M_N, 1.0, 0, 1)
CARBON = Target("C12", M_C12, 1.0, 6, 6)
MASSES, G, CHARGE_P, CHARGE_N = [0.03, 0.5], [0.1, -0.2], [0.3, 0.6], [0.2, -0.7]


def vectors(m_N=M_HEAVY) -> VectorExchange:
    numbers = (jnp.asarray(numbers) for numbers in (MASSES, G, CHARGE_P, CHARGE_N))
    return VectorExchange(jnp.asarray(m_N), *numbers, FORMS)


def scalars(m_N=M_HEAVY) -> ScalarExchange:
    return ScalarExchange(
        jnp.asarray(m_N), *(jnp.asarray(numbers) for numbers in (MASSES, G, CHARGE_P, CHARGE_N)), FORMS
    )


def kinematics(mass, energy, cosine):
    """(Q^2, k, p, k', p') of an N at an angle to the beam in the plane of x and z; the target at rest."""
    e_N = np.linspace(M_HEAVY + 1e-9, energy, 400_001)
    p_N = np.sqrt(e_N**2 - M_HEAVY**2)
    off = 2.0 * mass * (energy - e_N) - (2.0 * energy * (e_N - p_N * cosine) - M_HEAVY**2)
    i = np.flatnonzero(np.diff(np.sign(off)))[-1]  # the faster of the two N
    e_N = e_N[i] - off[i] * (e_N[i + 1] - e_N[i]) / (off[i + 1] - off[i])
    p_N = np.sqrt(e_N**2 - M_HEAVY**2)
    cosine = (2.0 * energy * e_N - M_HEAVY**2 - 2.0 * mass * (energy - e_N)) / (2.0 * energy * p_N)
    k, p = np.array([energy, 0.0, 0.0, energy]), np.array([mass, 0.0, 0.0, 0.0])
    k_prime = np.array([e_N, p_N * np.sqrt(1.0 - cosine**2), 0.0, p_N * cosine])
    return 2.0 * mass * (energy - e_N), k, p, k_prime, p + k - k_prime


def vector_sources(target, q_squared, p, p_prime):
    """Currents J^mu of the target for each spin of it, the propagators of both vectors included."""
    strength = np.array(G) / (q_squared + np.array(MASSES) ** 2)
    of_p, of_n = (np.sum(strength * np.array(charges)) for charges in (CHARGE_P, CHARGE_N))
    if target.is_nucleus:
        return [(of_p + of_n) * (p + p_prime)]  # the form factor drops out of a polarisation
    own, mirrored = ("proton", "neutron") if target.name == "proton" else ("neutron", "proton")
    parts = zip(*(sachs_form_factors(name, q_squared, target.mass) for name in (own, mirrored)), strict=True)
    electric, magnetic = (float(of_p * a + of_n * b) for a, b in parts)
    tau, transfer = q_squared / (4.0 * target.mass**2), dirac.slash(p_prime - p)
    dirac_1, pauli = (electric + tau * magnetic) / (1.0 + tau), (magnetic - electric) / (1.0 + tau)
    vertex = [dirac_1 * g - pauli * (g @ transfer - transfer @ g) / (4.0 * target.mass) for g in dirac.GAMMA]
    return [
        np.array([dirac.bar(u) @ one @ v for one in vertex])
        for u in dirac.u_spinors(p_prime, target.mass)
        for v in dirac.u_spinors(p, target.mass)
    ]


def produced(spin, k, k_prime, vertices):
    """Squared amplitudes for N with this spin four-vector: the projector (1 + gamma_5 slash s)/2 on a basis."""
    total = 0.0
    projector = 0.5 * (dirac.ONE + dirac.GAMMA_5 @ dirac.slash(spin))
    for vertex in vertices:
        for v in dirac.u_spinors(k, 0.0):
            for u in dirac.u_spinors(k_prime, M_HEAVY):
                total += abs(dirac.bar(projector @ u) @ vertex @ v) ** 2
    return total


def explicit(k, k_prime, vertices):
    """(n(+s) - n(-s))/(n(+s) + n(-s)) along N's flight, across it towards the beam, and out of the plane."""
    momentum = np.linalg.norm(k_prime[1:])
    flight = k_prime[1:] / momentum
    towards = np.array([0.0, 0.0, 1.0]) - flight[2] * flight
    towards /= np.linalg.norm(towards)
    axes = (
        np.concatenate([[momentum], k_prime[0] * flight]) / M_HEAVY,
        np.concatenate([[0.0], towards]),
        np.array([0.0, 0.0, 1.0, 0.0]),
    )
    counts = [[produced(sign * axis, k, k_prime, vertices) for sign in (1.0, -1.0)] for axis in axes]
    return np.array([(plus - minus) / (plus + minus) for plus, minus in counts])


def found(exchange, target, energy, q_squared, k_prime):
    momentum = np.linalg.norm(k_prime[1:])
    flown = Flown(*(jnp.full(1, x) for x in (k_prime[0], momentum, k_prime[3] / momentum)))
    at = (jnp.full(1, energy), jnp.full(1, q_squared))
    return np.array(polarisation(exchange, *at, flown, stack_targets((target,)))).ravel()


@pytest.mark.parametrize("target", [PROTON, NEUTRON, CARBON], ids=lambda target: target.name)
@pytest.mark.parametrize(("energy", "cosine"), [(0.9, 0.97), (1.7, 0.999), (3.0, 0.8)])
def test_vectors_against_explicit_spinors(target, energy, cosine):
    """Two that interfere, with any charges."""
    q_squared, k, p, k_prime, p_prime = kinematics(target.mass, energy, cosine)
    currents = vector_sources(target, q_squared, p, p_prime)
    expected = explicit(k, k_prime, [dirac.slash(current) @ dirac.P_L for current in currents])
    result = found(vectors(), target, energy, q_squared, k_prime)
    np.testing.assert_allclose(result, expected[:2], atol=2e-7)
    assert abs(expected[2]) < 1e-9
    assert np.hypot(*result) <= 1.0 + 1e-12


@pytest.mark.parametrize("target", [PROTON, CARBON], ids=lambda target: target.name)
def test_scalars_against_explicit_spinors(target):
    """nubar P_R N made from nu: the vertex is P_L, whatever the target does."""
    q_squared, k, _, k_prime, _ = kinematics(target.mass, 1.7, 0.95)
    result = found(scalars(), target, 1.7, q_squared, k_prime)
    np.testing.assert_allclose(result, explicit(k, k_prime, [dirac.P_L])[:2], atol=2e-7)


def test_a_light_neutrino_keeps_its_helicity_with_vectors_and_turns_it_with_scalars():
    energy, q_squared = 1.0, 0.1
    momentum = energy - q_squared / (2.0 * M_P)
    flown = Flown(*(jnp.full(1, x) for x in (momentum, momentum, 1.0 - q_squared / (2.0 * energy * momentum))))
    at = (jnp.full(1, energy), jnp.full(1, q_squared), flown, stack_targets((PROTON,)))
    assert float(polarisation(vectors(1e-9), *at)[0][0]) == pytest.approx(-1.0, abs=1e-7)
    assert float(polarisation(scalars(1e-9), *at)[0][0]) == pytest.approx(1.0, abs=1e-7)


def test_nothing_made_has_no_polarisation_and_no_gradient():
    none = vectors()._replace(g=jnp.zeros(2))
    flown = Flown(*(jnp.full(1, x) for x in (0.9, 0.7959, 0.98)))
    at = (jnp.full(1, 1.0), jnp.full(1, 0.1), flown, stack_targets((PROTON,)))

    def total(scale):
        return sum(jnp.sum(part) for part in polarisation(none._replace(g=scale * none.g), *at))

    assert jax.value_and_grad(total)(1.0) == (0.0, 0.0)

"""A scalar off an exchanged vector: against explicit matrices, a table, a Monte Carlo of its own, and differences."""

from dataclasses import replace

import dirac
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.physics import boson_strahlung
from anomfit.physics.boson_strahlung import (
    BosonStrahlung,
    Nodes,
    Place,
    published_isoscalar,
    radiated,
    scalar_energy,
    squared_amplitude,
    structures,
    threshold_energy,
)
from anomfit.physics.constants import GEV2_TO_CM2, M_C12, M_N, M_P
from anomfit.physics.nuclear_form_factors import exponential
from anomfit.physics.nucleon_vector import sachs_form_factors
from anomfit.physics.targets import FormFactors, Target

AS_PUBLISHED = FormFactors("dipole", "exponential", 1.0)
NUCLEON, CARBON = Target("nucleon", 0.938272, 1.0, 1, 0), Target("C12", M_C12, 1.0, 6, 6)
PROTON, NEUTRON = Target("proton", M_P, 1.0, 1, 0), Target("neutron", M_N, 1.0, 0, 1)
SIN_DELTA, G_D, M_ZPRIME = 0.28, 2.85, 0.8
VERTEX = 2.0 * G_D * M_ZPRIME

cross_section = jax.jit(boson_strahlung.cross_section, static_argnames=("target", "nodes"))


def benchmark(scalar: str = "hprime", **changes) -> BosonStrahlung:
    """Table I of arXiv:2006.01948 for h' or H."""
    mass, mixing = {"hprime": (0.023, np.sqrt(1.0 - SIN_DELTA**2)), "H": (0.106, -SIN_DELTA)}[scalar]
    settings = {
        "m_N": 0.05,
        "m_scalar": mass,
        "m_vector": M_ZPRIME,
        "g": G_D * np.sqrt(2.6e-5),
        "charge": 3e-4,
        "G": VERTEX * mixing,
        "form_factors": AS_PUBLISHED,
        "isoscalar": "published",
    }
    return BosonStrahlung(**(settings | changes))


# -- the amplitude --------------------------------------------------------------------------------------------------


def decay(parent, m_1, m_2, direction):
    """Momenta of two daughters, the first along `direction` in the parent's rest frame."""
    mass = np.sqrt(dirac.dot(parent, parent))
    momentum = np.sqrt((mass**2 - (m_1 + m_2) ** 2) * (mass**2 - (m_1 - m_2) ** 2)) / (2.0 * mass)
    beta = parent[1:] / parent[0]
    pair = (dirac.four_momentum(m, sign * momentum * direction) for m, sign in ((m_1, 1.0), (m_2, -1.0)))
    return [dirac.boost(each, beta) for each in pair]


def thrown_momenta(process, M, energy, rng):
    """(k, p, k', p', q_h) at a random point of phase space."""
    k, p = np.array([energy, 0.0, 0.0, energy]), np.array([M, 0.0, 0.0, 0.0])
    low, high = process.m_N + process.m_scalar, np.sqrt(M**2 + 2.0 * M * energy) - M
    m_pair = rng.uniform(low, high)
    pair, p_prime = decay(k + p, m_pair, M, dirac.random_direction(rng))
    k_prime, q_h = decay(pair, process.m_N, process.m_scalar, dirac.random_direction(rng))
    return k, p, k_prime, p_prime, q_h


def place_of(k, p, k_prime, p_prime, q_h):
    pair = k_prime + q_h
    squares = (dirac.dot(x, x) for x in (k + p, pair, k - k_prime))
    return Place(*squares, -dirac.dot(p_prime - p, p_prime - p), dirac.dot(p + p_prime, k_prime))


def propagator(q, m):
    """g^{mu nu} - q^mu q^nu/m^2 over q^2 - m^2."""
    return (dirac.METRIC - np.outer(q, q) / m**2) / (dirac.dot(q, q) - m**2)


def hadron_currents(process, target, p, p_prime):
    """The target's current for every pair of spins, and what the sum of squares is divided by."""
    q, q_squared = p_prime - p, -dirac.dot(p_prime - p, p_prime - p)
    if target.is_nucleus:
        whole = (target.protons + target.neutrons) * float(exponential(q_squared, 25.0))
        return [whole * (p + p_prime)], 1.0
    if process.isoscalar == "published":
        electric, magnetic = (float(x) for x in published_isoscalar(q_squared, target.mass))
    else:
        both = [sachs_form_factors(name, q_squared, target.mass) for name in ("proton", "neutron")]
        electric, magnetic = (float(sum(x)) for x in zip(*both, strict=True))
    tau, slash = q_squared / (4.0 * target.mass**2), dirac.slash(q)
    F1, F2 = (electric + tau * magnetic) / (1.0 + tau), (magnetic - electric) / (1.0 + tau)
    # i sigma^{mu nu} q_nu = -(gamma^mu qslash - qslash gamma^mu)/2
    vertices = [F1 * g - F2 * (g @ slash - slash @ g) / (4.0 * target.mass) for g in dirac.GAMMA]
    currents = [
        np.array([dirac.bar(u) @ vertex @ v for vertex in vertices])
        for u in dirac.u_spinors(p_prime, target.mass)
        for v in dirac.u_spinors(p, target.mass)
    ]
    return currents, 2.0


@pytest.mark.parametrize("target", [NUCLEON, PROTON, NEUTRON, CARBON], ids=lambda target: target.name)
@pytest.mark.parametrize("isoscalar", ["published", "measured"])
def test_the_amplitude_with_full_propagators_against_explicit_matrices(target, isoscalar):
    """Masses of N and of the vector at which the longitudinal parts are of the size of the rest."""
    rng = np.random.default_rng(5)
    for m_N, m_scalar, m_vector in [(0.05, 0.023, 0.8), (0.3, 0.1, 0.08), (0.4, 0.3, 0.2)]:
        process = benchmark(m_N=m_N, m_scalar=m_scalar, m_vector=m_vector, isoscalar=isoscalar)
        for _ in range(4):
            momenta = thrown_momenta(process, target.mass, rng.uniform(1.2, 3.0), rng)
            k, p, k_prime, p_prime, q_h = momenta
            inner = propagator(k - k_prime, m_vector) @ dirac.METRIC @ propagator(p_prime - p, m_vector)
            currents, spins = hadron_currents(process, target, p, p_prime)
            squared = 0.0
            for u in dirac.u_spinors(k_prime, m_N):
                for v in dirac.u_spinors(k, 0.0):
                    lepton = np.array([dirac.bar(u) @ g @ dirac.P_L @ v for g in dirac.GAMMA])
                    for hadron in currents:
                        lowered = dirac.METRIC @ hadron
                        squared += abs(lepton @ dirac.METRIC @ inner @ lowered) ** 2 / spins
            place = place_of(*momenta)
            expected = (process.g * process.charge * process.G) ** 2 * squared
            W1, W2 = structures(process, target, jnp.asarray(place.q_squared))
            found = squared_amplitude(process, place, target.mass, W1, W2)
            np.testing.assert_allclose(found, expected, rtol=1e-10)
            np.testing.assert_allclose(scalar_energy(process, place, target.mass), q_h[0], rtol=1e-9)


# -- the cross section ----------------------------------------------------------------------------------------------

TABLE = {
    0.6: (2.353e-42, 5.483e-41),
    0.8: (3.841e-42, 7.740e-41),
    1.0: (5.326e-42, 9.905e-41),
    2.0: (1.197e-41, 1.956e-40),
}
H_SHARES = {0.6: 5.5, 0.8: 6.3, 1.0: 6.7, 2.0: 7.5}  # per cent of h', per nucleon


@pytest.mark.parametrize("energy", TABLE)
def test_the_reference_table(energy):
    """An independent calculation at Table I of arXiv:2006.01948: one nucleon, and carbon, form factors as published."""
    for target, expected in zip((NUCLEON, CARBON), TABLE[energy], strict=True):
        assert float(cross_section(benchmark(), energy, target)) == pytest.approx(expected, rel=1e-3)
    share = cross_section(benchmark("H"), energy, NUCLEON) / cross_section(benchmark(), energy, NUCLEON)
    assert 100.0 * float(share) == pytest.approx(H_SHARES[energy], abs=0.06)


@pytest.mark.parametrize(("target", "energy"), [(NUCLEON, 0.8), (CARBON, 0.6)], ids=["nucleon", "carbon"])
def test_an_independent_monte_carlo(target, energy):
    """Thrown in the centre of mass, amplitudes from contracted tensors; the mean energy of the scalar too."""
    process, M, rng, number = benchmark(), target.mass, np.random.default_rng(11), 60000
    s = M**2 + 2.0 * M * energy
    root, low = np.sqrt(s), process.m_N + process.m_scalar
    m_pair = rng.uniform(low, root - M, number)
    out = np.sqrt((s - (m_pair + M) ** 2) * (s - (m_pair - M) ** 2)) / (2.0 * root)
    least, most = 1e-4 if target.is_nucleus else 1e-2, 2.0  # of 1 - cos, next to which carbon scatters
    away = (2.0 + least) * (least / (2.0 + least)) ** rng.uniform(size=number) - least
    jacobian = np.log((most + least) / least) * (away + least) / most  # over the isotropic density
    cosine, azimuth = 1.0 - away, rng.uniform(0.0, 2.0 * np.pi, number)
    sine = np.sqrt((1.0 - cosine) * (1.0 + cosine))
    direction = np.stack([sine * np.cos(azimuth), sine * np.sin(azimuth), cosine])
    pair = np.concatenate([np.sqrt(m_pair**2 + out**2)[None], out * direction])
    k_cm = (s - M**2) / (2.0 * root)
    k = np.array([k_cm, 0.0, 0.0, k_cm])[:, None]
    p = np.array([root - k_cm, 0.0, 0.0, -k_cm])[:, None]
    p_prime = k + p - pair
    star = np.sqrt((m_pair**2 - low**2) * (m_pair**2 - (process.m_N - process.m_scalar) ** 2)) / (2.0 * m_pair)
    isotropic = rng.normal(size=(3, number))
    isotropic *= star / np.linalg.norm(isotropic, axis=0)
    e_star = np.sqrt(process.m_N**2 + star**2)
    along = np.sum(pair[1:] * isotropic, axis=0)
    e_N = (pair[0] * e_star + along) / m_pair
    boosted = isotropic + pair[1:] * ((along / (pair[0] + m_pair) + e_star) / m_pair)
    k_prime = np.concatenate([e_N[None], boosted])
    q_h = pair - k_prime
    lower = np.diag(dirac.METRIC)[:, None]

    def dot(a, b):
        return np.sum(a * lower * b, axis=0)

    def vector(q):
        norm = dot(q, q) - process.m_vector**2
        outer = np.einsum("in,jn->ijn", q, q * lower)  # acts on an upper index
        return (np.eye(4)[:, :, None] - outer / process.m_vector**2) / norm

    q1, q2, P = k - k_prime, p_prime - p, p + p_prime
    lepton = np.einsum("in,jn->ijn", np.broadcast_to(k, k_prime.shape), k_prime)
    lepton = 2.0 * (lepton + lepton.swapaxes(0, 1) - dirac.METRIC[:, :, None] * dot(k, k_prime))
    t2 = dot(q2, q2)
    if target.is_nucleus:
        hadron = (12.0 * np.exp(25.0 * t2)) ** 2 * np.einsum("in,jn->ijn", P, P)
    else:
        electric = (1.0 - t2 / 0.71) ** -2
        magnetic, tau = (2.7928473446 - 1.9130427) * electric, -t2 / (4.0 * M**2)
        hadron = (electric**2 + tau * magnetic**2) / (1.0 + tau) * np.einsum("in,jn->ijn", P, P)
        hadron += magnetic**2 * (t2 * dirac.METRIC[:, :, None] - np.einsum("in,jn->ijn", q2, q2))
    both = np.einsum("ijn,jkn->ikn", vector(q2), vector(q1))
    carried = np.einsum("ijn,jkn,lkn->iln", both, lepton, both)
    lowered = carried * lower[:, None] * lower[None, :]
    squared = (process.g * process.charge * process.G) ** 2 * np.einsum("ijn,ijn->n", lowered, hadron)
    # dPhi_3 = dm^2/(2 pi) [p/(4 pi sqrt s)] [p*/(4 pi m)], directions isotropic
    space = 2.0 * m_pair * (root - M - low) / (2.0 * np.pi) * out / (4.0 * np.pi * root) * star / (4.0 * np.pi * m_pair)
    weight = GEV2_TO_CM2 * squared * jacobian * space / (2.0 * (s - M**2))
    error = weight.std() / np.sqrt(number)
    assert error < 0.012 * weight.mean()
    made = radiated(process, energy, target)
    total = float(jnp.sum(made.section))
    assert abs(total - weight.mean()) < 3.0 * error
    lab = dot(q_h, p) / M
    mean = float(jnp.sum(made.section * made.energy)) / total
    spread = np.sqrt(np.mean((weight * (lab - mean)) ** 2) / number) / weight.mean()
    assert abs(mean - np.average(lab, weights=weight)) < 3.0 * spread


def test_rules_converge():
    """With twice the azimuths too, of which two are exact; carbon at 25 GeV is the worst."""
    fine = Nodes(40, 60, 20, 4)
    for energy, allowed in ((0.08, 1e-8), (0.6, 3e-5), (2.0, 3e-5), (25.0, 4e-3)):
        for target in (NUCLEON, CARBON):
            for process in (benchmark(), benchmark("H", m_vector=0.05)):
                expected = float(cross_section(process, energy, target, fine))
                light = 20.0 if process.m_vector == 0.05 else 1.0
                found = float(cross_section(process, energy, target))
                assert found == pytest.approx(expected, rel=light * allowed, abs=0.0)


def test_the_threshold():
    process = benchmark()
    threshold = float(threshold_energy(process.m_N, process.m_scalar, M_C12))
    assert threshold == pytest.approx(0.073 + 0.073**2 / (2.0 * M_C12))
    assert float(cross_section(process, threshold, CARBON)) == 0.0
    near, twice = (float(cross_section(process, threshold * (1.0 + x), CARBON)) for x in (1e-6, 2e-6))
    assert 0.0 < near < 1e-47
    assert twice / near == pytest.approx(4.0, rel=1e-3)  # three bodies, of which two are slow: (E - E_th)^2


def test_gradients():
    """Against differences; exactly 0 below the threshold and finite on it."""

    @jax.jit
    def both(x):
        return jax.value_and_grad(section)(x)

    def section(x):
        process = benchmark(m_N=x[0], m_scalar=x[1], m_vector=x[2], g=x[3], G=x[4])
        return boson_strahlung.cross_section(process, x[5], NUCLEON)

    def at(energy, m_vector=M_ZPRIME):
        return np.array([0.05, 0.023, m_vector, 0.01, 4.0, energy])

    for x in (at(0.6), at(0.11), at(1.5, 0.05)):
        value, found = both(x)
        moved = [(both(x + d)[0] - both(x - d)[0]) / (2.0 * d.sum()) for d in np.diag(1e-5 * x)]
        np.testing.assert_allclose(found, moved, rtol=1e-6)
    threshold = float(threshold_energy(0.05, 0.023, NUCLEON.mass))
    for energy in (0.0, 0.05, threshold):
        value, slopes = both(at(energy))
        assert value == 0.0
        assert not np.any(slopes)
    for energy in (np.nextafter(threshold, 1.0), threshold + 1e-9):
        value, slopes = both(at(energy))
        assert np.all(np.isfinite(slopes))
        assert 0.0 <= value < 1e-50


def test_the_measured_neutron_and_the_bound_nucleon():
    """What the paper leaves out: the neutron's electric form factor adds, the exclusion principle takes away."""
    q_squared, bound = jnp.asarray(0.05), replace(NUCLEON, name="proton", bound=(("C12", 1.0),))
    measured = benchmark(isoscalar="measured")
    blocked = replace(measured, form_factors=FormFactors("dipole", "exponential", 1.0, "fermi-gas"))
    published, free, kept = (
        [float(W) for W in structures(process, target, q_squared)]
        for process, target in ((benchmark(), NUCLEON), (measured, NUCLEON), (blocked, bound))
    )
    assert published[0] < free[0]
    assert published[1] == pytest.approx(free[1])
    assert kept[0] / free[0] == pytest.approx(kept[1] / free[1])
    assert 0.0 < kept[0] < free[0]

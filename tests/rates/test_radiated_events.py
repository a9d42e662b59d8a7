"""nu + target -> N + target + scalar in beams: against cross sections, a Monte Carlo of its own, and differences.

Tolerances were written before the rules: 1e-3 of a rate, 3 standard errors of a Monte Carlo, 1e-6 of a derivative.
"""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.scipy.stats import norm

from anomfit.beams import make_beam
from anomfit.beams.booster import CH2
from anomfit.beams.lampf import in_flight_beam
from anomfit.beams.molecules import CARBON
from anomfit.detectors.containment import containment
from anomfit.detectors.energy_table import tabulate
from anomfit.detectors.lsnd import fiducial_spheres
from anomfit.measurements.recoil_pairs import BOUND, OF_TARGET, RecoilPairChain, pair_counts, pair_moments
from anomfit.physics import boson_strahlung
from anomfit.physics.boson_strahlung import BosonStrahlung, threshold_energy
from anomfit.physics.constants import GEV2_TO_CM2, M_P
from anomfit.physics.reaction import Pair, RadiatedReaction
from anomfit.physics.targets import FormFactors, Target, stack_targets
from anomfit.rates.double_vertices import DoubleNodes, double_vertices
from anomfit.rates.interactions import STATES, interactions_by_state
from anomfit.rates.kernels import coupled, kernels, strengths
from anomfit.rates.pair_events import Nodes, pair_events
from anomfit.rates.radiated_events import RadiatedNodes, radiated_events, scalars_made
from anomfit.rates.recoil_events import RecoilNodes

NODES = Nodes(parent=48)
# programs that all masses share
ALL_PAIRS = jax.jit(partial(pair_events, nodes=replace(NODES, lowest=1e-3, highest=3.0)))
ALL_VERTICES = jax.jit(partial(double_vertices, nodes=DoubleNodes()))
FORMS = FormFactors("dipole", "measured", 0.775, "fermi-gas")
CASES = {
    "benchmark": (0.05, 0.023, 0.8),
    "heavy scalar": (0.05, 0.3, 0.8),
    "light vector": (0.05, 0.023, 0.05),
    "heavy N": (0.35, 0.12, 0.1),
}


def process(m_N, m_scalar, m_vector, forms=FORMS) -> BosonStrahlung:
    numbers = (jnp.asarray(x) for x in (m_N, m_scalar, m_vector, 0.0145, 3e-4, 4.38))
    return BosonStrahlung(*numbers, form_factors=forms)


def reaction(m_N, m_scalar, m_vector) -> RadiatedReaction:
    return RadiatedReaction(process(m_N, m_scalar, m_vector), Pair(m_scalar, jnp.asarray(1e-3)), jnp.asarray(0.7))


def beam(composition=CH2):
    """Two smooth fluxes from 0.2 to 3 GeV in bins of 50 MeV, as the Booster's; the second is softer."""
    edges = np.linspace(0.2, 3.0, 57)
    middle = 0.5 * (edges[1:] + edges[:-1])
    tables = [(edges[:-1], edges[1:], 1e-10 * middle * np.exp(-middle / soft)) for soft in (0.5, 0.3)]
    return make_beam(tables, (1e50, 1e50), composition)


@partial(jax.jit, static_argnames="target")
def sections(how: BosonStrahlung, energy, target: Target):
    return jax.vmap(lambda e: boson_strahlung.cross_section(how, e, target))(energy)


@partial(jax.jit, static_argnums=(2, 3, 4, 5))
def on_nodes(of: RadiatedReaction, on, lowest: float, highest: float, parents: int, nodes: RadiatedNodes):
    """Pairs of a reaction between two energies; what is made in all is left out."""
    return radiated_events(of, on, lowest, highest, replace(nodes, pairs=parents))._replace(made=jnp.zeros(()))


def folded(how: BosonStrahlung, on, target: Target) -> np.ndarray:
    """Cross sections of `boson_strahlung` times the flux, by an equidistant sum."""
    start = float(threshold_energy(how.m_N, how.m_scalar, target.mass))
    end = float(on.highest_energy)
    energy = start + (end - start) * (np.arange(60) + 0.5) / 60
    section = sections(how, jnp.asarray(energy), target.alone)
    return target.count * np.asarray(section @ on.flux_at(jnp.asarray(energy)) * on.exposure) * (end - start) / 60


@pytest.mark.parametrize("case", ["benchmark", "heavy N"])
def test_all_that_is_made_is_the_cross_section_times_the_flux(case):
    """1e-3, by component; what lies between two energies, and what two vertices have, add up to the same."""
    one, on = reaction(*map(jnp.asarray, CASES[case])), beam()
    made = jax.jit(scalars_made)(one, on)
    each = [folded(one.production, on, target) for target in on.composition]
    np.testing.assert_allclose(made, [each[0], each[1] + each[2]], rtol=1e-3)
    events = ALL_PAIRS(one, on)
    np.testing.assert_allclose(events.made, 0.7 * made, rtol=1e-12)
    handed_on = jnp.einsum("edcb,ep,pi->cb", events.rate, events.onto, events.share)
    np.testing.assert_allclose(handed_on, events.made, rtol=1e-3)
    vertices = ALL_VERTICES(one, on)
    np.testing.assert_allclose(jnp.sum(vertices.rate, axis=(0, 1)), events.made, rtol=1e-3)
    assert float(vertices.again) == 0.0


def thrown(how: BosonStrahlung, target: Target, e_nu: float, number: int, rng):
    """Weights (cm^2), energies and cosines of the scalar in the laboratory: two decays in turn, four-momenta."""
    M, m_N, m = target.mass, float(how.m_N), float(how.m_scalar)
    s = M**2 + 2.0 * M * e_nu
    # (N scalar) + target with a uniform mass of the pair, forward as its target's form factor asks for; then isotropic
    root = np.sqrt(s)
    low, high = m_N + m, root - M
    mass = low + (high - low) * rng.uniform(size=number)
    out = np.sqrt((s - (mass + M) ** 2) * (s - (mass - M) ** 2)) / (2.0 * root)
    least = 2e-3
    away = least * np.expm1(np.log1p(2.0 / least) * rng.uniform(size=number))
    jacobian = np.log1p(2.0 / least) * (away + least) / 2.0
    cosine = 1.0 - away
    sine = np.sqrt(np.maximum(away * (2.0 - away), 0.0))
    k_cm = (s - M**2) / (2.0 * root)
    pair = np.stack([np.sqrt(mass**2 + out**2), out * sine, np.zeros(number), out * cosine])
    star = np.sqrt((mass**2 - low**2) * (mass**2 - (m_N - m) ** 2)) / (2.0 * mass)
    c, phi = rng.uniform(-1.0, 1.0, number), rng.uniform(0.0, 2.0 * np.pi, number)
    unit = np.stack([np.sqrt(1.0 - c**2) * np.cos(phi), np.sqrt(1.0 - c**2) * np.sin(phi), c])
    e_star, along = np.sqrt(m**2 + star**2), np.sum(pair[1:] * unit, axis=0) * star
    q_h = np.concatenate(
        [
            ((pair[0] * e_star + along) / mass)[None],
            star * unit + pair[1:] * ((along / (pair[0] + mass) + e_star) / mass),
        ]
    )
    k_prime = pair - q_h
    k = np.array([k_cm, 0.0, 0.0, k_cm])[:, None]
    p = np.array([root - k_cm, 0.0, 0.0, -k_cm])[:, None]

    def dot(a, b):
        return a[0] * b[0] - np.sum(a[1:] * b[1:], axis=0)

    p_prime = k + p - pair
    q_squared = -dot(p_prime - p, p_prime - p)
    at = boson_strahlung.Place(s, mass**2, dot(k - k_prime, k - k_prime), q_squared, dot(p + p_prime, k_prime))
    W1, W2 = boson_strahlung.structures(how, target, jnp.asarray(q_squared))
    squared = np.asarray(boson_strahlung.squared_amplitude(how, at, M, W1, W2))
    space = 2.0 * mass * (high - low) / (2.0 * np.pi) * out / (4.0 * np.pi * root) * star / (4.0 * np.pi * mass)
    weight = GEV2_TO_CM2 * squared * jacobian * space / (2.0 * (s - M**2))
    lab = dot(q_h, p) / M
    # cos in the laboratory: k.q_h = E_nu (E - p cos)
    momentum = np.sqrt(lab**2 - m**2)
    return weight, lab, (lab - dot(k, q_h) / e_nu) / momentum


@pytest.mark.parametrize("case", ["benchmark", "heavy N"])
@pytest.mark.parametrize("target", [Target("proton", M_P, 1.0, 1, 0), CARBON], ids=lambda target: target.name)
def test_a_monte_carlo_of_energies_and_angles(case, target):
    """Four-momenta in plain NumPy: smooth windows of the scalar's energy, and moments of its direction in each.

    Neutrinos have energies around 1 GeV, at equidistant places. Within 4 standard errors, of 16 numbers.
    """
    rng, places = np.random.default_rng(3), 40
    how, one = process(*CASES[case]), reaction(*map(jnp.asarray, CASES[case]))
    edges = np.linspace(0.8, 1.2, 5)
    on = make_beam([(edges[:-1], edges[1:], np.array([0.0, 1.0, 1.0, 0.0]))], (1.0,), (target,))
    nodes = RadiatedNodes(energy=48, angle=20, neutrino=16, flux=100, transfer=10, of_nucleon=16)
    found = on_nodes(one, on, 1e-3, 1.2, 200, nodes)
    e_nu = 0.8 + 0.4 * (np.arange(places) + 0.5) / places
    flux = np.asarray(on.flux_at(jnp.asarray(e_nu)))[:, 0]
    rows = [thrown(how, target, e, 16000, rng) for e in e_nu]
    weight, energy, cosine = (np.stack([row[i] for row in rows]) for i in range(3))
    weight = weight * 0.4 / places * flux[:, None] / weight.shape[1]
    legendre = partial(np.polynomial.legendre.legvander, deg=3)
    by_energy = np.einsum("edb,edl,ep->pl", jnp.sum(found.rate, axis=2), legendre(np.asarray(found.cosine)), found.onto)
    for low, high in ((-1.0, 0.25), (0.25, 0.45), (0.45, 0.65), (0.65, 2.0)):

        def window(e, low=low, high=high):
            return 1.0 / (1.0 + np.exp((low - e) / 0.03)) / (1.0 + np.exp((e - high) / 0.03))

        each = (weight * window(energy))[..., None] * legendre(cosine)
        error = np.sqrt(np.sum(np.var(each, axis=1) * weight.shape[1], axis=0))
        seen = window(np.asarray(found.energy)) @ by_energy
        assert np.all(np.abs(seen - each.sum(axis=(0, 1))) < 4.0 * error)
        assert error[0] < 0.03 * seen[0]


def counted(x, on, nodes=NODES):
    """Pairs in a few smooth windows of energy and moments of direction, for masses and couplings in x."""
    how = BosonStrahlung(x[0], x[1], x[2], x[3], jnp.asarray(1.0), jnp.asarray(1.0), FORMS)
    events = pair_events(RadiatedReaction(how, Pair(x[1], jnp.asarray(1e-3)), jnp.asarray(1.0)), on, nodes)
    centres = jnp.array([0.2, 0.5, 0.9])
    windows = jnp.exp(-0.5 * ((events.energy[:, 0] - centres[:, None]) / 0.1) ** 2)
    by_direction = jnp.stack([jnp.sum(events.rate * events.cos_parent[..., None, None] ** l, axis=1) for l in (0, 1)])
    return jnp.einsum("lecb,ep,np->nlcb", by_direction, events.onto, windows)


@pytest.mark.parametrize("case", CASES)
def test_rules_converge(case):
    """Every window, direction and beam, the nuclei and the nucleons alone: 1e-3 of what it is with more nodes."""
    one, on = reaction(*map(jnp.asarray, CASES[case])), beam()
    x = jnp.array([*CASES[case], 1.0])
    found = jax.jit(counted)(x, on)
    nodes = RadiatedNodes(40, 16, 24, 160, 16, 32)
    fine = on_nodes(one, on, 0.1, 2.1, 160, nodes)
    windows = jnp.exp(-0.5 * ((fine.energy - jnp.array([[0.2], [0.5], [0.9]])) / 0.1) ** 2)
    by_direction = jnp.stack([jnp.sum(fine.rate * fine.cosine[..., None, None] ** l, axis=1) for l in (0, 1)])
    expected = jnp.einsum("lecb,ep,np->nlcb", by_direction, fine.onto, windows) / float(
        one.production.couplings(stack_targets(on.scatterers))[0, 0]
    )
    np.testing.assert_allclose(found, expected, rtol=1e-3)


@pytest.fixture(scope="module")
def with_slopes():
    on = beam()

    @jax.jit
    def total(x):
        return jnp.sum(counted(x, on, Nodes(parent=32)) * jnp.arange(1.0, 4.0)[:, None, None, None])

    return total, jax.jit(jax.value_and_grad(total))


@pytest.mark.parametrize(
    "masses",
    [*CASES.values(), (1.0, 0.55, 0.3), (1.0, 1.2, 0.3)],
    ids=[*CASES, "near the threshold", "where one nucleon is too light"],
)
def test_gradients(with_slopes, masses):
    """In all masses and the coupling against central differences, 1e-6 of the largest logarithmic slope."""
    total, slopes = with_slopes
    x = np.array([*masses, 1.0])
    value, found = slopes(x)
    for i in range(4):
        step = np.zeros(4)
        step[i] = 3e-5 * x[i]
        low, high = (float(total(x + sign * step)) for sign in (-1.0, 1.0))
        twice = [float(total(x + 2.0 * sign * step)) for sign in (-1.0, 1.0)]
        slope = (8.0 * (high - low) - (twice[1] - twice[0])) / (12.0 * step[i])
        allowed = 1e-6 * max(float(value) / x[i], abs(slope)) + 1e-300
        assert abs(float(found[i]) - slope) < allowed


@pytest.mark.parametrize("masses", [(2.0, 1.5, 0.3), (3.5, 0.1, 0.3), (0.05, 3.5, 0.8), (1.5, 1.5, 0.1)])
def test_nothing_is_made_where_it_is_closed(with_slopes, masses):
    value, slopes = with_slopes[1](np.array([*masses, 1.0]))
    assert float(value) == 0.0
    np.testing.assert_array_equal(slopes, 0.0)


def test_batches_are_points_one_by_one(with_slopes):
    points = np.array([[*masses, 1.0] for masses in CASES.values()])
    total, _ = with_slopes
    together = jax.jit(jax.vmap(total))(points)
    np.testing.assert_allclose(together, [total(x) for x in points], rtol=1e-12)


@pytest.mark.slow
def test_kernels_times_strengths():
    """One channel, a single term; couplings 1 in the kernels."""
    one, on = reaction(*map(jnp.asarray, CASES["benchmark"])), beam()

    def count(of):
        events = pair_events(of, on, Nodes(parent=24))
        return jnp.einsum("edcb,ep,pi->cb", events.rate, events.onto, events.share)

    strength = strengths(one, on.scatterers)
    assert strength.shape == (1, 3, 1)
    found = coupled(jax.jit(lambda of: kernels(count, of, on.scatterers))(one), strength)
    np.testing.assert_allclose(found, count(one), rtol=1e-12)


class Model:
    def reactions(self, point, nuisances):
        return (reaction(*point), reaction(*point))


def test_interactions_by_state():
    on, masses = beam(), tuple(map(jnp.asarray, CASES["benchmark"]))
    found = jax.jit(lambda at: interactions_by_state(Model(), at, {}, on))(masses)
    made = jax.jit(scalars_made)(reaction(*masses), on)
    np.testing.assert_allclose([found[state] for state in STATES], 2.0 * np.asarray(made), rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("knock_out", [-0.1, 0.013])
def test_recoils_that_are_seen(knock_out):
    """LSND's neutrinos in flight, with and without a threshold of bound nucleons, by component: 2e-3 of `radiated`.

    Pairs at once, and a response that is 1 at any energy: what is counted is what is made, times the containment of 1.
    """
    on, masses = in_flight_beam(), (0.05, 0.023, 0.8)
    one = RadiatedReaction(process(*masses), Pair(jnp.asarray(masses[1]), None), jnp.asarray(0.7))
    table = tabulate(lambda energies: np.ones((len(energies), 1)), 0.4, 50)
    chain = RecoilPairChain((on,), table, "sum", RecoilNodes((16,)), fiducial_spheres())
    counts, made = pair_counts(one, chain, jnp.asarray(knock_out))
    np.testing.assert_allclose(counts[0, :, 0], made[0] * containment(jnp.asarray(0.0), *fiducial_spheres()), rtol=1e-6)
    energy = np.linspace(0.07, float(on.highest_energy), 101)
    energy = 0.5 * (energy[1:] + energy[:-1])
    by_target = []
    for target, bound in zip(on.composition, BOUND, strict=True):

        def section(e, target=target, bound=bound):
            found = boson_strahlung.radiated(one.production, e, target.alone, boson_strahlung.Nodes(10, 60, 6, 2))
            passes = norm.cdf((found.q_squared / (2.0 * target.mass) - knock_out) / 0.001) if bound else 1.0
            return jnp.sum(found.section * passes)

        sections = jax.jit(partial(jax.lax.map, section))(jnp.asarray(energy))
        rate = sections * on.flux_at(jnp.asarray(energy))[:, 0] * on.exposure * target.count
        by_target.append(0.7 * jnp.sum(rate) * (energy[1] - energy[0]))
    np.testing.assert_allclose(made[0], OF_TARGET @ np.array(by_target), rtol=2e-3)


@pytest.mark.slow
def test_moments_at_lsnd():
    """The first is the count, and with a single wave nothing else."""
    on = in_flight_beam()
    one = RadiatedReaction(process(0.05, 0.023, 0.8), Pair(jnp.asarray(0.023), jnp.asarray(10.0)), jnp.asarray(0.7))
    table = tabulate(lambda energies: np.stack([energies, energies**2], axis=1), 0.4, 50)
    chain = RecoilPairChain((on,), table, "ring", RecoilNodes((16,)), fiducial_spheres())
    counts, _ = pair_counts(one, chain, jnp.asarray(0.013))
    np.testing.assert_allclose(pair_moments(one, chain, jnp.asarray(0.013), 6)[:, :, 0], counts, rtol=1e-10)

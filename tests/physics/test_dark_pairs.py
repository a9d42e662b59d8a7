"""Pairs of heavy neutrinos by a virtual Z': against explicit spinors, limits, published coefficients, thresholds."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dirac import GAMMA, GAMMA_5, METRIC, P_L, P_R, bar, u_spinors, v_spinors
from jax.test_util import check_grads

from anomfit.data import load_record
from anomfit.physics.constants import ALPHA, E_CHARGE, M_E
from anomfit.physics.dark_neutrinos import DarkNeutrinos, pairs_of_states, zprime_widths
from anomfit.physics.dark_pairs import (
    angular_density,
    higgsstrahlung_cross_section,
    pair_cross_sections,
    polarisation,
    quarkonium_ratios,
    transverse_fraction,
    virtual_widths,
)
from anomfit.physics.quadrature import unit_legendre

ROOT_S, M_V = 10.36, 1.25
PLACES = {pair: i for i, pair in enumerate(zip(*(x.tolist() for x in pairs_of_states(2)), strict=True))}


def states(m_1, m_2, majorana=True, m_Zprime=M_V, g=0.7, own=0.4, light=0.2, epsilon=0.02, phase=None):
    """Two states with the vertices g of the two, `own` of each with itself, `light` with light ones; phase: of g."""
    return DarkNeutrinos(
        mass=jnp.stack([jnp.asarray(m_1, dtype=float), jnp.asarray(m_2, dtype=float)]),
        to_light=jnp.full(2, light),
        produced=jnp.full(2, light),
        between=jnp.array([[own, g], [g, own]]),
        light=jnp.zeros(()),
        mixing_squared=jnp.zeros(2),
        m_Zprime=jnp.asarray(m_Zprime, dtype=float),
        epsilon=jnp.asarray(epsilon),
        majorana=majorana,
        phase=None if phase is None else jnp.array([[0.0, phase], [-phase, 0.0]]),
    )


def vertex(eta):
    """gamma^mu gamma5 of the same CP parity, gamma^mu of opposite ones, gamma^mu P_L of Dirac states.

    Between 1 and -1: V P_L - V^* P_R with V = exp(i phase), eta = cos(2 phase).
    """
    if eta not in (1, -1, 0):
        V = np.exp(0.5j * np.arccos(eta))
        return [m @ (V * P_L - np.conj(V) * P_R) for m in GAMMA]
    return {1: [m @ GAMMA_5 for m in GAMMA], -1: GAMMA, 0: [m @ P_L for m in GAMMA]}[eta]


def momenta(cosine, m_j, m_k, root_s):
    """e-, e+, N_j, N_k; N_j at this cosine to e-."""
    p_e = np.sqrt(0.25 * root_s**2 - M_E**2)
    e_j = 0.5 * (root_s + (m_j**2 - m_k**2) / root_s)
    p = np.sqrt(e_j**2 - m_j**2)
    along = np.array([np.sqrt(1.0 - cosine**2), 0.0, cosine])
    z = np.array([0.0, 0.0, 1.0])
    return (
        np.concatenate([[0.5 * root_s], p_e * z]),
        np.concatenate([[0.5 * root_s], -p_e * z]),
        np.concatenate([[e_j], p * along]),
        np.concatenate([[root_s - e_j], -p * along]),
    )


def d_sigma_d_cos(cosine, m_j, m_k, eta, coupling, root_s=ROOT_S):
    """Of different states, from spinors; coupling is e eps g over (s - m^2)."""
    p_1, p_2, p_3, p_4 = momenta(cosine, m_j, m_k, root_s)
    total = 0.0
    for u in u_spinors(p_1, M_E):
        for v in v_spinors(p_2, M_E):
            electron = [bar(v) @ g @ u for g in GAMMA]
            for u_j in u_spinors(p_3, m_j):
                for v_k in v_spinors(p_4, m_k):
                    heavy = [bar(u_j) @ g @ v_k for g in vertex(eta)]
                    total += abs(sum(METRIC[i, i] * electron[i] * heavy[i] for i in range(4))) ** 2
    p_i, p_f = np.linalg.norm(p_1[1:]), np.linalg.norm(p_3[1:])
    return coupling**2 * 0.25 * total * p_f / p_i / (32.0 * np.pi * root_s**2)


@pytest.mark.parametrize("root_s", [ROOT_S, 3.0])
@pytest.mark.parametrize(("m_1", "m_2", "eta"), [(0.7, 1.6, 1), (-0.7, 1.6, -1), (0.7, 1.6, 0)])
def test_the_cross_section_is_that_of_spinors(m_1, m_2, eta, root_s):
    found = states(m_1, m_2, majorana=eta != 0)
    coupling = E_CHARGE * 0.02 * 0.7 / (root_s**2 - M_V**2)
    cross_section = float(pair_cross_sections(found, root_s)[PLACES[1, 0]])
    width = float(zprime_widths(found).total)
    share = float(transverse_fraction(root_s, 1.6, 0.7, eta))
    both = 2.0 if eta == 0 else 1.0  # N_j anti-N_k and its conjugate
    resonance = 1.0 + (M_V**2 * (width**2 + 0.005**2)) / (root_s**2 - M_V**2) ** 2
    for cosine in (-0.8, 0.1, 0.6):
        expected = both * d_sigma_d_cos(cosine, 1.6, 0.7, eta, coupling, root_s) / resonance
        assert cross_section * float(angular_density(cosine, share)) == pytest.approx(expected, rel=2e-6)


@pytest.mark.parametrize(("signs", "phase"), [(1, 0.4), (1, 1.2), (-1, 0.4)])
def test_phases_of_vertices_mix_both_currents(signs, phase):
    """Cross section and angles of spinors with V = |V| exp(i phase), at any sign of the masses; widths between both."""
    eta = signs * np.cos(2.0 * phase)
    found = states(0.7 * signs, 1.6, phase=phase)
    assert float(found.parity(1, 0)) == pytest.approx(eta, rel=1e-14)
    cross_section = float(pair_cross_sections(found, ROOT_S)[PLACES[1, 0]])
    width = float(zprime_widths(found).total)
    resonance = 1.0 + (M_V**2 * (width**2 + 0.005**2)) / (ROOT_S**2 - M_V**2) ** 2
    share = float(transverse_fraction(ROOT_S, 1.6, 0.7, eta))
    for cosine in (-0.8, 0.6):
        expected = d_sigma_d_cos(cosine, 1.6, 0.7, eta, E_CHARGE * 0.02 * 0.7 / (ROOT_S**2 - M_V**2)) / resonance
        assert cross_section * float(angular_density(cosine, share)) == pytest.approx(expected, rel=2e-6)
    alone = [np.asarray(zprime_widths(states(m, 0.3, m_Zprime=M_V)).to_heavy) for m in (0.2, -0.2)]
    mixed = np.asarray(zprime_widths(states(0.2 * signs, 0.3, m_Zprime=M_V, phase=phase)).to_heavy)
    expected = 0.5 * (1.0 + eta) * alone[0] + 0.5 * (1.0 - eta) * alone[1]
    np.testing.assert_allclose(mixed[PLACES[1, 0]], expected[PLACES[1, 0]], rtol=1e-12)
    others = [i for pair, i in PLACES.items() if pair != (1, 0)]
    np.testing.assert_allclose(mixed[others], alone[0][others], rtol=1e-12)  # V_jj is real


@pytest.mark.parametrize("eta", [1, -1, 0])
def test_identical_states_have_half_and_light_ones_their_own(eta):
    different = states(0.3, 0.3 * (eta or 1), majorana=eta != 0, g=0.4)
    sigma = pair_cross_sections(different, ROOT_S)
    if eta >= 0:
        assert float(sigma[PLACES[1, 1]]) == pytest.approx(0.5 * float(sigma[PLACES[1, 0]]), rel=1e-12)
    coupling = E_CHARGE * 0.02 * 0.2 / (ROOT_S**2 - M_V**2)
    x, w = unit_legendre(8)
    of_dirac = sum(b * d_sigma_d_cos(2.0 * a - 1.0, 0.3, 0.0, 0, coupling) for a, b in zip(x, 2.0 * w, strict=True))
    # a Majorana state and a light one: nu and anti-nu, as N and anti-N of Dirac states
    assert float(sigma[PLACES[1, -1]]) == pytest.approx(2.0 * of_dirac, rel=1e-4)


def test_without_masses_it_is_the_published_one():
    """Equation B12, integrated over angles."""
    found = states(1e-4, 2e-4)
    alpha_D = 0.7**2 / (4.0 * np.pi)
    s = ROOT_S**2
    expected = ALPHA * alpha_D * 0.02**2 * np.pi * s / (s - M_V**2) ** 2 * 4.0 / 3.0
    assert float(pair_cross_sections(found, ROOT_S)[PLACES[1, 0]]) == pytest.approx(expected, rel=2e-5)


@pytest.mark.parametrize(("name", "quoted"), [("Jpsi", 5.4e-3), ("Upsilon_1S", 1.55e-3), ("Upsilon_2S", 1.24e-3)])
def test_quarkonia_have_the_massless_coefficients(name, quoted):
    """alpha_D |V|^2 times these at eps^2 = 4.6e-4: B(V -> ee) eps^2/alpha [M^2/(M^2 - m^2)]^2, by hand."""
    values = load_record("ee_colliders/quarkonia").parts[name].values
    mass, to_electrons = values["mass"], values["to_electrons"]
    ratios = quarkonium_ratios(states(1e-4, 2e-4, g=0.5, epsilon=4.6e-4**0.5), mass)
    coefficient = float(ratios[PLACES[1, 0]]) * to_electrons / (0.5**2 / (4.0 * np.pi))
    by_hand = to_electrons * 4.6e-4 / ALPHA * (mass**2 / (mass**2 - M_V**2)) ** 2
    assert coefficient == pytest.approx(by_hand, rel=1e-4)
    assert coefficient == pytest.approx(quoted, rel=1e-2)


@pytest.mark.parametrize("name", ["Upsilon_2S", "Upsilon_3S"])
def test_decay_constants_give_the_same(name):
    """Equation B11 with the printed f_V, against the measured rate to e+e-: the decay constants carry 2 %."""
    values = load_record("ee_colliders/quarkonia").parts[name].values
    mass, f, charge, width = (values[key] for key in ("mass", "decay_constant", "charge", "width"))
    rate = 4.0 * np.pi / 3.0 * ALPHA * 4.6e-4 * charge**2 * f**2 * mass**3 / (mass**2 - M_V**2) ** 2 / width
    ratio = values["to_electrons"] * 4.6e-4 / ALPHA * (mass**2 / (mass**2 - M_V**2)) ** 2
    assert rate == pytest.approx(ratio, rel=0.02)


def test_the_ratio_is_that_of_the_cross_sections_far_above_the_Zprime():
    """Z'* and a photon make the same current: sigma(N_j N_k)/sigma(massless muons) at the same energy."""
    found = states(0.3, -0.5)
    photon = 4.0 * np.pi * ALPHA**2 / (3.0 * ROOT_S**2)
    here = pair_cross_sections(found, ROOT_S) / photon
    np.testing.assert_allclose(quarkonium_ratios(found, ROOT_S), here, rtol=1e-6)


def test_angles_are_normalised_and_the_transverse_fraction_has_its_limits():
    x, w = unit_legendre(4)
    for share in (0.0, 0.3, 1.0):
        assert float(jnp.sum(2.0 * w * angular_density(2.0 * x - 1.0, share))) == pytest.approx(1.0, rel=1e-12)
    assert float(transverse_fraction(ROOT_S, 1e-6, 1e-6, 1.0)) == pytest.approx(1.0, rel=1e-9)
    m = 0.4
    assert float(transverse_fraction(1.0, m, m, 1.0)) == pytest.approx(1.0, rel=1e-12)  # axial, equal masses
    assert float(transverse_fraction(1.0, m, m, -1.0)) == pytest.approx(1.0 / (1.0 + 2.0 * m**2), rel=1e-12)
    assert float(transverse_fraction(1.0, 0.6, 0.6, -1.0)) == 1.0  # closed


def test_the_polarisation_is_that_of_helicities():
    """N_j along z; beams from all directions, which averages over the angle."""
    m_j, m_k, root_s = 1.6, 0.7, 3.0
    *_, p_3, p_4 = momenta(1.0, m_j, m_k, root_s)
    by_helicity = []
    for u_j in u_spinors(p_3, m_j):  # spin up, spin down along z
        currents = [[bar(u_j) @ g @ v for g in vertex(0)] for v in v_spinors(p_4, m_k)]
        # unpolarised massless beams in the direction n: sum of |J|^2 - |J.n|^2, averaged over n 2/3 |J|^2
        by_helicity.append(sum(abs(current[i]) ** 2 for current in currents for i in (1, 2, 3)))
    expected = (by_helicity[0] - by_helicity[1]) / sum(by_helicity)
    assert float(polarisation(root_s, m_j, m_k)) == pytest.approx(expected, rel=1e-9)
    assert float(polarisation(ROOT_S, 1e-3, 1e-3)) == pytest.approx(-1.0, rel=1e-5)
    assert float(polarisation(1.0, 0.6, 0.6)) == 0.0


def test_higgsstrahlung_is_that_of_polarisation_vectors():
    m, m_phi, alpha_D, epsilon, root_s = 1.25, 1.0, 0.3, 0.02, 5.0
    g_X = np.sqrt(4.0 * np.pi * alpha_D)
    e_Z = 0.5 * (root_s + (m**2 - m_phi**2) / root_s)
    p = np.sqrt(e_Z**2 - m**2)

    def d_sigma(cosine):
        p_1, p_2 = momenta(cosine, 0.0, 0.0, root_s)[:2]
        n = np.array([np.sqrt(1.0 - cosine**2), 0.0, cosine])
        vectors = [
            np.array([0.0, n[2], 0.0, -n[0]]),
            np.array([0.0, 0.0, 1.0, 0.0]),
            np.concatenate([[p / m], e_Z / m * n]),
        ]
        total = 0.0
        for u in u_spinors(p_1, M_E):
            for v in v_spinors(p_2, M_E):
                current = np.array([bar(v) @ g @ u for g in GAMMA])
                total += sum(abs(current @ METRIC @ vector) ** 2 for vector in vectors)
        amplitude = E_CHARGE * epsilon * 2.0 * g_X * m / (root_s**2 - m**2)
        return amplitude**2 * 0.25 * total * p / (0.5 * root_s) / (32.0 * np.pi * root_s**2)

    x, w = unit_legendre(6)
    expected = sum(b * d_sigma(2.0 * a - 1.0) for a, b in zip(x, 2.0 * w, strict=True))
    found = float(higgsstrahlung_cross_section(m, m_phi, alpha_D, epsilon, root_s))
    assert found == pytest.approx(expected, rel=1e-6)


def test_higgsstrahlung_without_masses_is_scalar_quantum_electrodynamics():
    """Goldstone bosons: pi alpha alpha_D eps^2/(3 s), the pair of scalars of one charge."""
    found = float(higgsstrahlung_cross_section(1e-4, 1e-4, 0.3, 0.02, 10.0))
    assert found == pytest.approx(np.pi * ALPHA * 0.3 * 0.02**2 / 300.0, rel=1e-6)
    assert float(higgsstrahlung_cross_section(6.0, 5.0, 0.3, 0.02, 10.0)) == 0.0
    for m in (6.0, 10.0, 12.0):
        slope = jax.grad(lambda x: higgsstrahlung_cross_section(x, 5.0, 0.3, 0.02, 10.0))(m)
        assert float(slope) == 0.0


@pytest.mark.parametrize("function", [pair_cross_sections, quarkonium_ratios])
@pytest.mark.parametrize("m_1", [5.3, 10.0, 20.0])
def test_closed_pairs_have_rate_and_slope_0(function, m_1):
    def closed(m, m_Zprime):
        return function(states(m, 5.2, m_Zprime=m_Zprime), ROOT_S)[PLACES[1, 0]]

    value, slopes = jax.value_and_grad(closed, argnums=(0, 1))(m_1, M_V)
    assert float(value) == 0.0
    assert [float(slope) for slope in slopes] == [0.0, 0.0]


@pytest.mark.parametrize("function", [pair_cross_sections, quarkonium_ratios])
@pytest.mark.parametrize("m_Zprime", [0.01, 1.25, 9.0, ROOT_S, 40.0])
def test_gradients_are_those_of_differences_and_finite_on_the_resonance(function, m_Zprime):
    def rates(m_1, mass, epsilon):
        return function(states(m_1, -0.5, m_Zprime=mass, epsilon=epsilon), ROOT_S)

    at = (0.3, m_Zprime, 0.02)
    assert np.isfinite(np.asarray(jnp.stack(jax.jacfwd(rates, argnums=(0, 1, 2))(*at)))).all()
    if m_Zprime != ROOT_S:
        scale = float(jnp.max(rates(*at)))
        check_grads(lambda *x: rates(*x) / scale, at, order=1, eps=1e-6, rtol=1e-5, modes=["fwd"])


def test_virtual_widths_change_the_mass_alone():
    found = states(0.3, -0.5)
    np.testing.assert_allclose(virtual_widths(found, M_V).to_heavy, zprime_widths(found).to_heavy, rtol=1e-14)

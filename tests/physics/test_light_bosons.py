"""Light bosons as pytrees; widths of a light scalar to heavy neutrinos and pions, and of what it is made of."""

import jax
import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics import light_bosons as physics
from anomfit.physics.constants import HBAR
from anomfit.physics.scalar_decays import width_to_fermions
from tests.physics import dirac


def width_by_matrices(mass, m_1, m_2, vertex):
    """sum |ubar(p_1) vertex v(p_2)|^2 p/(8 pi m^2) in the rest frame."""
    momentum = np.sqrt((mass**2 - (m_1 + m_2) ** 2) * (mass**2 - (m_1 - m_2) ** 2)) / (2.0 * mass)
    along = np.array([0.0, 0.0, momentum])
    p_1, p_2 = dirac.four_momentum(m_1, along), dirac.four_momentum(m_2, -along)
    squared = sum(
        abs(dirac.bar(u) @ vertex @ v) ** 2 for u in dirac.u_spinors(p_1, m_1) for v in dirac.v_spinors(p_2, m_2)
    )
    return squared * momentum / (8.0 * np.pi * mass**2)


@pytest.mark.parametrize(("relative_cp", "vertex"), [(1, dirac.ONE), (-1, 1j * dirac.GAMMA_5)])
def test_two_majorana_states_against_explicit_matrices(relative_cp, vertex):
    found = physics.width_to_majorana_pair(0.75, 0.085, 0.13, 0.015, relative_cp)
    np.testing.assert_allclose(found, 0.015**2 * width_by_matrices(0.75, 0.085, 0.13, vertex), rtol=1e-10)


def test_two_majorana_states_of_equal_mass_are_like_a_dirac_pair():
    found = physics.width_to_majorana_pair(0.75, 0.1, 0.1, 1e-2, 1)
    np.testing.assert_allclose(found, width_to_fermions(0.75, 1e-2, 0.1), rtol=1e-12)


def test_neutrino_and_majorana_state_against_explicit_matrices():
    nu_and_nubar = width_by_matrices(0.75, 1e-9, 0.13, dirac.P_R) + width_by_matrices(0.75, 1e-9, 0.13, dirac.P_L)
    found = physics.width_to_neutrino_and_majorana(0.75, 0.13, 1e-2)
    np.testing.assert_allclose(found, 1e-4 * nu_and_nubar, rtol=1e-6)


def test_pions_far_above_threshold_are_three_real_fields():
    """A real field gives A^2/(32 pi m) each without its mass: three of them, amplitude B (y_u + y_d)."""
    m, amplitude = 1e3, 0.13957039**2 / (2.16e-3 + 4.67e-3) * 3e-5
    expected = 3.0 * amplitude**2 / (32.0 * np.pi * m)
    np.testing.assert_allclose(physics.width_to_pions(m, 1e-5, 2e-5), expected, rtol=1e-6)
    assert float(physics.width_to_pions(0.25, 1e-5, 2e-5)) == 0.0


def test_the_published_scalars_live_as_the_paper_says_and_H_decays_to_heavy_neutrinos():
    """h': 1.85e-12 s; H: semi-visible (arXiv:2010.06159, sections IV and VI)."""
    H, hprime = range(2)
    (scalars,) = two_higgs_doublet.light_bosons(two_higgs_doublet.points["table-I"])
    assert float(scalars.lifetime[hprime]) == pytest.approx(1.85e-12, rel=0.01)
    assert float(scalars.branching_ratio("semivisible")[H]) > 0.99
    assert float(scalars.partial_width("semivisible", "invisible")[hprime]) == 0.0
    np.testing.assert_allclose(scalars.width * scalars.lifetime, HBAR, rtol=1e-12)


def test_escape_probability_is_the_exponential_of_the_decay_length():
    (scalars,) = two_higgs_doublet.light_bosons(two_higgs_doublet.points["table-I"])
    per_momentum = float(scalars.decay_length_per_momentum[1])
    decays, _ = quad(lambda x: np.exp(-x / (per_momentum * 25.0)), 0.0, np.inf)
    assert decays == pytest.approx(1.85e-12 * 2.99792458e8 * 25.0 / 0.017, rel=0.01)  # c tau p/m


def test_bosons_are_built_from_scalars_or_arrays_and_what_is_left_out_is_0():
    vector = physics.LightBosons.of("vector", 0.03, g_e=1e-4, to_electrons=2e-15, to_invisible=1e-15)
    assert vector.mass.shape == vector.g_nu.shape == (1,)
    assert float(vector.g_u[0]) == 0.0
    assert float(vector.width[0]) == pytest.approx(3e-15)
    assert float(vector.branching_ratio("electrons", "invisible")[0]) == pytest.approx(1.0)
    leaves, tree = jax.tree.flatten(vector)
    assert len(leaves) == len(physics.NUMBERS)
    assert jax.tree.unflatten(tree, leaves).spin == "vector"


def test_bosons_of_several_spins_are_joined_and_picked():
    vector = physics.LightBosons.of("vector", 0.03, g_e=1e-4)
    scalars = physics.LightBosons.of("scalar", np.array([0.017, 0.75]), g_e=2e-4)
    together = physics.joined((vector, scalars))
    np.testing.assert_array_equal(together.mass, [0.03, 0.017, 0.75])
    assert together.spin == "any"
    assert physics.of_spin((vector, scalars), "scalar", "pseudoscalar").spin == "scalar"
    assert physics.joined((scalars,)).spin == "scalar"

"""Charged-current scattering on a free nucleon: explicit matrices, limits, the published size."""

import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.physics import quasi_elastic as physics
from anomfit.physics.constants import G_F
from tests.physics import dirac

M = physics.M


def by_matrices(e_nu, q_squared, incoming):
    """|M|^2 over 64 pi M^2 E^2, averaged over the nucleon's spin; M = G V / sqrt 2, lepton times hadron current."""
    e_out = e_nu - q_squared / (2.0 * M)
    cosine = 1.0 - q_squared / (2.0 * e_nu * e_out)
    k = np.array([e_nu, 0.0, 0.0, e_nu])
    k_out = e_out * np.array([1.0, np.sqrt(1.0 - cosine**2), 0.0, cosine])
    p = np.array([M, 0.0, 0.0, 0.0])
    p_out = p + k - k_out
    q = k - k_out
    f_1, f_2, f_a = physics.form_factors(q_squared)
    total = 0.0
    hadrons = [
        [dirac.bar(b) @ vertex(mu, q, f_1, f_2, f_a) @ a for mu in range(4)]
        for a in dirac.u_spinors(p, M)
        for b in dirac.u_spinors(p_out, M)
    ]
    if incoming == "neutrino":
        pairs = [(b, a) for a in dirac.u_spinors(k, 0.0) for b in dirac.u_spinors(k_out, 0.0)]
    else:
        pairs = [(b, a) for a in dirac.v_spinors(k_out, 0.0) for b in dirac.v_spinors(k, 0.0)]
    for left, right in pairs:
        lepton = [dirac.bar(left) @ dirac.GAMMA[mu] @ (dirac.ONE - dirac.GAMMA_5) @ right for mu in range(4)]
        for hadron in hadrons:
            total += abs(sum(dirac.METRIC[mu, mu] * lepton[mu] * hadron[mu] for mu in range(4))) ** 2
    return 0.25 * (G_F * physics.V_UD) ** 2 * total / (64.0 * np.pi * (M * e_nu) ** 2)


def vertex(mu, q, f_1, f_2, f_a):
    """gamma^mu F_1 + i sigma^{mu nu} q_nu F_2 / 2M + gamma^mu gamma_5 F_A; i sigma^{mu nu} = -[gamma, gamma]/2."""
    slashed = dirac.slash(q)
    moment = -0.5 * (dirac.GAMMA[mu] @ slashed - slashed @ dirac.GAMMA[mu]) / (2.0 * M)
    return f_1 * dirac.GAMMA[mu] + f_2 * moment + f_a * dirac.GAMMA[mu] @ dirac.GAMMA_5


@pytest.mark.parametrize("incoming", ["neutrino", "antineutrino"])
@pytest.mark.parametrize(("e_nu", "share"), [(0.2, 0.3), (0.7, 0.05), (0.7, 0.9), (3.0, 0.5)])
def test_against_explicit_matrices(incoming, e_nu, share):
    q_squared = share * 4.0 * M * e_nu**2 / (M + 2.0 * e_nu)
    found = physics.d_sigma_d_q_squared(e_nu, q_squared, incoming)
    assert found == pytest.approx(by_matrices(e_nu, q_squared, incoming), rel=1e-10)


def test_without_momentum_transfer_both_are_that_of_beta_decay():
    """G_F^2 V_ud^2 (1 + g_A^2) / 2 pi."""
    expected = (G_F * physics.V_UD) ** 2 * (1.0 + physics.G_AXIAL**2) / (2.0 * np.pi)
    for incoming in physics.INCOMING:
        assert physics.d_sigma_d_q_squared(2.0, 0.0, incoming) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("incoming", ["neutrino", "antineutrino"])
def test_angles_and_momentum_transfers_count_the_same(incoming):
    e_nu = 0.8
    most = 4.0 * M * e_nu**2 / (M + 2.0 * e_nu)
    of_q = quad(lambda x: physics.d_sigma_d_q_squared(e_nu, x, incoming), 0.0, most)[0]
    of_cos = quad(lambda c: physics.d_sigma_d_cos(e_nu, c, incoming), -1.0, 1.0)[0]
    assert of_cos == pytest.approx(of_q, rel=1e-8)


@pytest.mark.parametrize("incoming", ["neutrino", "antineutrino"])
def test_at_high_energy_nothing_depends_on_it(incoming):
    """dsigma/dQ^2 becomes G_F^2 V_ud^2/(2 pi) (F_A^2 + F_1^2 + tau F_2^2)."""
    for q_squared in (0.01, 0.3, 2.0):
        f_1, f_2, f_a = physics.form_factors(q_squared)
        expected = (G_F * physics.V_UD) ** 2 / (2.0 * np.pi) * (f_a**2 + f_1**2 + q_squared / (4.0 * M**2) * f_2**2)
        assert physics.d_sigma_d_q_squared(1e5, q_squared, incoming) == pytest.approx(expected, rel=1e-4)

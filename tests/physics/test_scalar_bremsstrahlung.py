"""Bremsstrahlung of a light boson: spectra from the amplitude, and the published regions of six beam dumps."""

import numpy as np
import pytest
from scipy.integrate import quad

from anomfit.data import load_record
from anomfit.physics import scalar_bremsstrahlung as physics
from anomfit.physics.constants import M_E
from anomfit.physics.vector_decays import dark_photon_widths
from tests.physics import dirac


def compton_by_matrices(p, k, q, m, is_scalar):
    """(1/4) sum |M|^2 of e(p) gamma(k) -> e X(q), unit couplings: the upper part of the WW diagram, photon on shell."""
    p_out = p + k - q
    total = 0.0
    vertices = [(dirac.ONE, 1.0)] if is_scalar else [(dirac.GAMMA[n], -dirac.METRIC[n, n]) for n in range(4)]
    for mu in range(4):
        for vertex, weight in vertices:
            s_channel = vertex @ (dirac.slash(p + k) + M_E * dirac.ONE) @ dirac.GAMMA[mu] / (2.0 * dirac.dot(p, k))
            u = dirac.dot(p - q, p - q) - M_E**2
            u_channel = dirac.GAMMA[mu] @ (dirac.slash(p - q) + M_E * dirac.ONE) @ vertex / u
            for first in dirac.u_spinors(p, M_E):
                for last in dirac.u_spinors(p_out, M_E):
                    amplitude = dirac.bar(last) @ (s_channel + u_channel) @ first
                    total += -dirac.METRIC[mu, mu] * weight * abs(amplitude) ** 2
    return 0.25 * total


def spectrum_from_amplitude(x, m, is_scalar, energy=50.0):
    """int d(theta^2) A/u^2 over the angle of X, with A the Compton amplitude for a soft photon along the electron.

    At t_min the virtual photon is soft; boosted, it is a photon of energy omega against the electron, fixed by u.
    """

    def integrand(log_w):
        w = np.exp(log_w)  # -u tilde
        # electron-photon frame: s = m_e^2 + w/(1 - x), u = m_e^2 - w, X takes the light-cone share x
        s = M_E**2 + w / (1.0 - x)
        root_s = np.sqrt(s)
        k_star = (s - M_E**2) / (2.0 * root_s)
        p = np.array([root_s - k_star, 0.0, 0.0, k_star])
        k = np.array([k_star, 0.0, 0.0, -k_star])
        e_q = (s + m**2 - M_E**2) / (2.0 * root_s)
        p_q = np.sqrt(max(e_q**2 - m**2, 0.0))
        cosine = ((M_E**2 - w - M_E**2 - m**2) / 2.0 + p[0] * e_q) / (k_star * p_q)
        assert abs(cosine) <= 1.0 + 1e-9
        sine = np.sqrt(max(1.0 - cosine**2, 0.0))
        q = np.array([e_q, p_q * sine, 0.0, p_q * cosine])
        return compton_by_matrices(p, k, q, m, is_scalar) / w**2 * w

    lowest = m**2 * (1.0 - x) / x + M_E**2 * x
    return quad(integrand, np.log(lowest * (1.0 + 1e-9)), np.log(lowest) + 14.0, epsrel=1e-8, limit=200)[0]


@pytest.mark.parametrize("x", [0.3, 0.6, 0.9])
def test_the_ratio_of_the_spectra_is_that_of_the_compton_amplitudes(x):
    m = 0.3  # far above m_e
    ratio = spectrum_from_amplitude(x, m, True) / spectrum_from_amplitude(x, m, False)
    found = float(physics.scalar_spectrum(x) / physics.vector_spectrum(x))
    assert found == pytest.approx(ratio, rel=2e-3)


def dump_of(name):
    values = load_record("ee_colliders/beam_dumps").parts[name].values
    return physics.Dump(values["beam"], values["shield"], values["decay"], values["lowest"])


@pytest.mark.parametrize(
    ("name", "lightest"),
    [("E137_Bjorken", 0.004), ("E141", 0.01), ("Orsay", 0.004), ("KEK", 0.004), ("NA64_vis_2019", 0.01)],
)
def test_both_edges_of_a_published_region_have_the_same_number_of_events(name, lightest):
    """Two couplings with one rate: the upper edge that the lower one implies is within 0.15 of it in log10."""
    columns = load_record("ee_colliders/dark_photon").columns
    rows = (columns["curve"] == name) & np.isfinite(columns["eps_high"]) & (columns["m_GeV"] > lightest)
    rows &= columns["eps_high"] > 2.5 * columns["eps_low"]
    dump, checked = dump_of(name), 0
    for m, low, high in zip(*(columns[key][rows][::10] for key in ("m_GeV", "eps_low", "eps_high")), strict=True):

        def rate(eps, m=m):
            width = dark_photon_widths(m, eps)[0]  # the publications know of e+e- alone
            return float(physics.displaced_rate(physics.vector_spectrum, m, eps**2, width, dump))

        trial = high * np.logspace(-0.3, 0.3, 61)
        logs = np.log([rate(eps) for eps in trial])
        implied = np.interp(-np.log(rate(low)), -logs, np.log10(trial))
        assert abs(implied - np.log10(high)) < 0.15, (m, implied, np.log10(high))
        checked += 1
    assert checked >= 3


def test_a_short_life_ends_in_the_shield_and_a_long_one_gives_the_decay_length():
    dump = dump_of("E141")
    assert float(physics.displaced_rate(physics.scalar_spectrum, 0.017, 1e-8, 1e-6, dump)) == 0.0
    long = [float(physics.displaced_rate(physics.scalar_spectrum, 0.017, 1e-8, 1e-18 * f, dump)) for f in (1.0, 2.0)]
    assert long[1] / long[0] == pytest.approx(2.0, rel=1e-3)


def test_more_nodes_change_nothing():
    dump = dump_of("E141")
    coarse, fine = (
        float(physics.displaced_rate(physics.scalar_spectrum, 0.017, 1e-8, 3.6e-13, dump, nodes)) for nodes in (24, 48)
    )
    assert coarse == pytest.approx(fine, rel=1e-3)

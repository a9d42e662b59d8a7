"""Kinetic mixing: published limits, oblique parameters, dark widths of the Z against sums and traces, what is seen."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.constraints.kinetic_mixing import Z_95, constraints, oblique_parameters, widths_of_z
from anomfit.constraints.refusals import reason_of_refusal
from anomfit.models.dark_photon import dark_photon
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.constants import E_CHARGE
from anomfit.physics.dark_neutrinos import DarkNeutrinos, pairs_of_states
from anomfit.physics.light_bosons import LightBosons
from anomfit.physics.neutrino_trident import SIN2_THETA_W
from anomfit.statistics.limits import Z_90

ALL = {entry.name: entry for entry in constraints()}
M_Z = 91.1876


class Vector:
    """A dark photon and nothing else."""

    def light_bosons(self, point):
        return (LightBosons.of("vector", point["m"], g_e=-E_CHARGE * point["epsilon"]),)


def outcome(name, m, epsilon):
    return ALL[name].outcome(Vector(), {"m": jnp.asarray(m), "epsilon": jnp.asarray(epsilon)}, {})


@pytest.mark.parametrize(("name", "squared"), [("electroweak-fit", 7.3e-4), ("hera-dis", 2.9e-4)])
def test_a_published_limit_of_95_per_cent(name, squared):
    """1.960/1.645 where the likelihood's 90 % is 1; -2 ln L there is 1.960^2."""
    found = outcome(name, 1.25, np.sqrt(squared))
    assert float(found.ratio) == pytest.approx(Z_95 / Z_90, rel=1e-6)
    assert (Z_90 * float(found.ratio)) ** 2 == pytest.approx(3.841, rel=1e-3)
    assert float(found.limit) == pytest.approx(squared * 0.8393, rel=1e-3)


def test_beyond_the_heaviest_mass_nothing_is_published():
    inside, outside = (outcome("hera-dis", m, 0.02) for m in (10.0, 20.0))
    assert np.isnan(float(outside.limit))
    assert float(outside.ratio) == pytest.approx(float(inside.ratio) / 16.0, rel=1e-6)
    assert float(outcome("hera-dis", 10.0 + 1e-9, 0.02).ratio) == pytest.approx(float(inside.ratio), rel=1e-6)


def test_oblique_parameters_of_the_paper():
    """arXiv:2007.11813: S = 0.042, T = -3.3e-6, U = 0.013."""
    S, T, U = (float(x) for x in oblique_parameters(np.sqrt(4.6e-4), 1.25 / M_Z, 1.0 / 128.0))
    assert pytest.approx(0.042, abs=5e-4) == S
    assert pytest.approx(-3.3e-6, abs=5e-8) == T
    assert pytest.approx(0.013, abs=5e-4) == U
    assert float(outcome("oblique-S", 1.25, np.sqrt(4.6e-4)).predicted) == pytest.approx(S, rel=1e-3)


def point_of(name):
    return {key: jnp.asarray(value) for key, value in dark_seesaw.points[name].items()}


@pytest.fixture(scope="module")
def at_points():
    """Dark widths of the Z (MeV), their sum over |V|^2 = 2, and what is unseen, at the four points."""

    @jax.jit
    def found(point):
        light, heavy = widths_of_z(dark_seesaw.dark_neutrinos(point), M_Z)
        row = ALL["z-invisible"].outcome(dark_seesaw, point, {})
        return 1e3 * (light + jnp.sum(heavy)), row.predicted, row.ratio

    points = {name: found(point_of(name)) for name in dark_seesaw.points}
    return {name: tuple(map(float, numbers)) for name, numbers in points.items()}


def test_the_dark_width_of_the_z(at_points):
    """alpha_D t_W^2 eps^2 m_Z/3 in all, for the sum of |V_jk|^2 is 2; states above N_6 have up to 5 % of it."""
    tan2 = SIN2_THETA_W / (1.0 - SIN2_THETA_W)
    for name, (total, _, _) in at_points.items():
        expected = 1e3 * dark_seesaw.points[name]["alpha_D"] * tan2 * 4.6e-4 * M_Z / 3.0
        assert 0.95 * expected < total < expected


def test_what_is_not_seen_of_it(at_points):
    """Less than the total; N_5 of 45 GeV flies 24 m and N_6 1.9 m at BP-A."""
    for total, unseen, ratio in at_points.values():
        assert 0.0 < unseen < total
        assert ratio < 1.0
    assert at_points["BP-A"][1] / at_points["BP-A"][0] == pytest.approx(
        0.949 * np.exp(-2.0 / (0.0639 * 45.6 / 0.121)) * np.exp(-2.0 / (0.00759 * 45.6 / 0.185))
        + 0.051 * np.exp(-2.0 / (0.0639 * 45.6 / 0.121)),
        rel=0.02,
    )


def test_one_pair_by_hand():
    """Different Majorana states: alpha_D |V|^2 t_W^2 eps^2 m_Z/3, half of it for one state twice."""
    between = jnp.array([[0.5, 1.0], [1.0, 0.0]])
    none = jnp.zeros(2)
    states = DarkNeutrinos(
        jnp.full(2, 1e-3), none, none, between, jnp.zeros(()), none, jnp.asarray(1.0), jnp.asarray(0.02), True
    )
    light, heavy = jax.jit(lambda: widths_of_z(states, M_Z))()
    tan2 = SIN2_THETA_W / (1.0 - SIN2_THETA_W)
    unit = tan2 * 0.02**2 * M_Z / (12.0 * np.pi)
    j, k = pairs_of_states(2)
    expected = np.where(k < 0, 0.0, np.where(j == k, 0.5, 1.0) * np.asarray(between)[j, k] ** 2) * unit
    np.testing.assert_allclose(heavy, expected, rtol=1e-6)
    assert float(light) == 0.0


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name == "z-invisible" else ()) for name in ALL]
)
def test_slopes(name):
    """Against finite differences along all masses, vertices and couplings; finite where nothing is left."""
    point = {k: jnp.asarray(x) for k, x in dark_photon.points["bertuzzo"].items()}
    towards = {k: 0.1 * x for k, x in point.items()}

    def value(x, start):
        moved = {k: start[k] + x * towards[k] for k in start}
        return jnp.log(jnp.maximum(ALL[name].outcome(dark_photon, moved, {}).ratio, 1e-300))

    both = jax.jit(lambda x, start: jax.jvp(lambda y: value(y, start), (x,), (jnp.ones(()),)))
    slope, step = float(both(jnp.zeros(()), point)[1]), 1e-5
    difference = float(both(jnp.asarray(step), point)[0] - both(jnp.asarray(-step), point)[0]) / (2.0 * step)
    assert slope == pytest.approx(difference, rel=1e-5)
    nothing = {**point, "epsilon": jnp.zeros(())}
    assert np.all(np.isfinite(both(jnp.zeros(()), nothing)))


def test_scalars_are_refused():
    assert "spin 0" in reason_of_refusal(two_higgs_doublet, ALL["hera-dis"])

"""Quarkonia and BaBar's missing energy against pairs of heavy neutrinos: the published points, limits, gradients."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.catalogue import find_constraint
from anomfit.constraints import constraint_table
from anomfit.constraints.heavy_pairs_at_colliders import constraints, upsilon_view
from anomfit.constraints.lepton_colliders import constraints as at_colliders
from anomfit.constraints.production import UNSEEN_FRACTION
from anomfit.data import load_record
from anomfit.errors import InputError
from anomfit.models.dark_photon import dark_photon, dark_photon_dirac
from anomfit.models.dark_photon_parameters import BERTUZZO
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.physics.constants import ALPHA, HBAR_C_M
from anomfit.physics.dark_neutrinos import decays, total_widths
from anomfit.physics.vector_decays import width_to_neutrinos

OWN = {entry.name: entry for entry in constraints()}
INVISIBLE = next(entry for entry in at_colliders() if entry.name == "babar-invisible")
VERTICES = dark_photon.parametrisations["vertices"]


def as_point(values):
    return {name: jnp.asarray(float(value)) for name, value in values.items()}


@pytest.fixture(scope="module")
def in_vertices():
    found = jax.jit(dark_seesaw.vertices)
    return {name: found(as_point(point)) for name, point in dark_seesaw.points.items()}


@pytest.fixture(scope="module")
def tables(in_vertices):
    entries = [*OWN.values(), INVISIBLE]
    return {
        name: {row.name: row for row in constraint_table(dark_photon, point, entries)}
        for name, point in in_vertices.items()
    }


def test_the_verdicts_at_the_published_points(tables):
    """As the paper has it: quarkonia exclude none; photons of the Upsilon(1S) would exclude BP-C at full mis-ID."""
    for rows in tables.values():
        assert rows["upsilon-invisible"].verdict == "allowed"
        assert rows["jpsi-invisible"].verdict == "allowed"
        assert rows["dark-higgsstrahlung"].verdict == "no public data"
    photons = {name: rows["upsilon-photon-invisible"].verdict for name, rows in tables.items()}
    assert photons == {"BP-A": "allowed", "BP-B": "allowed", "BP-C": "would be excluded", "BP-D": "allowed"}


def test_babar_sees_most_of_what_a_semi_visible_Zprime_leaves(tables):
    """With the lifetimes of the matrix a few per cent are missed: less than a fixed tenth, more than 0.2 %."""
    ratios = {name: rows["babar-invisible"].ratio for name, rows in tables.items()}
    fixed = np.sqrt(UNSEEN_FRACTION * 4.6e-4) / tables["BP-A"]["babar-invisible"].limit
    assert all(ratio < fixed for ratio in ratios.values())
    assert ratios == {
        "BP-A": pytest.approx(2.23, rel=0.01),
        "BP-B": pytest.approx(2.55, rel=0.01),
        "BP-C": pytest.approx(4.95, rel=0.01),
        "BP-D": pytest.approx(0.343, rel=0.02),
    }


def test_the_invisible_rate_by_hand(in_vertices, tables):
    """J/psi at rest at BP-B: N_4 N_4, and N_4 N_5 whose N_5 flies 1.5 m; the rest is below a per cent of it."""
    point = in_vertices["BP-B"]

    @jax.jit
    def known(point):
        states = dark_photon.dark_neutrinos(point)
        return total_widths(states, decays(states)), states.size, states.between, states.parity(1, 0)

    widths, size, between, parity = known(point)
    values = load_record("ee_colliders/quarkonia").parts["Jpsi"].values
    mass, m_5, m_4 = values["mass"], float(size[1]), float(size[0])
    shared = values["to_electrons"] * 4.6e-4 / (4.0 * np.pi * ALPHA) * (mass**2 / (mass**2 - 1.25**2)) ** 2
    per_g = 12.0 * np.pi / mass  # a massless pair has g^2 M/(12 pi)
    g_45, g_44 = float(between[1, 0]), float(between[0, 0])
    width = jax.jit(width_to_neutrinos)
    both = float(width(mass, g_45, m_5, m_4, parity)) * per_g
    same = 0.5 * float(width(mass, g_44, m_4, m_4, 1.0)) * per_g
    momentum = np.sqrt((mass**2 - (m_4 + m_5) ** 2) * (mass**2 - (m_5 - m_4) ** 2)) / (2.0 * mass)
    escapes = np.exp(-1.5 * float(widths[1]) * m_5 / (HBAR_C_M * momentum))
    expected = shared * (both * escapes + same)
    assert tables["BP-B"]["jpsi-invisible"].predicted == pytest.approx(expected, rel=0.02)


def test_light_and_long_lived_states_are_all_unseen():
    """One state that decays nowhere: the whole rate, and no photon."""
    point = as_point(VERTICES.from_physical(as_point(BERTUZZO)))
    alone = {**point, "m_N4": jnp.asarray(0.02), "m_Zprime": jnp.asarray(1.25), "V_43": jnp.asarray(0.0)}
    for model in (dark_photon, dark_photon_dirac):
        rows = {row.name: row for row in constraint_table(model, {**alone, "U_mu4": jnp.asarray(0.0)}, OWN.values())}
        values = load_record("ee_colliders/quarkonia").parts["Upsilon_1S"].values
        mass = values["mass"]
        alpha_D, epsilon = float(alone["alpha_D"]), float(alone["epsilon"])
        away = (mass**2 / (mass**2 - 1.25**2)) ** 2
        squared = (alpha_D * float(alone["V_44"]) ** 2) * epsilon**2 / ALPHA
        expected = 0.5 * values["to_electrons"] * squared * away
        assert rows["upsilon-invisible"].predicted == pytest.approx(expected, rel=1e-3)
        assert rows["upsilon-photon-invisible"].predicted < 1e-6 * expected


def test_the_calorimeter_seen_from_the_centre_of_mass():
    view = upsilon_view()
    assert (view.low, view.high) == (pytest.approx(-0.92, abs=0.01), pytest.approx(0.90, abs=0.01))


@pytest.mark.parametrize("name", ["upsilon-photon-invisible", "dark-higgsstrahlung"])
def test_what_rests_on_an_assumption_is_refused_in_a_fit(name):
    with pytest.raises(InputError, match="cannot be fitted"):
        find_constraint(name)


def test_what_can_be_fitted_is_found():
    assert find_constraint("upsilon-invisible") == OWN["upsilon-invisible"]
    assert find_constraint("jpsi-invisible").about.kind == "upper limit"


@pytest.mark.slow
def test_values_and_gradients_are_finite_over_the_prior():
    rng = np.random.default_rng(8)
    names = VERTICES.names
    draws = {}
    for parameter in VERTICES.parameters:
        low, high = (np.log if parameter.is_log else np.asarray)(np.array([parameter.low, parameter.high]))
        values = rng.uniform(low, high, 30)
        draws[parameter.name] = np.exp(values) if parameter.is_log else values
    for name in ("m_N4", "m_N5", "m_N6"):
        draws[name][::2] = rng.uniform(-0.6, 0.6, 15)
    points = jnp.stack([jnp.asarray(draws[name]) for name in names], axis=1)

    def ratios(x):
        point = dict(zip(names, x, strict=True))
        return jnp.stack([entry.outcome(dark_photon, point, {}).ratio for entry in (*OWN.values(), INVISIBLE)])

    directions = jnp.asarray(rng.normal(size=points.shape))  # a derivative that is not finite shows in every direction
    both = jax.jit(lambda at, along: jax.jvp(ratios, (at,), (along,)))
    for at, along in zip(points, directions, strict=True):
        assert np.isfinite(both(at, along)).all()

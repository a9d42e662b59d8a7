"""Bosons made from photons: edges of published regions, rows of the tables that are not stored, scaling, slopes."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.constraints import charm, electron_dumps, photon_dumps
from anomfit.constraints.dump_tables import decays, stored_table
from anomfit.models.dark_scalar import dark_scalar
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.physics.light_bosons import LightBosons
from anomfit.physics.primakoff import squared_photon_coupling

NAMES = ("nucal", "na64-photons", "lep-photons", "e137", "charm")
GRID = np.logspace(-8.0, 0.0, 1601)  # couplings, steps of 1.2 per cent


@dataclass(frozen=True)
class PhotonBoson:
    """One scalar with g (GeV^-1) to photons, a width to electrons and one to neutrinos (GeV), for any mass."""

    def light_bosons(self, point) -> tuple[LightBosons]:
        photons = point["g"] ** 2 * point["m"] ** 3 / (64.0 * jnp.pi)
        widths = {"to_electrons": point["electrons"], "to_invisible": point["hidden"], "to_photons": photons}
        return (LightBosons.of("scalar", point["m"], **widths),)


@dataclass(frozen=True)
class Fixed:
    """Bosons as they are given."""

    bosons: LightBosons

    def light_bosons(self, point) -> tuple[LightBosons]:
        return (self.bosons,)


BOSON = PhotonBoson()


FAMILIES = (photon_dumps, charm, electron_dumps)
MINE = {entry.name: entry for family in FAMILIES for entry in family.constraints() if entry.name in NAMES}


ENTRIES = tuple(MINE[name] for name in NAMES)


def ratios_at(point, entries, model: object = BOSON):
    """Events or couplings over their limits, in the order of NAMES."""
    return jnp.stack([entry.outcome(model, point, {}).ratio for entry in entries])


ONE = jax.jit(ratios_at)
SLOPES = jax.jit(jax.jacfwd(ratios_at))
SCAN = jax.jit(lambda g, m, entries: jax.vmap(lambda one: ratios_at(alp(m, one), entries))(g))


def alp(m, g, electrons=0.0, hidden=0.0):
    numbers = {"m": m, "g": g, "electrons": electrons, "hidden": hidden}
    return {key: jnp.asarray(value, dtype=float) for key, value in numbers.items()}


def ratio_of(name, m, g, **widths):
    return ONE(alp(m, g, **widths), ENTRIES)[NAMES.index(name)]


def edges(name, mass):
    """(lower, upper) coupling of the excluded range at one mass, by interpolation of the ratio on a grid."""
    logs = np.log(np.maximum(np.asarray(SCAN(jnp.asarray(GRID), mass, ENTRIES))[:, NAMES.index(name)], 1e-300))
    inside = np.flatnonzero(logs > 0.0)
    assert inside.size, f"{name} excludes nothing at {mass} GeV"
    low, high = inside[0], inside[-1]

    def crossing(*nodes):
        return float(np.exp(np.interp(0.0, logs[list(nodes)], np.log(GRID[list(nodes)]))))

    return crossing(low - 1, low), np.inf if high == len(GRID) - 1 else crossing(high + 1, high)


# -- edges of the published regions in (mass, g), compiled publicly by AxionLimits and FORESEE -------------------------


@pytest.mark.parametrize(
    ("mass", "low", "high"),
    [(0.0162349, 2.314e-4, 0.0136287), (0.0283207, 2.27e-4, 3.0917e-3), (0.0455959, 2.27e-4, 7.676e-4)],
)
def test_na64s_edges_are_the_published_ones(mass, low, high):
    """arXiv:2005.02710: what the constraint is made to do."""
    assert edges("na64-photons", mass) == pytest.approx((low, high), rel=0.01)


def test_na64_closes_beyond_its_nose():
    """Published: 54.6 MeV."""
    assert edges("na64-photons", 0.0540)[0] < 3.0e-4
    assert np.max(np.asarray(SCAN(jnp.asarray(GRID), 0.057, ENTRIES))[:, NAMES.index("na64-photons")]) < 1.0


@pytest.mark.parametrize(("mass", "low"), [(0.0203311, 7.3396e-3), (0.0398554, 5.1163e-3), (0.129437, 5.5753e-3)])
def test_leps_edge_is_the_published_one(mass, low):
    assert edges("lep-photons", mass) == pytest.approx((low, np.inf), rel=0.01)


@pytest.mark.parametrize(("mass", "high"), [(0.0336394, 2.0873e-4), (0.0610167, 5.9018e-5), (0.1159815, 1.42146e-5)])
def test_e137s_upper_edge_is_the_published_one(mass, high):
    """FORESEE's digitisation of Bjorken et al., Phys. Rev. D 38 (1988) 3375."""
    assert edges("e137", mass)[1] == pytest.approx(high, rel=0.06)


@pytest.mark.parametrize(("mass", "low"), [(0.00931907, 1.47495e-6), (0.0425153, 4.21232e-7), (0.1851603, 1.65810e-7)])
def test_e137s_lower_edge_is_weaker_than_the_published_one(mass, low):
    """The tables have 7 times fewer decays than the publication of 1988, at every mass: 1.6 in the coupling."""
    assert edges("e137", mass)[0] / low == pytest.approx(1.6, rel=0.06)


@pytest.mark.parametrize(("mass", "high"), [(0.0506295, 1.59559e-4), (0.0619633, 1.06561e-4), (0.0891614, 4.44352e-5)])
def test_nucals_upper_edge_is_the_published_one(mass, high):
    """The envelope of beam dumps of AxionLimits, which is NuCal's here."""
    assert edges("nucal", mass)[1] == pytest.approx(high, rel=0.08)


@pytest.mark.parametrize(("mass", "low", "high"), [(0.0183466, 1.9198e-5, 1.38e-3), (0.0999020, 5.33e-6, 3.4815e-5)])
def test_nucals_older_recast_is_near(mass, low, high):
    """arXiv:1512.03069 as in FORESEE: fusion of the proton's own photons alone; its upper edge interpolated."""
    found = edges("nucal", mass)
    assert found[0] == pytest.approx(low, rel=0.3)
    assert found[1] == pytest.approx(high, rel=0.3)


# -- the tables --------------------------------------------------------------------------------------------------------

# source, mass (GeV), width (GeV), decays: rows of ALPINIST's tables that are not stored
OTHER_ROWS = (
    ("nucal", 0.0586618, 1e-19, 2.2259),
    ("nucal", 0.0586618, 1.12202e-15, 5302.77),
    ("nucal", 0.0586618, 1.25893e-14, 3.5575),
    ("nucal", 0.0874692, 6.30957e-15, 19.555),
    ("nucal", 0.173494, 1e-16, 3026.3),
    ("nucal", 0.173494, 3.16228e-15, 17.3901),
    ("charm", 0.0621071, 1e-19, 1.75106),
    ("charm", 0.0621071, 1e-16, 671.104),
    ("charm", 0.0621071, 2.23872e-15, 1.6382),
    ("charm", 0.116355, 7.07946e-17, 603.604),
    ("charm", 0.116355, 7.94328e-16, 10.3283),
    ("charm_b", 0.0331512, 7.94328e-16, 2.13743e-4),
    ("charm_b", 0.163869, 1.41254e-16, 2.31536e-4),
    ("charm_b", 0.163869, 7.94328e-16, 3.06781e-5),
    ("e137", 0.0440989, 1e-16, 8.97237e14),
    ("e137", 0.0926064, 1e-19, 2.81556e12),
    ("e137", 0.0926064, 1.12202e-18, 3.04947e13),
    ("e137", 0.183683, 1e-16, 7.45392e13),
)


STEEP_ROWS_OF_E137 = (
    (0.0440989, 3.16228e-15, 1.10847e11),
    (0.0440989, 1.12202e-15, 3.87086e13),
    (0.082617, 1.58489e-15, 2.19265e11),
    (0.183683, 5.62341e-16, 2.25269e11),
)


def test_rows_that_are_not_stored_come_out():
    """Monte Carlo noise and the grid of masses: 4 per cent, E137 9."""
    for source, mass, width, expected in OTHER_ROWS:
        found = float(decays(stored_table(source), source, mass, width, width))
        assert found == pytest.approx(expected, rel=0.10 if source == "e137" else 0.05), (source, mass, width)


def test_e137s_steep_side_scatters_as_its_table_does():
    """A factor of 2 where rows 1.41 apart in width differ by ten: the width is known to 7 per cent."""
    for mass, width, expected in STEEP_ROWS_OF_E137:
        table = stored_table("e137")
        above, below = (float(decays(table, "e137", mass, width * factor, width)) for factor in (0.93, 1.08))
        assert below < expected < above


def test_decays_to_electrons_have_charms_acceptance_for_photons():
    """ALPINIST's table CHARM_photonfrommeson_2El, against what is stored for two photons."""
    for mass, width, expected in (
        (0.1099, 1e-19, 2.7939),
        (0.1099, 7.07946e-17, 603.091),
        (0.1099, 5.62341e-16, 44.1828),
    ):
        found = float(decays(stored_table("charm"), "charm", mass, width, width))
        assert found == pytest.approx(expected, rel=0.05)


def test_long_lives_are_linear_and_short_ones_fall_without_end():
    table = stored_table("nucal")
    at = jax.jit(lambda width: decays(table, "nucal", 0.03, width, width))
    assert float(at(1e-24) / at(1e-25)) == pytest.approx(10.0, rel=1e-9)
    falling = [float(at(width)) for width in np.logspace(-13.5, 3.0, 60)]
    assert np.all(np.diff(falling) <= 0.0)
    assert falling[0] > 0.0
    assert falling[-1] == 0.0


# -- scalars ----------------------------------------------------------------------------------------------------------


def test_events_go_as_the_squared_coupling_at_a_given_life():
    """A width to neutrinos that is much larger fixes the life: production and visible share both go as g^2."""
    for name in ("nucal", "charm", "e137"):
        small, large = (float(ratio_of(name, 0.03, g, hidden=1e-15)) for g in (1e-9, 2e-9))
        assert large / small == pytest.approx(16.0, rel=1e-5), name
    small, large = (float(ratio_of("na64-photons", 0.03, g, hidden=1e-12)) for g in (1e-6, 2e-6))
    assert large / small == pytest.approx(4.0, rel=1e-5)


def test_na64_sees_all_that_does_not_decay_to_photons_or_electrons_early():
    """(g/g_low)^2 with neither decay, and with decays to neutrinos only."""
    long_lived, invisible = (
        float(ratio_of("na64-photons", 0.0283, 1e-4)),
        float(ratio_of("na64-photons", 0.0283, 1e-4, hidden=1e-6)),
    )
    assert invisible == pytest.approx(long_lived, rel=0.01)
    assert float(ratio_of("na64-photons", 0.0283, 1e-4, electrons=1e-6)) < 1e-6


def test_e137_adds_photons_to_what_electrons_radiate():
    """Without a coupling to photons nothing changes; the sum is never less than either."""
    alone = MINE["e137"]
    dump = alone.physics.args[0]

    @jax.jit
    def compared(g):
        (boson,) = BOSON.light_bosons(alp(0.011, g, electrons=1e-16))
        boson = replace(boson, g_e=jnp.full(1, 1e-7))
        radiated = electron_dumps.radiated_events(dump, (boson,), ("electrons", "photons"), alone.data)
        return alone.physics(Fixed(boson), {}, {}, alone.data).ratio, radiated.ratio

    with_photons, without = compared(1e-6), compared(0.0)
    assert float(with_photons[0]) > float(with_photons[1]) > 0.0
    assert float(without[0]) == pytest.approx(float(without[1]), rel=1e-14)


def test_the_models_rows_are_finite_with_slopes_at_the_ends_of_their_ranges():
    ends = [
        {**dark_scalar.points["bp1"], "m_S": m, "kappa": k, "eta_d": d, "eta_u": 1e-5}
        for m in (0.005, 0.0101, 0.21)
        for k in (0.0, 1e-6, 5.0)
        for d in (1e-3, 10.0)
    ]
    batch = {key: jnp.asarray([point[key] for point in ends]) for key in ends[0]}

    def summed(point, entries):
        found = ratios_at(point, entries, dark_scalar)
        return jnp.sum(found), found

    both = jax.jit(jax.vmap(jax.value_and_grad(summed, has_aux=True), (0, None)))
    (_, values), slopes = both(batch, ENTRIES)
    assert np.all(np.isfinite(values))
    assert np.all(np.asarray(values) >= 0.0)
    assert all(np.all(np.isfinite(slope)) for slope in slopes.values())


def test_nothing_is_made_without_a_coupling_to_photons():
    values, slopes = ONE(alp(0.03, 0.0), ENTRIES), SLOPES(alp(0.03, 0.0), ENTRIES)
    for name in ("nucal", "na64-photons", "charm"):
        place = NAMES.index(name)
        assert (float(values[place]), float(slopes["g"][place])) == (0.0, 0.0)
    assert np.all(np.asarray(values) < 1e-20)


def test_a_model_without_a_coupling_to_photons_makes_none():
    point = {key: jnp.asarray(value) for key, value in two_higgs_doublet.points["table-I"].items()}
    names = ("nucal", "na64-photons", "lep-photons")
    ratios = jax.jit(lambda p: {name: MINE[name].outcome(two_higgs_doublet, p, {}).ratio for name in names})(point)
    for name in names[:2]:
        assert float(ratios[name]) == 0.0
    assert float(ratios["lep-photons"]) < 1e-20


def test_gradients_are_those_of_finite_differences():
    at = alp(0.0331, 2.37e-4, electrons=1e-16, hidden=2e-16)
    slopes = SLOPES(at, ENTRIES)
    for name, value in at.items():
        up, down = (ONE(at | {name: value * (1.0 + step)}, ENTRIES) for step in (1e-5, -1e-5))
        np.testing.assert_allclose(slopes[name], (up - down) / (2e-5 * value), rtol=1e-4)


def test_the_coupling_is_that_of_the_width():
    """kappa = 0.71/TeV without loops: m^3 kappa^2/(64 pi)."""
    width = 0.011**3 * 7.1e-4**2 / (64.0 * np.pi)
    assert float(squared_photon_coupling(0.011, width)) == pytest.approx(7.1e-4**2, rel=1e-12)

"""Splines, grids, functions of the transfer and the look-up, on kernels that are known."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.interpolate import make_interp_spline

from anomfit.errors import InputError
from anomfit.physics.nucleon_scalar import dipole
from anomfit.physics.two_body import two_body_energy
from anomfit.tables.exchanged.grid import Grid, Masses, Patch
from anomfit.tables.exchanged.miniboone.compression import compressed, compression, onto_spectra, shared
from anomfit.tables.exchanged.miniboone.table import Values, look_up, make_table
from anomfit.tables.exchanged.scattering import Scattering
from anomfit.tables.exchanged.transfers import POWERS, Family, at_transfer, transfers
from anomfit.tables.splines import to_coefficients, weights

GRID = Grid(Patch(9, 11, 9), Patch(8, 10, 10))
NUCLEI, NUCLEONS = Family(0.5, 10, kept=2e-4), Family(8.0, 14, dipole=(0.4, 1.3), kept=2e-4)


@pytest.mark.parametrize("number", [4, 5, 9])
@pytest.mark.parametrize("power", [1.0, 1.7])
def test_weights_are_those_of_the_not_a_knot_spline(number, power):
    values, nodes = np.random.default_rng(number).normal(size=number), np.linspace(0.0, 1.0, number) ** power
    spline, coefficients = make_interp_spline(nodes, values), to_coefficients(values, nodes, 0)
    for place in (0.0, 0.04, 0.3, 0.51, 0.93, 1.0, *nodes):
        first, found = weights(jnp.asarray(place), nodes)
        assert float(found @ coefficients[int(first) : int(first) + 4]) == pytest.approx(
            float(spline(place)), rel=1e-12
        )
        assert float(jnp.sum(found)) == pytest.approx(1.0, rel=1e-13)


@pytest.mark.parametrize("which", [0, 1])
def test_coordinates_of_the_nodes_are_where_the_splines_have_them(which):
    parents, places = GRID.parents(which), GRID.nodes(which)
    for i in (0, 3, len(parents) - 2):
        pairs = GRID.pairs(which, parents[i])
        daughters = GRID.daughters(which, parents[i], pairs)
        for j in (0, 4, 8):
            for k in (0, 1, 5, 7):
                energy = two_body_energy(parents[i], pairs[j], daughters[j, k])
                at = GRID.coordinates(Masses(*map(jnp.asarray, (parents[i], pairs[j], energy))))
                assert bool(at.is_light) == (which == 0)
                assert float(at.parent) == pytest.approx(places[0][i], abs=1e-12)
                assert float(at.pair) == pytest.approx(places[1][j], abs=1e-9)
                assert float(at.energy) == pytest.approx(places[2][k], abs=1e-6)


def test_a_grid_knows_what_is_inside_and_refuses_too_few_nodes():
    def holds(parent, pair):
        return bool(GRID.holds(Masses(*map(jnp.asarray, (parent, pair, pair)))))

    assert holds(0.13, 0.017)
    assert holds(2.0, 0.2)
    assert holds(0.01, 0.0015)
    assert not holds(0.0099, 0.002)
    assert not holds(0.13, 0.1295)
    assert not holds(1.0, 0.21)
    assert not holds(0.1, 0.0014)
    with pytest.raises(InputError, match=r"grid\.heavy\.pair.*at least 4"):
        Grid(heavy=Patch(7, 3, 8))


@pytest.mark.parametrize("family", [NUCLEI, NUCLEONS], ids=["nuclei", "nucleons"])
@pytest.mark.parametrize("mass", [0.2, 0.75, 5.0])
def test_few_functions_hold_propagators_and_dipoles(family, mass):
    """Times what a kernel has in place of the propagators, 2e-3 of the largest at any Q^2, 1e-3 in the mean square."""
    q_squared = np.geomspace(1e-6, family.highest, 500)
    known, functions = transfers(family), at_transfer(family, jnp.asarray(q_squared))

    def wanted(x, power):
        shape = 1.0 if family.dipole is None else np.asarray(dipole(x, 0.85)) ** 2
        return shape / (x + mass**2) ** power * np.ones_like(x)

    for power in POWERS:
        coefficients = wanted(known.nodes, power) @ known.project[power]
        assert np.all(np.abs(coefficients) <= 1.3 * known.strongest[power] + 1e-3 * known.strongest[power].max())
        off = (np.asarray(functions[power]) @ coefficients - wanted(q_squared, power)) * (q_squared + 0.04) ** power
        scale = wanted(q_squared, power) * (q_squared + 0.04) ** power
        assert np.max(np.abs(off)) < 2e-3 * np.max(scale)
        assert np.sqrt(np.mean(off**2)) < 1e-3 * np.sqrt(np.mean(scale**2))


def smooth(scattering: Scattering, which: int):
    """Kernels with a bump in every coordinate: (parents, pairs, energies, terms, places, beams, bins, flights)."""
    places = [
        [[(np.log(parent), np.log(pair), w) for w in GRID.nodes(which)[2]] for pair in GRID.pairs(which, parent)]
        for parent in GRID.parents(which)
    ]
    return of_places(np.array(places), sum(map(len, scattering.strongest)))


def of_places(places, terms):
    x, y, z = np.moveaxis(places, -1, 0)
    bins, term = np.arange(3) / 3.0, np.arange(terms) / terms
    peak = np.exp(-((x + 2.0) ** 2) / 6.0 - (y + 3.5) ** 2 / 8.0 + 0.5 * z)[..., None]
    by_bin = peak * (1.0 + 0.3 * np.sin(bins + 0.2 * x[..., None]))
    by_term = by_bin[..., None, None, None, :, None] * (1.0 + 0.5 * term[:, None, None, None, None])
    flights = 1.0 + 0.1 * np.arange(2) * (1.0 + 0.2 * z[..., None, None, None, None, None])
    return 1e12 * by_term * flights * np.ones((2, 1, 1, 1))


def test_the_largest_numbers_of_all_sets_are_kept_and_one_of_each(monkeypatch):
    monkeypatch.setattr("anomfit.tables.exchanged.miniboone.compression.NUMBERS", 4)
    squares = [np.diag([9.0, 4.0, 1.0, 0.01]), np.diag([16.0, 0.25]), np.diag([0.0025, 0.0001]), np.diag([1e-30, 0.0])]
    assert [turn.shape[1] for turn in shared(squares, 1)] == [3, 1, 1, 1]
    np.testing.assert_allclose(np.abs(shared(squares, 1)[0]), np.eye(4)[:, :3])


def test_a_table_holds_smooth_kernels_and_their_slopes():
    scattering = Scattering(NUCLEI, NUCLEONS, (((0,),), ((0, 2), (1,))), "measured", "none")
    shares = [np.array([[1.0, 0.5], [0.5, 1.0]])] * 2
    kernels = [smooth(scattering, which) for which in (0, 1)]
    flat = np.concatenate([one.reshape(-1, *one.shape[3:]) for one in kernels])
    made = compression(flat, scattering, shares, 1e-4, np.array([[1.0, 2.0, 1.5]]))
    found = [compressed(one, made) for one in kernels]
    rows = np.concatenate([features.reshape(-1, features.shape[-1]) for features, _ in found])
    turned = shared([rows[:, part].T @ rows[:, part] for part in made.parts], len(rows))
    patches = []
    for features, sizes in found:
        turns = [features[..., part] @ turn for part, turn in zip(made.parts, turned, strict=True)]
        patches.append(Values(np.concatenate(turns, axis=-1).astype(np.float32), sizes))
    table = make_table(patches, GRID, onto_spectra(turned, made), made.spectra)
    assert table.rows.shape[0] == table.fine.shape[0] == GRID.places
    assert table.fine.shape[1] > 0
    blocks = len(made.strength)
    terms = sum(map(len, made.strength))

    @partial(jax.jit, static_argnums=1)
    def looked_up(masses, is_massless=False):
        found = look_up(table, GRID.coordinates(Masses(*masses)), is_massless)
        spectra = []
        for place in range(2):
            turns = table.turns[place * blocks : (place + 1) * blocks]
            sizes = jnp.exp(found.size[place * blocks : (place + 1) * blocks])
            parts = [
                size * jnp.einsum("g,gtr->tr", found.over_size[block], turn)
                for block, (size, turn) in enumerate(zip(sizes, turns, strict=True))
            ]
            spectra.append(jnp.einsum("tr,rbkq->tbkq", jnp.concatenate(parts), table.spectra[place]))
        return jnp.stack(spectra, axis=1)

    assert blocks == 6
    sloped = jax.jit(lambda x, direction: jax.jvp(looked_up, (x,), (direction,))[1])
    backward = jax.jit(jax.value_and_grad(lambda x: jnp.sum(looked_up(x))))
    for parent, pair, openness in ((0.13, 0.017, 0.6), (0.6, 0.05, 0.9), (0.03, 0.004, 0.3)):
        energy = pair * ((parent**2 + pair**2) / (2.0 * parent * pair)) ** openness
        expected = of_places(np.array([np.log(parent), np.log(pair), openness]), terms)
        masses = jnp.array([parent, pair, energy])
        np.testing.assert_allclose(looked_up(masses), expected, rtol=4e-3)
        direction = masses * jnp.array([0.3, -0.2, 0.25])
        slope = sloped(masses, direction)
        step = 1e-3
        differences = (looked_up(masses + step * direction) - looked_up(masses - step * direction)) / (2.0 * step)
        np.testing.assert_allclose(slope, differences, rtol=5e-3, atol=5e-4 * float(jnp.max(jnp.abs(expected))))
        total, backwards = backward(masses)
        assert float(backwards @ direction) == pytest.approx(float(jnp.sum(slope)), rel=1e-4, abs=1e-4 * float(total))
    light = jnp.array([0.13, 0.017, (0.13**2 + 0.017**2) / 0.26])
    np.testing.assert_allclose(looked_up(light, True), looked_up(light), rtol=1e-5)

"""Pairs of many masses together: the tables in the mass against what they tabulate, the sum against mass by mass."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.special import ndtr

from anomfit.detectors import miniboone
from anomfit.detectors.mass_tables import knots
from anomfit.detectors.pairs import SELECTIONS, find_selection, see_pairs
from anomfit.detectors.resolution import find_resolution
from anomfit.detectors.shower_energies import energy_basis, see_energies, to_coefficients
from anomfit.detectors.shower_response import build_response
from anomfit.detectors.spread_response import build_spread_table, stretched_basis, stretched_energies
from anomfit.measurements.microboone import load_microboone
from anomfit.measurements.miniboone import load_miniboone
from anomfit.models.dark_photon import DarkPhoton
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.physics.constants import M_E

EDGES = (0.2, 0.3, 0.475, 0.95, 1.5)
SIZE = (24, 6)  # energies and waves

# N_5 of 140 MeV that decays to a Z' of 100 MeV, which MiniBooNE cuts by its mass but for the most energetic
REAL = {"m_N6": 0.3183, "m_N5_over_m_N6": 0.4351, "m_N4_over_m_N5": 0.356, "U_mu4": 1e-4, "U_mu6": 1e-3}
REAL |= {"theta_46": 0.8, "alpha_D": 0.2, "epsilon": 2e-3, "m_Zprime": 0.1001}


def direct(mass, selection, response, is_aligned):
    """Bins by wave and energy's coefficient, without a table."""
    energies, waves = SIZE
    wave = np.arange(waves)
    energy = stretched_energies(energies)
    seen = see_pairs(energy, mass, selection, miniboone.relative_efficiency, True)
    basis = energy_basis(seen.energy, len(response.table))
    visible = jnp.einsum("ew,eiw->ei", seen.quadrupole if is_aligned else seen.weight, basis)
    damped = jnp.exp(-0.25 * wave * (wave + 1) * seen.tilt[:, None])
    return jnp.einsum("je,el,ei,ilk->ljk", to_coefficients(energies), damped, visible, response.table)


@pytest.mark.parametrize("name", sorted(SELECTIONS))
def test_tables_in_the_mass_are_what_is_seen(name):
    """Values and slopes, from the threshold on and between knots, of isotropic and of aligned leptons."""
    selection = find_selection(name)
    response = build_response(miniboone.quasi_elastic_bins(EDGES), find_resolution("flat"), 32, SIZE[1])
    tables = build_spread_table(response, selection, miniboone.relative_efficiency, SIZE, SIZE)
    masses = np.concatenate([[2.0 * M_E, 1.03e-3], np.sqrt(knots()[7:-60:23] * knots()[8:-59:23])])
    unit = np.ones(len(masses))
    for table, is_aligned in ((tables.isotropic, False), (tables.aligned, True)):
        expected, slopes = jax.jit(
            lambda m, d, a=is_aligned: jax.jvp(jax.vmap(lambda one: direct(one, selection, response, a)), (m,), (d,))
        )(jnp.asarray(masses), masses)
        found, found_slopes = jax.jvp(
            lambda m, t=table: jnp.tensordot(t.functions(m), t.arrays, axes=1), (jnp.asarray(masses),), (masses * unit,)
        )
        largest = float(jnp.max(jnp.abs(expected)))
        np.testing.assert_allclose(found, expected, rtol=0.0, atol=2e-4 * largest)
        assert float(jnp.sqrt(jnp.mean((found - expected) ** 2))) < 1e-5 * largest
        some = masses > 1.1e-3  # at the threshold the slope in the mass has no end
        np.testing.assert_allclose(found_slopes[some], slopes[some], rtol=0.0, atol=5e-3 * largest)


def test_stretched_energies_resolve_more_with_as_many_polynomials():
    """The chance to be below 0.5 GeV with a resolution of 11.5 %, with as many as the table of MiniBooNE has."""
    n = miniboone.SpreadPairs(EDGES, find_selection("overlap-13"), "flat").isotropic[0]
    energy = np.geomspace(0.1, 2.1, 301)

    def below(energy):
        return ndtr(np.log(0.5 / energy) / 0.115)

    def error(points, basis):
        found = to_coefficients(n) @ below(points) @ np.asarray(basis(jnp.asarray(energy), n))
        return np.max(np.abs(found - below(energy)))

    assert error(stretched_energies(n), stretched_basis) < 0.5 * error(see_energies(n), energy_basis)


def spectrum(measurement, model, point):
    """Bins of both horn modes."""
    return jax.jit(lambda at: measurement.predict(model, at, {}).total)(point)


def alone(measurement):
    """The measurement with pairs of each mass on their own, on finer nodes."""
    nodes = replace(measurement.chain.nodes, spread=(96, 24))
    return replace(measurement, chain=replace(measurement.chain, of_spread=None, nodes=nodes))


def point_of(name):
    """A point of the paper in masses and vertices, or the point with a real Z'."""
    if name == "real":
        parametrisation = dark_seesaw.parametrisations["left-right"]
        return dark_seesaw, parametrisation.to_physical({k: jnp.asarray(x) for k, x in REAL.items()})
    given = {k: jnp.asarray(float(x)) for k, x in dark_seesaw.points[name].items()}
    return DarkPhoton(zprime_flies=False), dark_seesaw.vertices(given)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["BP-B", "real"])
def test_all_masses_together_are_what_each_adds_alone(name):
    """Production's nodes are the same: 1e-3 of a bin, or 1e-2 of its error, of those of a thousand events."""
    model, point = point_of(name)
    chosen = load_miniboone()
    found, expected = (np.asarray(spectrum(one, model, point)) for one in (chosen, alone(chosen)))
    scale = min(1.0, 1000.0 / expected.sum())
    error = np.sqrt(np.asarray(chosen.data.counts) + scale * expected)
    assert np.all(scale * np.abs(found - expected) < np.maximum(1e-3 * scale * expected, 1e-2 * error))
    assert found.sum() == pytest.approx(expected.sum(), rel=1e-3)


@pytest.mark.slow
def test_microboone_counts_all_masses_together_as_each_alone():
    """As above, of the visible energy and with its angles."""
    model, point = point_of("real")
    chosen = load_microboone()
    search = chosen.search
    each = replace(search, of_spread=None, nodes=replace(search.nodes, spread=(64, 24)))
    found, expected = (np.asarray(spectrum(one, model, point)) for one in (chosen, replace(chosen, search=each)))
    scale = min(1.0, 1000.0 / expected.sum())
    error = np.sqrt(np.asarray(chosen.counts) + scale * expected)
    assert np.all(scale * np.abs(found - expected) < np.maximum(1e-3 * scale * expected, 1e-2 * error))


@pytest.mark.slow
def test_slopes_agree_with_differences():
    """In all numbers of a point with a real Z', on few nodes."""
    model, start = point_of("real")
    chosen = load_miniboone()
    nodes = replace(chosen.chain.nodes, energy=24, angle=6, made=4, spread=(9, 6))
    few = replace(chosen, chain=replace(chosen.chain, nodes=nodes))
    names = [name for name, value in start.items() if float(value) != 0.0]

    @jax.jit
    @jax.vmap
    def both(numbers):
        def signal(numbers):
            point = {**start, **dict(zip(names, numbers, strict=True))}
            return jnp.sum(jnp.sqrt(1.0 + few.predict(model, point, {}).total))

        return jax.value_and_grad(signal)(numbers)

    numbers = np.array([float(start[name]) for name in names])
    step = 1e-4 * numbers
    shifts = np.array([2.0, 1.0, 0.0, -1.0, -2.0])[:, None, None] * np.diag(step)
    values, slopes = (np.asarray(part) for part in both(jnp.asarray((numbers + shifts).reshape(-1, len(names)))))
    values = values.reshape(5, len(names))
    expected = np.array([-1.0, 8.0, 0.0, -8.0, 1.0]) @ values / 12.0 / step
    found = slopes.reshape(5, len(names), len(names))[2, 0]
    size = np.max(np.abs(expected * numbers))
    np.testing.assert_allclose(found * numbers, expected * numbers, rtol=1e-5, atol=1e-6 * size)

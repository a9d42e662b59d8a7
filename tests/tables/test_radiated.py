"""Coarse tables of radiated scalars beside the exact rule, at the nodes of their grid, where splines do not matter."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.catalogue import find_measurement, shipped_constraints
from anomfit.inference.compiled import forward, holds
from anomfit.models.zprime_two_higgs_doublet import zprime_two_higgs_doublet
from anomfit.problem import build_problem
from anomfit.rates.pair_events import Nodes
from anomfit.rates.radiated_setup import RadiatedNodes
from anomfit.tables import pieces, problems, store
from anomfit.tables.blocks import arrays_of, from_arrays, look_up, make_table
from anomfit.tables.checking import over_tolerance
from anomfit.tables.radiated import building
from anomfit.tables.radiated.grid import Axis, Grid, Masses

GRID = Grid(Axis(4, 0.02, 0.5), Axis(5, 0.01, 0.3, (0.03, 0.2), 2.0), Axis(4, 0.2, 2.0))
FEW = RadiatedNodes(energy=10, angle=5, neutrino=6, flux=36, transfer=4, of_nucleon=8, starts=128)


def test_an_axis_goes_through_its_range_and_is_denser_where_it_is_asked_to_be():
    axis = Axis(41, 0.0025, 2.0, (0.03, 0.3), 2.0)
    masses = axis.masses()
    assert (masses[0], masses[-1]) == (0.0025, 2.0)
    np.testing.assert_allclose(axis.place(masses), axis.nodes, atol=1e-6)
    steps = np.diff(np.log(masses))
    middle = (masses[1:] > 0.05) & (masses[1:] < 0.2)
    assert np.max(steps[middle]) < 0.6 * steps[0]
    with pytest.raises(ValueError, match=r"axis.number.*at least 4"):
        Axis(3, 0.1, 1.0)


def test_a_smooth_function_is_looked_up_with_its_slopes():
    grid = Grid(Axis(24, 0.02, 0.5), Axis(24, 0.01, 0.3), Axis(24, 0.2, 2.0))
    random = np.random.default_rng(1)
    powers = random.uniform(-1.5, 1.5, size=(2, 3, 4, 5, 3))

    def kernels(m_N, m_scalar, m_vector):
        return jnp.exp(powers @ jnp.log(jnp.stack([m_N, m_scalar, m_vector]))) * (1.0 + m_N / m_vector)

    axes = jnp.meshgrid(*(axis.masses() for axis in grid.axes), indexing="ij")
    places = jnp.stack([x.ravel() for x in axes])
    table = make_table(list(np.moveaxis(np.asarray(jax.vmap(kernels)(*places)), 1, 0)), grid, [0.0, 0.0])

    @jax.jit
    def looked_up(masses):
        found = look_up(table, masses)
        parts = [jnp.tensordot(*both, axes=1) for both in zip(found.over_size, table.spectra, strict=True)]
        return found.size[:, None, None, None] * jnp.stack(parts)

    at = Masses(*map(jnp.asarray, (0.13, 0.04, 0.9)))
    wanted, slopes = (jax.jit(of(kernels, (0, 1, 2)))(*at) for of in (lambda f, _: f, jax.jacfwd))
    for found, one in zip(looked_up(at), wanted, strict=True):  # numbers are kept over a block's size
        np.testing.assert_allclose(found, one, atol=2e-4 * np.max(one))
    for way in (jax.jacfwd, jax.jacrev):
        for found, one in zip(jax.jit(way(looked_up))(at), slopes, strict=True):
            np.testing.assert_allclose(found, one, rtol=2e-3, atol=2e-3 * np.max(np.abs(one)))
    again = from_arrays({name: jnp.asarray(x) for name, x in arrays_of(table).items()}, grid)
    assert jax.tree.all(jax.tree.map(np.array_equal, again, table))


def quick(measurement):
    if hasattr(measurement, "chain"):
        chain = measurement.chain
        return replace(measurement, chain=replace(chain, nodes=replace(chain.nodes, radiated=FEW)))
    sample = measurement.data["measured"]
    few = Nodes(parent=12, radiated=FEW, **{name: getattr(sample.samples_of_pairs[0].nodes, name) for name in ENDS})
    samples = tuple(replace(one, nodes=few) for one in sample.samples_of_pairs)
    return replace(measurement, data={**measurement.data, "measured": replace(sample, samples_of_pairs=samples)})


ENDS = ("lowest", "highest", "path")


@pytest.fixture(scope="module")
def exact():
    charm2 = next(one for one in shipped_constraints() if one.name == "charm2")
    chosen = zprime_two_higgs_doublet.parametrisations["products"]
    point = chosen.from_physical(zprime_two_higgs_doublet.points["table-I"])
    names = ("m_nu4", "m_hprime", "m_H", "m_Zprime", "sin_delta", "g_d", "g_d2_g_B_U_mu4", "y_e")
    free = [chosen[name] for name in names]
    fixed = {name: float(point[name]) for name in chosen.names if name not in names}
    measurements = (quick(find_measurement("miniboone")), quick(charm2))
    return build_problem(zprime_two_higgs_doublet, measurements, "products", free, fixed)


@pytest.fixture(scope="module")
def fast(exact, tmp_path_factory):
    """The tables, by a build that is stopped in the middle and goes on."""
    patch = pytest.MonkeyPatch()
    patch.setenv(store.SWITCH, str(tmp_path_factory.mktemp("tables")))

    def stop(stage, done, total):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        problems.tabulated(exact, progress=stop, grid=GRID, checked=0)
    (folder,) = store.tables_folder().iterdir()
    done = {path.name for path in (folder / store.PIECES).iterdir()}
    assert {"neutrino-000.npz", "neutrino-001.npz"} <= done
    read = []
    real = pieces.kept

    def watched(path, make):
        read.append(path.name if path.is_file() else None)
        return real(path, make)

    patch.setattr(building, "kept", watched)
    yield problems.tabulated(exact, grid=GRID, checked=0)
    assert done <= set(read)
    patch.undo()


def points_at_nodes():
    heavy, scalars, vectors = (axis.masses() for axis in GRID.axes)
    for i, j, k, m in ((1, 1, 3, 1), (2, 2, 4, 2), (0, 0, 2, 3), (3, 3, 4, 3)):
        yield {"m_nu4": heavy[i], "m_hprime": scalars[j], "m_H": scalars[k], "m_Zprime": vectors[m]}


def values_of(problem, masses, **more):
    values = {
        "sin_delta": 0.3,
        "g_d": 1.0,
        "g_d2_g_B_U_mu4": 3e-7,
        "y_e": 3e-4,
        "miniboone_dirt": -0.4,
        "charm2_dirt": 0.3,
    }
    values |= masses | more
    return {name: jnp.asarray(float(values.get(name, 0.0))) for name in problem.names}


@pytest.mark.slow
def test_at_nodes_the_table_is_the_exact_rule_whatever_the_couplings_and_flights(exact, fast):
    predicted = jax.jit(lambda problem, values: [one.total for one in problem.predictions(values)])
    assert [one.is_looked_up for one in fast.measurements] == [True, True]
    assert [one.name for one in fast.measurements] == ["miniboone", "charm2"]
    for masses in points_at_nodes():
        for y_e in (3e-5, 3e-3):
            values = values_of(exact, masses, y_e=y_e)
            assert bool(holds(fast, jax.tree.map(lambda x: x[None], values))[0])
            pairs = zip(predicted(fast, values), predicted(exact, values), exact.measurements, strict=True)
            for found, wanted, measurement in pairs:
                found, wanted = np.asarray(found)[None], np.asarray(wanted)[None]
                assert np.sum(wanted) > 0.0
                assert over_tolerance(found, wanted, measurement)[0] < 0.5, (measurement.name, masses, y_e)


@pytest.mark.slow
def test_slopes_are_those_of_differences(fast):
    chosen = {"m_nu4": 0.07, "m_hprime": 0.02, "m_H": 0.11, "m_Zprime": 0.6}
    values = values_of(fast, chosen)
    total = jax.jit(lambda values: jnp.stack([jnp.sum(one.total) for one in fast.predictions(values)]))
    slopes = jax.jit(jax.jacrev(total))(values)
    for name, value in values.items():
        step = 1e-3 * max(abs(float(value)), 1.0 if "dirt" in name else 1e-30)
        upper, lower = (total(values | {name: value + sign * step}) for sign in (1.0, -1.0))
        difference = (upper - lower) / (2.0 * step)
        np.testing.assert_allclose(slopes[name], difference, rtol=3e-3, atol=1e-4 * float(total(values)[0]))


@pytest.mark.slow
def test_outside_the_exact_rule_is_asked(exact, fast):
    inside, outside = ({**next(points_at_nodes()), "m_nu4": mass} for mass in (0.1, 0.6))
    points = [values_of(exact, masses) for masses in (inside, outside)]
    points = {name: np.array([float(one[name]) for one in points]) for name in exact.names}
    assert np.asarray(holds(fast, {name: jnp.asarray(x) for name, x in points.items()})).tolist() == [True, False]
    said, wanted = (forward(problem, points).signal for problem in (fast, exact))
    for one, other in zip(said, wanted, strict=True):
        for name in one:
            np.testing.assert_allclose(one[name][1], other[name][1], rtol=1e-12)


def test_measurements_that_count_other_things_keep_the_exact_rule(exact):
    more = replace(exact, measurements=(*exact.measurements, find_measurement("g-2-muon")), centres=exact.centres)
    assert [plan.place for plan in problems.planned(more, GRID)] == [0, 1]


def test_tables_are_told_apart_by_what_they_are_made_of_and_not_by_last_digits(exact):
    plans = problems.planned(exact, GRID)
    charm2 = exact.measurements[1]
    sample = charm2.data["measured"]
    (one,) = sample.samples_of_pairs

    def folder(changed):
        other = replace(sample, samples_of_pairs=(changed,))
        limit = replace(charm2, data={**charm2.data, "measured": other})
        return problems.planned(replace(exact, measurements=(exact.measurements[0], limit)), GRID)[1].tables[0].folder

    here = plans[1].tables[0].folder
    assert here not in {table.folder for table in plans[0].tables}
    rounded = replace(one.forward, below=tuple(part * (1.0 + 1e-15) for part in one.forward.below))
    assert folder(replace(one, forward=rounded)) == here
    others = {
        folder(replace(one, edges=1.1 * one.edges)),
        folder(replace(one, beam=replace(one.beam, exposure=2.0 * one.beam.exposure))),
        folder(replace(one, nodes=replace(one.nodes, lowest=1.0))),
        folder(replace(one, cuts=replace(one.cuts, efficiency=0.5))),
    }
    assert here not in others
    assert len(others) == 4

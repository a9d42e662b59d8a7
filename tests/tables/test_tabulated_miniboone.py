"""A coarse table of MiniBooNE beside the exact rule, at the nodes of its grid, where splines do not matter."""

from dataclasses import replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import anomfit
from anomfit.cards import load_card, problem_from_card
from anomfit.catalogue import find_measurement
from anomfit.errors import InputError
from anomfit.inference.compiled import holds
from anomfit.models.dark_photon import dark_photon_dirac
from anomfit.models.dark_scalar import dark_scalar
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.problem import build_problem
from anomfit.rates.pair_events import Nodes
from anomfit.tables import problems, store, using
from anomfit.tables.checking import over_tolerance
from anomfit.tables.exchanged.grid import Grid, Patch
from anomfit.tables.exchanged.miniboone import building
from anomfit.tables.exchanged.miniboone.counts import folder_of
from anomfit.userfiles import resolve_model

GRID = Grid(Patch(4, 4, 4), Patch(4, 4, 4))
NODES = Nodes(energy=24, angle=10, parent=16, polar=8, made=24)


def problem_of(model, measurement, parametrisation="products", also=(), **values):
    chosen = model.parametrisations[parametrisation]
    point = chosen.from_physical(model.points[next(iter(model.points))])
    wanted = ("m_N2", "m_hprime", "m_N1", "m_H", "sin_delta", "y_nu_F_N", "y_e", *also)
    names = [name for name in wanted if name in chosen.names]
    free = [chosen[name] for name in names]
    fixed = {name: values.get(name, float(point[name])) for name in chosen.names if name not in names}
    return build_problem(model, (measurement,), parametrisation, free, fixed)


@pytest.fixture(scope="module")
def exact():
    measurement = find_measurement("miniboone")
    quick = replace(measurement, chain=replace(measurement.chain, nodes=NODES))
    return problem_of(two_higgs_doublet, quick)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv(store.SWITCH, str(tmp_path_factory.mktemp("tables")))
    yield store.tables_folder()
    patch.undo()


@pytest.fixture(scope="module")
def fast(exact, folder):
    """The table, by a build that is stopped in the middle and goes on."""
    patch = pytest.MonkeyPatch()
    seen = []

    def stop(stage, done, total):
        seen.append(done)
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        problems.tabulated(exact, progress=stop, grid=GRID, checked=0)
    (kept,) = folder.iterdir()
    pieces = sorted(path.name for path in (kept / store.PIECES).iterdir())
    assert {"parent-000.npz", "parent-002.npz", "sample.npz"} <= set(pieces)
    made = []
    real = building.compressed
    patch.setattr(building, "compressed", lambda *given: made.append(1) or real(*given))
    try:
        found = problems.tabulated(exact, grid=GRID, checked=0)
    finally:
        patch.undo()
    assert len(made) == (8 - sum(name.startswith("parent") for name in pieces)) * GRID.light.pair
    return found


def points_at_nodes():
    for which, i, j, k, m_H, lifetime in (
        (0, 1, 1, 1, 0.3, 1.0),
        (0, 2, 2, 2, 0.75, 0.03),
        (0, 2, 1, 2, 5.0, 1e-3),
        (1, 1, 1, 1, 0.5, 1.0),
    ):
        parent = GRID.parents(which)[i]
        pairs = GRID.pairs(which, parent)
        daughter = GRID.daughters(which, parent, pairs)[j, k]
        yield {"m_N2": parent, "m_hprime": pairs[j], "m_N1": daughter, "m_H": m_H, "sin_delta": 0.2}, lifetime


@pytest.mark.slow
def test_at_nodes_the_table_is_the_exact_rule(exact, fast):
    signal = jax.jit(lambda problem, values: problem.predictions(values)[0].signal)
    for masses, lifetime in points_at_nodes():
        values = masses | {"y_nu_F_N": 3e-6, "y_e": 2e-4 * lifetime, "M_S": 0.7, "miniboone_dirt": -0.5}
        values = {name: jnp.asarray(float(value)) for name, value in values.items()}
        reference, found = signal(exact, values), signal(fast, values)
        assert set(found) == set(reference)
        total, wanted = (np.asarray(sum(one.values())) for one in (found, reference))
        assert over_tolerance(total[None], wanted[None], exact.measurements[0])[0] < 0.5
        for name, part in reference.items():
            np.testing.assert_allclose(found[name], part, atol=1e-3 * np.max(wanted))


@pytest.fixture(scope="module")
def freed(exact, fast, folder):
    """Both problems with the quarks' couplings free: the same table."""
    free = problem_of(two_higgs_doublet, exact.measurements[0], also=("y_u", "y_d"))
    found = problems.tabulated(free, grid=GRID, checked=0)
    assert len(list(folder.iterdir())) == 1
    return free, found


@pytest.mark.slow
def test_one_table_serves_any_couplings_of_quarks(freed):
    exact, fast = freed
    signal = jax.jit(lambda problem, values: problem.predictions(values)[0].total)
    random = np.random.default_rng(3)
    for masses, lifetime in points_at_nodes():
        # up quarks alone, down quarks alone, and such that a neutron has more than twice a proton's coupling
        for y_u, y_d in ((1e-5, 1e-9), (1e-9, 1e-5), (-4.4e-6, 5.5e-6)):
            values = masses | {"y_nu_F_N": 3e-6, "y_e": 2e-4 * lifetime, "y_u": y_u, "y_d": y_d}
            values |= {"m_H": np.exp(random.uniform(np.log(0.2), np.log(10.0))), "sin_delta": random.uniform(0.02, 0.9)}
            values |= {"M_S": random.uniform(0.5, 1.1), "miniboone_dirt": random.normal()}
            values = {name: jnp.asarray(float(value)) for name, value in values.items()}
            assert bool(holds(fast, jax.tree.map(lambda x: x[None], values))[0])
            reference, found = (np.asarray(signal(problem, values)) for problem in freed)
            assert over_tolerance(found[None], reference[None], exact.measurements[0])[0] < 0.5


@pytest.mark.slow
def test_slopes_are_those_of_differences(freed):
    _, fast = freed
    names, random = list(fast.names), np.random.default_rng(5)
    total = jax.jit(lambda values: jnp.sum(fast.predictions(values)[0].total))
    slopes = jax.jit(jax.grad(total))
    for parent, pair, daughter in ((0.13, 0.017, 0.085), (0.05, 0.012, 0.03), (0.6, 0.08, 0.2)):
        values = {"m_N2": parent, "m_hprime": pair, "m_N1": daughter, "m_H": 0.6, "sin_delta": 0.2, "y_nu_F_N": 3e-6}
        values |= {"y_e": 2e-4, "y_u": 1e-5 * random.random(), "y_d": 1e-5 * random.random()}
        values |= {name: 0.8 + 0.2 * random.random() for name in names if name not in values}
        values = {name: jnp.asarray(values[name]) for name in names}
        found = slopes(values)
        for name, value in values.items():
            step = 1e-3 * value  # numbers of a table have 32 bits
            upper, lower = (total(values | {name: value + sign * step}) for sign in (1.0, -1.0))
            difference = float(upper - lower) / (2.0 * float(step))
            assert float(found[name]) == pytest.approx(difference, rel=5e-3, abs=1e-3 * float(total(values) / value))


@pytest.mark.slow
def test_outside_the_prediction_is_not_a_number(fast):
    masses, _ = next(points_at_nodes())
    points = {name: np.full(4, value) for name, value in masses.items()} | {"y_nu_F_N": np.full(4, 3e-6)}
    points |= {"y_e": np.full(4, 2e-4), "m_H": np.array([0.3, 0.5, 0.7, 0.9]), "M_S": np.array([0.0, 6.0, -6.0, 1.0])}
    table = {name: jnp.asarray(points.get(name, np.zeros(4))) for name in fast.names}
    inside = holds(fast, table)
    assert inside.tolist() == [True, False, False, True]  # dipole masses beyond the table, and out of their range
    said = jax.jit(jax.vmap(lambda at: fast.predictions(at)[0].total))(table)
    assert np.isnan(said).all(axis=1).tolist() == [False, True, True, False]


def test_a_users_model_is_tabulated_as_a_shipped_one(exact, tmp_path):
    (tmp_path / "mine.py").write_text("from anomfit.models.two_higgs_doublet import two_higgs_doublet as model\n")
    own = resolve_model(f"{tmp_path}/mine.py:model")
    plans = [problems.planned(problem_of(one, exact.measurements[0]), GRID) for one in (own, two_higgs_doublet)]
    assert len({table.folder for (plan,) in plans for table in plan.tables}) == 1


@pytest.mark.slow
def test_the_default_card_takes_the_table_of_the_one_of_miniboone_alone():
    found = [problem_from_card(load_card(name)) for name in ("two-higgs-doublet", "two-higgs-doublet-miniboone")]
    assert "y_u" in found[0].names
    plans = [problems.planned(problem)[0] for problem in found]
    assert {plan.exact.name for plan in plans} == {"miniboone"}
    assert len({table.folder for plan in plans for table in plan.tables}) == 1


def test_few_likelihoods_take_the_exact_rule_while_there_is_no_table(exact, monkeypatch, tmp_path):
    monkeypatch.setenv(store.SWITCH, str(tmp_path))
    told = []
    assert using.with_tables(exact, 1000.0, told.append) is None
    assert "there is no table of miniboone:enuqe yet" in told[0]
    monkeypatch.setattr(using, "tabulated", lambda problem, *rest: "built")
    assert using.with_tables(exact, using.break_even(problems.planned(exact))) == "built"
    monkeypatch.setattr(using, "_is_kept", lambda plan: True)
    assert using.with_tables(exact, 1.0) == "built"


class LookedUp:
    """As if from a table."""

    tables, is_looked_up = (), True

    def __init__(self, exact):
        self.exact, self.name = exact, exact.name

    def holds_at(self, model, point, nuisances):
        return True


def test_unasked_a_table_is_taken_where_it_pays_and_is_good_enough(exact, monkeypatch, tmp_path):
    monkeypatch.setenv(store.SWITCH, str(tmp_path))
    told, good, enough = [], [True], using.break_even(problems.planned(exact))
    looked_up = replace(exact, measurements=(LookedUp(exact.measurements[0]),))
    monkeypatch.setattr(using, "tabulated", lambda problem, *rest: looked_up)
    monkeypatch.setattr(using, "is_good", lambda measurement: good[0])

    def taken(likelihoods, problem=exact):
        return using.with_tables(problem, likelihoods, told.append, asked=False)

    assert taken(1000.0) is None
    assert taken(enough).measurements == looked_up.measurements
    assert taken(enough, replace(exact, measurements=(find_measurement("g-2-muon"),))) is None
    monkeypatch.setattr(using, "_is_kept", lambda plan: True)
    assert taken(1000.0).measurements == looked_up.measurements
    assert not told
    good[0] = False
    assert taken(1000.0) is None
    assert "not good enough" in told[0]


def test_what_cannot_be_tabulated_is_refused(exact):
    measurement = exact.measurements[0]
    with pytest.raises(InputError, match="dark-photon-dirac makes heavy neutrinos by something else than scalars"):
        problems.planned(problem_of(dark_photon_dirac, measurement, next(iter(dark_photon_dirac.parametrisations))))
    opposite = problem_of(two_higgs_doublet, measurement, y_u=-1e-5, y_d=1e-5)
    with pytest.raises(InputError, match="couplings to protons and neutrons of opposite sign"):
        problems.planned(opposite)
    with pytest.raises(InputError, match="dark-scalar has other decays than N -> boson at once"):
        problems.planned(problem_of(dark_scalar, measurement))
    with pytest.raises(InputError, match="only pairs at miniboone"):
        anomfit.tabulated(replace(exact, measurements=(find_measurement("g-2-muon"),)))


@pytest.mark.slow
def test_another_beam_or_choice_is_another_table_and_clean_removes_them(fast, folder):
    (measurement,) = fast.measurements
    chain, scattering = measurement.exact.chain, measurement.looked_up.scattering
    (here,) = (one.folder for one in measurement.tables)
    assert store.load(here) is not None
    beam = replace(chain.beam, exposure=2.0 * chain.beam.exposure)
    others = (
        folder_of(replace(chain, beam=beam), scattering, GRID),
        folder_of(chain, replace(scattering, bound="none"), GRID),
        folder_of(chain, scattering, Grid(Patch(4, 4, 4), Patch(4, 4, 5))),
    )
    assert len({here, *others}) == 4
    assert all(store.load(other) is None for other in others)
    (here / store.TABLE).write_bytes(b"damaged")
    assert store.load(here) is None
    assert store.clean()[0] == 1
    assert list(folder.iterdir()) == []

"""Measurements with a quarter of their nodes: what changes, what stays, and that it is said."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.cards import load_card, problem_from_card
from anomfit.identity import identity
from anomfit.inference.compiled import exact_problem, holds
from anomfit.inference.sample.stages import stages_of
from anomfit.measurements.base import StandsIn, is_light, is_limit
from anomfit.measurements.coarse import Coarse, coarse
from anomfit.problem import with_measurements
from anomfit.rates.fewer_nodes import fewer, with_fewer_nodes
from anomfit.rates.pair_events import Nodes
from anomfit.rates.radiated_setup import RadiatedNodes
from anomfit.rates.recoil_events import RecoilNodes
from anomfit.tables.using import use_of
from anomfit.tabulating import with_few_nodes

COUNTING = ("miniboone", "microboone", "charm2", "nd280-photon-sample", "lsnd")


@pytest.fixture(scope="module")
def problem():
    whole = problem_from_card(load_card("two-higgs-doublet"))
    names = [m.name for m in whole.measurements]
    return with_measurements(whole, [names.index(name) for name in (*COUNTING, "g-2-muon", "e137")])


def test_a_share_of_the_energies_and_its_root_of_all_others():
    few = fewer(Nodes(energy=192, angle=22, parent=64, polar=32, made=192, spread=(28, 14)), 0.25)
    assert (few.energy, few.angle, few.parent, few.polar, few.made, few.spread) == (48, 11, 32, 16, 96, (14, 7))
    least = fewer(Nodes(energy=16, angle=4, parent=10, polar=8, spread=(4, 4)), 0.25)
    assert (least.energy, least.angle, least.parent, least.polar, least.spread) == (12, 4, 8, 6, (4, 4))
    assert few.lowest == Nodes().lowest
    assert few.radiated == fewer(RadiatedNodes(), 0.25)
    assert fewer(RadiatedNodes(24, 10, 14, 72, 8, 16, 256, 64), 0.25) == RadiatedNodes(12, 5, 7, 36, 4, 8, 128, 32)
    few = fewer(RecoilNodes(parent=(40, 12), recoil=8), 0.25)
    assert (few.parent, few.recoil, few.radiated) == ((20, 8), 4, fewer(RadiatedNodes(), 0.25))


def test_nodes_are_found_wherever_they_stand():
    nodes, other = Nodes(), object()
    few = fewer(nodes, 0.5)
    assert with_fewer_nodes((1, (nodes, other)), 0.5) == (1, (few, other))
    assert with_fewer_nodes({"a": {"b": nodes}, "c": other}, 0.5) == {"a": {"b": few}, "c": other}
    changed = with_fewer_nodes(partial(fewer, nodes, share=0.3), 0.5)
    assert (changed.func, changed.args, changed.keywords) == (fewer, (few,), {"share": 0.3})
    for same in (other, (1, 2), {"a": 1}, partial(print, 1), Nodes, "words"):
        assert with_fewer_nodes(same, 0.5) is same


def test_what_counts_no_pairs_on_nodes_stays_as_it_is(problem):
    told = []
    few = with_few_nodes(problem, told.append)
    kinds = {m.name: isinstance(m, Coarse) for m in few.measurements}
    assert kinds == {**dict.fromkeys(COUNTING, True), "g-2-muon": False, "e137": False}
    assert len(told) == 1
    assert all(name in told[0] for name in COUNTING)
    assert with_few_nodes(few, told.append) is few
    exact = exact_problem(few)
    assert exact is not None
    assert exact.measurements == problem.measurements
    for m, old in zip(few.measurements, problem.measurements, strict=True):
        assert is_limit(m) == is_limit(old)
        assert is_light(m) == is_light(old)
        assert (m.name, m.era, m.samples, m.nuisances) == (old.name, old.era, old.samples, old.nuisances)
    assert few.names == problem.names


def test_a_run_s_identity_and_report_know_of_few_nodes(problem):
    few = with_few_nodes(problem, lambda line: None)
    more = set(identity(few)) - set(identity(problem))
    assert more == {f"the few nodes of {m.name}:{m.era}" for m in problem.measurements if m.name in COUNTING}
    assert use_of(problem) is None
    used = use_of(few)
    assert used is not None
    assert used.few == tuple(f"{m.name}:{m.era}" for m in problem.measurements if m.name in COUNTING)


def test_samplers_look_at_few_nodes_last_and_of_these_at_limits_after_spectra(problem):
    stages = stages_of(with_few_nodes(problem, lambda line: None))
    found = [{name for m in part.measurements for name in m.name.split("+")} for part in stages.parts]
    assert found == [{"g-2-muon", "e137"}, {"miniboone", "microboone", "lsnd"}, {"charm2", "nd280-photon-sample"}]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["microboone", "charm2", "lsnd"])
def test_few_nodes_come_near_all_of_them(problem, name):
    (exact,) = (m for m in problem.measurements if m.name == name)
    stand_in = coarse(exact)
    assert isinstance(stand_in, StandsIn)
    point = {key: jnp.asarray(x) for key, x in problem.model.points["table-I"].items()}
    found, wanted = (jax.jit(lambda x, m=m: m.predict(problem.model, x, {}).total)(point) for m in (stand_in, exact))
    assert np.sum(wanted) > 0.0
    np.testing.assert_allclose(np.sum(found), np.sum(wanted), rtol=0.02)
    assert float(np.max(np.abs(found - wanted))) > 0.0
    assert repr(stand_in.bins()) == repr(exact.bins())
    one = replace(with_measurements(problem, [problem.measurements.index(exact)]), measurements=(stand_in,))
    assert bool(np.all(holds(one, {n: np.zeros(1) for n in one.names})))
    slopes = jax.jit(lambda problem, z: jax.grad(problem.log_posterior)(z))(one, np.full(len(one.names), 0.1))
    assert np.isfinite(slopes).all()

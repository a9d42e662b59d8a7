"""A user's own curve of coupling against mass, without code: against its numbers, and refused where it is unclear."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import norm

from anomfit.cards import card_from_text, card_text, problem_from_card
from anomfit.errors import InputError
from anomfit.physics.constants import ALPHA
from anomfit.physics.light_bosons import LightBosons
from anomfit.userfiles import resolve_measurement

E = math.sqrt(4.0 * math.pi * ALPHA)
TABLE = """#: table_doi: 10.17182/hepdata.1.v1/t1
#: name: Figure 3
M [MEV],M [MEV] LOW,M [MEV] HIGH,EPSILON
100,90,110,0.0004
10,9,11,0.001
"""
OPTIONS = {"kind": "curve", "boson": "vector", "coupling": "epsilon", "cl": "0.9"}


@dataclasses.dataclass(frozen=True, eq=False)
class Bosons:
    """A model in name: one light boson with two branching ratios."""

    spin: str = "vector"
    name = "toy"
    nuisances = ()

    def light_bosons(self, point):
        shares = {"to_electrons": 1e-9 * point["visible"], "to_invisible": 1e-9 * (1.0 - point["visible"])}
        return (LightBosons.of(self.spin, point["m"], g_e=-point["g_e"], g_mu=2.0 * point["g_e"], **shares),)


def point(m=0.0316227766, g_e=1e-3 * E, visible=1.0):
    return {name: jnp.asarray(value) for name, value in (("m", m), ("g_e", g_e), ("visible", visible))}


@pytest.fixture
def curve(tmp_path):
    def written(text=TABLE, **changes):
        path = tmp_path / "limit.csv"
        path.write_text(text)
        given = {key: value for key, value in {**OPTIONS, **changes}.items() if value is not None}
        return resolve_measurement(str(path), **given)

    return written


def ratio(constraint, at, model=Bosons()):  # it has no state
    return float(constraint.outcome(model, at, {}).ratio)


def test_the_ratio_is_the_coupling_over_the_curve_between_its_points(curve):
    limit = curve()
    between = math.sqrt(0.001 * 0.0004)  # half way in the logarithm of the mass, 10 to 100 MeV
    assert ratio(limit, point()) == pytest.approx(1e-3 / between, rel=1e-6)
    assert ratio(limit, point(m=0.1)) == pytest.approx(1e-3 / 0.0004, rel=1e-9)
    outcome = limit.outcome(Bosons(), point(), {})
    assert float(outcome.predicted) == pytest.approx(1e-3)
    assert float(outcome.limit) == pytest.approx(between, rel=1e-6)
    assert math.isnan(float(limit.outcome(Bosons(), point(m=0.5), {}).limit))  # beyond the table


@pytest.mark.parametrize("level", [0.68, 0.9, 0.95])
def test_on_the_curve_the_likelihood_has_the_curves_own_level(curve, level):
    limit = curve(cl=str(level))
    prediction = limit.predict(Bosons(), point(m=0.01), {})
    expected = norm.ppf(0.5 * (1.0 + level)) ** 2  # 2.71 at 90 %, 3.84 at 95 %
    assert -2.0 * float(limit.log_likelihood(prediction, {})) == pytest.approx(expected, rel=1e-9)


def test_decays_are_weighed_as_the_search_sees_them(curve):
    half = point(visible=0.5)  # below the threshold of muons a dark photon decays to electrons alone
    plain = ratio(curve(), half)
    assert plain == pytest.approx(ratio(curve(), point()), rel=1e-12)
    for seen in ("electrons", "leptons", "invisible"):
        assert ratio(curve(seen=seen), half) == pytest.approx(plain * math.sqrt(0.5), rel=1e-9)
    assert ratio(curve(coupling="g_mu"), half) == pytest.approx(2.0 * E * plain, rel=1e-12)
    scalar = curve(boson="scalar", coupling="g_e")
    assert ratio(scalar, half, Bosons("scalar")) == pytest.approx(E * plain, rel=1e-12)


def test_the_gradient_of_the_likelihood_agrees_with_differences(curve):
    limit = curve(seen="electrons", cl="0.95")

    def log_likelihood(g_e):
        return limit.log_likelihood(limit.predict(Bosons(), {**point(), "g_e": g_e}, {}), {})

    g_e = 0.8e-3 * E
    step = 1e-4 * g_e
    slope = (log_likelihood(g_e + step) - log_likelihood(g_e - step)) / (2.0 * step)
    assert float(jax.grad(log_likelihood)(g_e)) == pytest.approx(float(slope), rel=1e-5)
    assert np.isfinite(jax.grad(log_likelihood)(0.0))


MODEL = """
import dataclasses
from dataclasses import dataclass, field
from anomfit.parameters import Parameter, Parametrisation
from anomfit.physics.light_bosons import LightBosons

parameters = (
    Parameter("m", "m", "GeV", 1e-3, 1.0, "log-uniform", "mass"),
    Parameter("g_e", "g_e", "1", 1e-6, 1e-1, "log-uniform", "coupling"),
)


@dataclass(frozen=True, eq=False)
class Vector:
    name: str = "own-vector"
    title: str = "a vector"
    references: tuple = ()
    points: dict = field(default_factory=dict)
    nuisances: tuple = ()
    parametrisations: dict = field(
        default_factory=lambda: {"physical": Parametrisation("physical", parameters, dict, dict, {})}
    )

    def light_bosons(self, point):
        return (LightBosons.of("vector", point["m"], g_e=point["g_e"], to_electrons=1e-12),)


model = Vector()
"""


def test_a_card_takes_the_curve_as_a_measurement_and_reads_back_the_same(tmp_path):
    (tmp_path / "model.py").write_text(MODEL)
    (tmp_path / "limit.csv").write_text(TABLE)
    body = 'kind = "curve"\nboson = "vector"\ncoupling = "epsilon"\ncl = 0.95\n'
    head = 'model = "model.py:model"\n[free]\nm = "default"\n[fixed]\ng_e = 1e-3\n'
    cards = [
        card_from_text(head + section + body, folder=tmp_path)
        for section in ('[measurements."limit.csv"]\n', '["limit.csv"]\n')
    ]
    assert cards[0] == cards[1]
    assert card_from_text(card_text(cards[0])) == cards[0]
    problem = problem_from_card(cards[0])
    (limit,) = problem.measurements
    assert (limit.name, limit.about.kind, limit.independent_numbers) == ("limit", "curve", 0)
    assert np.isfinite(problem.log_likelihood({"m": 0.05}))
    assert "95" in limit.about.assumption


@pytest.mark.parametrize(
    ("text", "changes", "words"),
    [
        (TABLE, {"kind": None}, ["limit.csv", "kind = 'curve'", "like ="]),
        (TABLE, {"kind": "region"}, ["limit.csv.kind", "'region'", "'curve'"]),
        (TABLE, {"boson": None}, ["limit.csv", "boson", "scalar, pseudoscalar, vector"]),
        (TABLE, {"boson": "tensor"}, ["limit.csv.boson", "'tensor'"]),
        (TABLE, {"coupling": None}, ["coupling", "epsilon"]),
        (TABLE, {"boson": "scalar"}, ["epsilon", "g_e"]),
        (TABLE, {"cl": None}, ["cl", "0.95"]),
        (TABLE, {"cl": "95"}, ["limit.csv.cl", "'95'", "0.9999"]),
        (TABLE, {"cl": "high"}, ["limit.csv.cl", "'high'"]),
        (TABLE, {"seen": "photons"}, ["limit.csv.seen", "'photons'"]),
        (TABLE, {"levels": "0.9"}, ["limit.csv.levels", "kind, boson, coupling"]),
        (TABLE.replace("[MEV]", ""), {}, ["'M'", "no unit", "m [GeV]"]),
        (TABLE.replace("[MEV]", "[CM]"), {}, ["unit of 'M [CM]'", "GeV"]),
        (TABLE.replace("0.0004", "-0.1"), {}, ["0 or negative"]),
        (TABLE.replace("0.0004", "none"), {}, ["line 4", "'none'"]),
        (TABLE.replace(",0.0004", ""), {}, ["line 4", "3 cells for 4 columns"]),
        (TABLE.replace("0.0004", "nan"), {}, ["line 4", "not finite"]),
        (TABLE.replace("EPSILON", "EPSILON,G"), {}, ["4 cells for 5 columns"]),
        (TABLE.split("100,")[0], {}, ["at least one row"]),
        (TABLE.replace("\n10,", "\n100,"), {}, ["each once"]),
        ("#: nothing\n", {}, ["holds no table"]),
        (TABLE + "\nM [MEV],G\n1,2\n", {}, ["another table"]),
    ],
)
def test_what_a_curve_does_not_say_is_refused_in_one_sentence(curve, text, changes, words):
    with pytest.raises(InputError) as caught:
        curve(text, **changes)
    said = str(caught.value)
    assert "\n" not in said
    for word in words:
        assert word in said, said


def test_a_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        resolve_measurement(str(tmp_path / "none.csv"), **OPTIONS)

"""Vectors against published curves: 1 on every edge, eps^2 B of prompt searches, what is not seen, refusals."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.capabilities import HasLightScalars, HasLightVectors, offers, spins_of
from anomfit.catalogue import shipped_constraints
from anomfit.constraints import constraint_table
from anomfit.constraints.production import UNSEEN_FRACTION
from anomfit.constraints.refusals import reason_of_refusal, refused
from anomfit.models.oscillation import oscillation
from anomfit.models.two_higgs_doublet import two_higgs_doublet
from anomfit.parameters import Parameter, Parametrisation
from anomfit.physics.constants import E_CHARGE
from anomfit.physics.light_bosons import LightBosons
from anomfit.physics.vector_decays import dark_photon_widths

ALL = {entry.name: entry for entry in shipped_constraints()}
NAMES = ("m", "epsilon", "hidden", "semivisible", "flight")


@dataclass(frozen=True)
class DarkPhoton:
    """A dark photon that decays to what it must; `hidden` and `semivisible` are widths over the visible one."""

    name = "vector"
    nuisances = ()
    points = {}

    @property
    def parametrisations(self):
        parameters = tuple(Parameter(name, name, "1", 1e-9, 1.0, "log-uniform", name) for name in NAMES)
        return {"physical": Parametrisation("physical", parameters, dict, dict, {})}

    def light_bosons(self, point):
        charge = E_CHARGE * point["epsilon"]
        electrons, muons, hadrons = dark_photon_widths(point["m"], point["epsilon"])
        visible = electrons + muons + hadrons
        vector = LightBosons.of(
            "vector",
            point["m"],
            g_e=-charge,
            g_mu=-charge,
            g_u=2.0 / 3.0 * charge,
            g_d=-charge / 3.0,
            to_electrons=electrons,
            to_muons=muons,
            to_hadrons=hadrons,
            to_invisible=point["hidden"] * visible,
            to_semivisible=point["semivisible"] * visible,
            semivisible_flight=point["flight"],
        )
        return (vector,)


VECTOR = DarkPhoton()
ASKED = {name: entry for name, entry in ALL.items() if offers(VECTOR, entry.accepts)}
EDGES = {"e137": (0.05, 0.2), "e141": (0.005, 0.015), "orsay": (0.02,), "e774": (0.005,), "kek": (0.02,)}
EDGES |= {"na64": (0.01,), "hps-displaced": (0.1,), "nucal-vectors": (0.02, 0.1, 0.3), "charm-vectors": (0.02, 0.3)}
PROMPT = {"babar-visible": 0.3, "kloe-electrons": 0.1, "kloe-muons-pions": 0.6, "belle2-visible": 0.3}
INVISIBLE = ("babar-invisible", "na64-invisible")
PROMPT |= {"hps-prompt": 0.3, "na48-pi0": 0.05}


def at(m, epsilon, hidden=0.0, semivisible=0.0, flight=0.0):
    return dict(zip(NAMES, map(float, (m, epsilon, hidden, semivisible, flight)), strict=True))


def edge(name, m, which="low"):
    data = ALL[name].data
    return float(np.exp(np.interp(np.log(m), np.log(data["m"]), np.log(data[which]))))


CASES = [
    *(
        (name, m, at(m, edge(name, m, which)), 1.0)
        for name, masses in EDGES.items()
        for m in masses
        for which in ("low", "high")
    ),
    *((name, m, at(m, edge(name, m)), 1.0) for name, m in PROMPT.items()),
    *((name, m, at(m, edge(name, m), hidden=3.0), 0.5) for name, m in PROMPT.items()),  # sqrt(B = 1/4)
    *((name, 0.05, at(0.05, edge(name, 0.05), hidden=3.0), 0.75**0.5) for name in INVISIBLE),
    *((name, 0.05, at(0.05, edge(name, 0.05), semivisible=3.0), (0.75 * UNSEEN_FRACTION) ** 0.5) for name in INVISIBLE),
    ("babar-invisible", 0.05, at(0.05, edge("babar-invisible", 0.05), semivisible=1e9, flight=1e9), 1.0),
]


@pytest.fixture(scope="module")
def ratios():
    points = {name: jnp.asarray([case[2][name] for case in CASES]) for name in NAMES}
    rows = {name: ASKED[name] for name, *_ in CASES}

    @jax.jit
    def ratios_at(points):
        return jax.lax.map(lambda at: {name: row.outcome(VECTOR, at, {}).ratio for name, row in rows.items()}, points)

    found = jax.device_get(ratios_at(points))
    return [(name, m, float(found[name][i]), expected) for i, (name, m, _, expected) in enumerate(CASES)]


def test_a_dark_photon_on_an_edge_has_ratio_1_and_other_decays_weaken_it_as_they_must(ratios):
    """Both edges of regions; eps^2 B over eps_limit^2 of prompt searches, whose ratio is that of the coupling."""
    off = [row for row in ratios if row[2] != pytest.approx(row[3], rel=0.01)]
    assert off == []


def test_a_vector_is_asked_by_what_its_physics_touches():
    assert len(ASKED) > 25
    assert {"na64", "e141", "babar-visible", "na64-invisible", "na48-pi0", "Kplus-piplus-na62"} <= set(ASKED)
    assert isinstance(VECTOR, HasLightVectors)
    assert not isinstance(VECTOR, HasLightScalars)
    assert spins_of(two_higgs_doublet) == {"scalar"}


def test_what_is_not_asked_has_a_reason():
    reasons = refused(VECTOR, shipped_constraints())
    assert set(reasons) == set(ALL) - set(ASKED)
    assert all(reasons.values())
    assert "Landau" in reasons["nucal"]
    assert "spin 0" in refused(two_higgs_doublet, shipped_constraints())["na48-pi0"]
    lacking = refused(oscillation, shipped_constraints())["babar-visible"]
    assert "light_bosons(point)" in lacking
    assert lacking.endswith("see anomfit.capabilities.HasLightBosons")
    assert reason_of_refusal(VECTOR, ALL["e141"]) == ""


EACH_MECHANISM = (
    "babar-visible",
    "babar-invisible",
    "babar-muons",
    "e137",
    "na64-invisible",
    "hps-displaced",
    "hps-prompt",
)
EACH_MECHANISM += ("na48-pi0", "nucal-vectors", "Kplus-piplus-ee")


def test_gradients_are_finite_backwards_for_each_mechanism():
    """Below the electrons, at the muons, where lifetimes are extreme, with every kind of decay."""
    points = [at(1e-3, 1e-9), at(0.2113, 1e-4, hidden=10.0), at(0.3, 1e-3, 0.0, 5.0, 0.1), at(3.0, 0.1)]
    stacked = {name: jnp.asarray([point[name] for point in points]) for name in NAMES}
    rows = tuple(ASKED[name] for name in EACH_MECHANISM)

    def total(point):
        return sum(entry.log_likelihood(entry.predict(VECTOR, point, {}), {}) for entry in rows)

    values, slopes = jax.jit(lambda points: jax.lax.map(jax.value_and_grad(total), points))(stacked)
    assert np.all(np.isfinite(values))
    assert all(np.all(np.isfinite(slope)) for slope in slopes.values())


def test_semivisible_bosons_are_seen_in_part_in_the_two_higgs_doublet_model():
    """H decays to N1 N2: BaBar's invisible curve has a tenth of it, never nothing and never all."""
    (row,) = constraint_table(two_higgs_doublet, two_higgs_doublet.points["table-I"], [ALL["babar-invisible"]])
    assert row.verdict == "allowed"
    assert 1e-3 < row.ratio < 1.0

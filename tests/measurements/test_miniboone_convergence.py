"""Every bin of MiniBooNE's prediction against the reference in tests/oracles; see benchmarks/convergence.py."""

import jax.numpy as jnp
import numpy as np
import pytest
from oracles import comparison, points, upscattering
from oracles.shower_table import Rule

from anomfit.beams.booster import CH2
from anomfit.physics.exchange import ScalarExchange, d_sigma_d_q_squared
from anomfit.physics.targets import FormFactors, stack_targets

SUBSET = (
    "Table I, strongest",
    "narrow box, heavy",
    "lightest h', all mixed",
    "lightest h', heavy N_2",
    "pair of 80 MeV",
    "two channels",
    "corner  6",
    "corner 12",
    "corner 14",
    "random 10",
    "random 14",
)


@pytest.mark.slow
def test_every_bin_agrees_with_an_independent_rule():
    chosen = points.all_points(60)
    library = comparison.computed_spectra([chosen[name] for name in SUBSET])
    worst = {}
    for name, counts in zip(SUBSET, library, strict=True):
        reference = comparison.reference_spectrum(chosen[name])
        ratio = np.abs(counts - reference) / comparison.tolerance(reference)
        worst[name] = (round(float(ratio.max()), 2), int(ratio.argmax()))
    print(worst)
    assert all(ratio <= 1.0 for ratio, _ in worst.values()), worst


@pytest.mark.slow
def test_reference_is_converged():
    given = upscattering.physics(comparison.physical(points.edges()["two channels"]))
    coarse = upscattering.spectrum(given, rule=Rule(70, 61, 3, 2, 80, 31, 2, 6)).sum(axis=0)
    default = upscattering.spectrum(given).sum(axis=0)
    # even the coarser rule is within a quarter of the tolerance, so the default one is well inside
    np.testing.assert_allclose(coarse, default, rtol=2.5e-4 * 4)
    np.testing.assert_allclose(coarse.sum(), default.sum(), rtol=2.5e-4)


@pytest.mark.parametrize("name", ["Table I", "lightest h', all mixed", "heaviest N_2"])
def test_interactions_before_efficiency(name):
    point = points.edges()[name]
    made = upscattering.made(upscattering.physics(comparison.physical(point)))
    prediction = comparison.computed_prediction(point)
    branching = sum(upscattering.physics(comparison.physical(point)).branching)
    before = prediction.before_efficiency
    library = [[before["coherent"], before["coherent_antineutrino_mode"]],
               [before["incoherent"], before["incoherent_antineutrino_mode"]]]  # fmt: skip
    np.testing.assert_allclose(library, branching * made, rtol=1e-3)


@pytest.mark.parametrize("index", range(3), ids=["carbon", "proton", "neutron"])
def test_cross_section_of_each_target(index):
    given = upscattering.physics(comparison.physical(points.edges()["Table I"]))
    y = jnp.ones(2)
    factors, target = FormFactors("dipole", "measured", given.M_S, "fermi-gas"), upscattering.TARGETS[index]
    charges = (jnp.asarray(c) for c in zip(*given.charges, strict=True))
    exchange = ScalarExchange(jnp.asarray(given.m_N2), jnp.asarray(given.masses), y, *charges, factors)
    for q_squared in (1e-4, 0.01, 0.3):
        both = d_sigma_d_q_squared(exchange, jnp.full(3, 0.8), jnp.full(3, q_squared), stack_targets(CH2))
        expected = upscattering.cross_section(0.8, np.array(q_squared), target, given)
        np.testing.assert_allclose(both[index], expected, rtol=1e-9)

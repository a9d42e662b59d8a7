"""Gaussian priors: the map of the unit cube, the density, the sampler's coordinates and a posterior that is known."""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.stats import kstest, norm, truncnorm
from toys import LINEAR, LINEAR_PARAMETERS, ToyMeasurement, ToyModel, linear_parameter

from anomfit.cards import card_from_text, card_text, problem_from_card
from anomfit.errors import InputError
from anomfit.inference.coordinates import prior_angles, quantiles, values_at_angles
from anomfit.inference.fit.minimise import FitSettings, minimise
from anomfit.inference.sample.chains import SampleSettings, sample
from anomfit.inference.sample.nuts import Tuning
from anomfit.problem import build_problem

MEAN, SIGMA = 1.0, 2.5  # of x's prior, whose range is -5 to 5: the truncation matters on both sides
X, Y = LINEAR_PARAMETERS[0].gaussian(MEAN, SIGMA), LINEAR_PARAMETERS[1]
PRIOR = truncnorm((-5.0 - MEAN) / SIGMA, (5.0 - MEAN) / SIGMA, loc=MEAN, scale=SIGMA)


def problem(x=X, data=(0.5, -1.0), covariance=((0.04, 0.03), (0.03, 0.09))):
    measurement = ToyMeasurement(jnp.asarray(data), jnp.linalg.inv(jnp.asarray(covariance)))
    return build_problem(LINEAR, [measurement], "own", (x, Y), {"offset": 0.0})


def test_the_cube_maps_to_the_truncated_normal_distribution():
    u = jax.random.uniform(jax.random.key(3), (20_000, 2))
    values, log_weight = jax.jit(jax.vmap(problem().from_cube))(u)
    np.testing.assert_allclose(values["x"], PRIOR.ppf(np.asarray(u[:, 0])), rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(values["y"], -5.0 + 10.0 * u[:, 1], rtol=1e-14, atol=1e-14)
    np.testing.assert_array_equal(log_weight, 0.0)
    edges = np.linspace(-5.0, 5.0, 21)
    counts, expected = np.histogram(values["x"], edges)[0], len(u) * np.diff(PRIOR.cdf(edges))
    assert np.sum((counts - expected) ** 2 / expected) < 40.0  # 19 degrees of freedom
    np.testing.assert_allclose(jax.vmap(problem().to_cube)(values), u, atol=1e-12)


@pytest.mark.parametrize(("mean", "sigma"), [(-5.0, 0.01), (5.0, 0.2), (0.0, 1e-3), (0.0, 1e4)])
def test_a_narrow_or_wide_prior_or_one_at_a_bound_stays_inside_with_finite_gradients(mean, sigma):
    narrow = problem(LINEAR_PARAMETERS[0].gaussian(mean, sigma))
    z = jnp.stack([jnp.linspace(-12.0, 12.0, 25), jnp.zeros(25)], axis=-1)
    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(lambda at: narrow.from_normal(at)[0]["x"])))(z)
    assert np.all((values >= -5.0) & (values <= 5.0))
    assert np.all(np.isfinite(slopes))
    assert np.all(slopes >= 0.0)
    exact = truncnorm((-5.0 - mean) / sigma, (5.0 - mean) / sigma, loc=mean, scale=sigma)
    middle = np.abs(z[:, 0]) < 6.0
    np.testing.assert_allclose(values[middle], exact.ppf(norm.cdf(z[middle, 0])), rtol=1e-9, atol=1e-11)


def test_density_cube_and_the_samplers_coordinates_agree():
    """log_posterior(z) is ln L + log_prior(values) + log |d values / d z|, up to the constant of the normal density."""
    one = problem()
    z = 1.5 * jax.random.normal(jax.random.key(1), (40, 2))

    def by_density(at):
        values = one.from_normal(at)[0]
        jacobian = jax.jacobian(lambda x: jnp.stack(list(one.from_normal(x)[0].values())))(at)
        return one.log_likelihood(values) + one.log_prior(values) + jnp.log(jnp.abs(jnp.linalg.det(jacobian)))

    found, expected = (jax.jit(jax.vmap(function))(z) for function in (one.log_posterior, by_density))
    found = found - jnp.log(2.0 * jnp.pi)
    np.testing.assert_allclose(found, expected, rtol=1e-10)


def test_the_log_prior_is_scipys_and_its_gradient_agrees_with_differences():
    one, x = problem(), np.linspace(-4.9, 4.9, 15)
    log_prior = lambda x: one.log_prior({"x": x, "y": jnp.asarray(0.3)})  # noqa: E731
    values, slopes = jax.jit(jax.vmap(jax.value_and_grad(log_prior)))(jnp.asarray(x))
    np.testing.assert_allclose(values, PRIOR.logpdf(x) - np.log(10.0), rtol=1e-12)
    step = 1e-5
    differences = (PRIOR.logpdf(x + step) - PRIOR.logpdf(x - step)) / (2.0 * step)
    np.testing.assert_allclose(slopes, differences, rtol=1e-7, atol=1e-9)
    value, slope = jax.value_and_grad(log_prior)(5.1)
    assert value == -np.inf
    assert slope == 0.0


def test_a_bound_that_depends_on_another_parameter_cuts_the_gaussian():
    """y, a Gaussian, below x, uniform: against draws of both that are thrown away where y is above x."""
    x, y = linear_parameter("x"), linear_parameter("y").gaussian(2.0, 1.0)
    model = ToyModel("edge", (x, y), lambda p: jnp.stack([p["x"], p["y"]]), upper={"y": lambda known: known["x"]})
    edge = build_problem(model, [ToyMeasurement(jnp.zeros(2), jnp.eye(2))], "own", (x, y), {})
    n = 40_000
    values, log_weight = jax.jit(jax.vmap(edge.from_cube))(jax.random.uniform(jax.random.key(2), (n, 2)))
    rng = np.random.default_rng(4)
    wide = rng.uniform(-5.0, 5.0, 4 * n), truncnorm(-7.0, 3.0, loc=2.0).rvs(4 * n, random_state=rng)
    kept = wide[1] < wide[0]
    chosen = rng.random(n) < np.exp(log_weight)
    assert np.all(np.isfinite(log_weight))
    for name, expected in zip("xy", wide, strict=True):
        assert kstest(np.asarray(values[name])[chosen], expected[kept]).pvalue > 1e-3, name


def test_starts_are_drawn_from_the_prior_and_the_minimiser_leaves_it():
    """Data 200 standard deviations away from the mean of the prior: the fit, which has no prior, finds them."""
    narrow = problem(LINEAR_PARAMETERS[0].gaussian(-3.0, 0.02), data=(1.0, 0.0))
    angles = prior_angles(narrow, jax.random.key(1), 4000)
    starts = np.asarray(values_at_angles(narrow, jnp.asarray(angles))["x"])
    assert kstest(starts, norm(-3.0, 0.02).cdf).pvalue > 1e-3
    assert kstest(quantiles(narrow, angles[:, :2])[:, 0], "uniform").pvalue > 1e-3
    fit = minimise(narrow, jax.random.key(2), FitSettings(screened=64, starts=2))
    assert fit.values["x"] == pytest.approx(1.0, abs=1e-3)


def conjugate():
    """Mean and standard deviation of a normal prior times a normal likelihood of 0.5 +- 0.2, far from the bounds."""
    weight, prior_weight = 1.0 / 0.04, 1.0 / 0.3**2
    return (0.5 * weight + 1.0 * prior_weight) / (weight + prior_weight), (weight + prior_weight) ** -0.5


@pytest.mark.slow
def test_the_posterior_of_a_normal_prior_and_a_normal_measurement_is_the_known_one(tmp_path):
    one = problem(LINEAR_PARAMETERS[0].gaussian(1.0, 0.3), covariance=((0.04, 0.0), (0.0, 0.09)))
    settings = SampleSettings(chains=2, draws=1500, max_draws=1500, tuning=Tuning(warmup=300))
    found = sample(one, jax.random.key(5), settings, None, tmp_path / "chains.npz")
    mean, sd = conjugate()
    draws = found.values["x"].ravel()
    assert draws.mean() == pytest.approx(mean, abs=0.25 * sd)
    assert draws.std() == pytest.approx(sd, rel=0.12)


EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
CARD = """
model = "my_model.py:dark_photon"
[free]
m_dark = {entry}
[fixed]
epsilon = 1e-3
[measurements]
"my_measurement.py:load" = {{}}
"""


def from_card(entry: str):
    return problem_from_card(card_from_text(CARD.format(entry=entry), folder=EXAMPLES))


def test_a_card_gives_the_gaussian_prior_and_reads_back_the_same():
    (parameter,) = from_card('{mean = "30MeV", sigma = 0.004, range = ["10MeV", 0.1]}').free
    assert (parameter.mean, parameter.sigma) == (pytest.approx(0.03), 0.004)
    assert (parameter.low, parameter.high, parameter.is_log) == (pytest.approx(0.01), 0.1, False)
    card = card_from_text(CARD.format(entry='{mean = "30MeV", sigma = 0.004}'), folder=EXAMPLES)
    assert card_from_text(card_text(card)) == card
    (own_range,) = problem_from_card(card).free
    assert (own_range.low, own_range.high) == (1e-3, 10.0)  # the parameter's own


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ("{mean = 0.03}", ["free.m_dark", "sigma"]),
        ("{sigma = 0.03}", ["free.m_dark", "mean"]),
        ("{mean = 0.03, sigma = 0.0}", ["m_dark", "sigma", "above 0"]),
        ("{mean = 0.03, sigma = -1}", ["m_dark", "sigma", "above 0"]),
        ("{mean = 0.03, sigma = nan}", ["m_dark", "nan", "finite"]),
        ("{mean = 0.03, sigma = true}", ["free.m_dark.sigma", "True"]),
        ('{mean = "30 m", sigma = 0.1}', ["m_dark", "'30 m'", "GeV"]),
        ("{mean = 20.0, sigma = 1.0}", ["m_dark", "mean 20", "bounds 0.001 and 10"]),
        ("{mean = 0.5, sigma = 0.1, range = [0.01, 0.1]}", ["m_dark", "mean 0.5", "0.01 and 0.1"]),
        ("{mean = 0.5, sigma = 1e9}", ["m_dark", "flat", "uniform"]),
        ('{mean = 0.03, sigma = 0.1, prior = "uniform"}', ["free.m_dark.prior", "leave it out"]),
        ("{mean = 0.03, sigmas = 0.1}", ["free.m_dark", "'sigmas'", "'sigma'"]),
    ],
)
def test_a_prior_that_cannot_be_meant_is_refused_in_one_sentence(entry, words):
    with pytest.raises(InputError) as caught:
        from_card(entry)
    said = str(caught.value)
    assert "\n" not in said
    for word in words:
        assert word in said, said

"""LSND's pairs and appearance: an independent integral, published numbers, edges, gradients, one program."""

from dataclasses import replace
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import recoil
from oracles.upscattering import physics
from scipy.special import ndtr

from anomfit.catalogue import find_measurement, measurement_listing
from anomfit.data import load_record
from anomfit.errors import InputError
from anomfit.measurements.lsnd import load_l_over_e, load_r_gamma
from anomfit.measurements.lsnd_high_energy import load_high_energy
from anomfit.measurements.lsnd_shapes import load_cos_theta, load_energy
from anomfit.models.oscillation import oscillation
from anomfit.models.two_higgs_doublet import as_published, two_higgs_doublet
from anomfit.models.two_higgs_doublet_parameters import TABLE_I
from anomfit.problem import build_problem

MOLECULES = 3.7e30
KNOCK_OUT = 0.013  # GeV, the default
POINTS = {
    "table-I": {},
    "light": {"m_N2": 0.06, "m_N1": 0.02, "y_e": 3e-3},
    "heavy": {"m_N2": 0.19, "m_N1": 0.05, "m_hprime": 0.04},
    "soft mediator": {"m_N1": 0.02, "m_hprime": 0.006, "sin_delta": 0.5, "y_e": 3e-3},
    "small splitting": {"m_N1": 0.1125},
}


def point(**changes):
    return {name: jnp.asarray(float(value)) for name, value in (TABLE_I | changes).items()}


@partial(jax.jit, static_argnames=("model",))
def predict(measurement, where, model):
    return measurement.predict(model, where, {})


@partial(jax.jit, static_argnames=("model",))
def log_likelihood(measurement, where, model):
    return measurement.log_likelihood(measurement.predict(model, where, {}), {})


@partial(jax.jit, static_argnames=("model",))
def slopes_of_likelihood(measurement, where, model):
    return jax.grad(lambda p: log_likelihood(measurement, p, model=model))(where)


@lru_cache
def l_over_e_response():
    columns = load_record("lsnd/l_over_e_rgt10").columns
    return recoil.lsnd_l_over_e(columns["LoE_lo"], columns["LoE_hi"])


@pytest.fixture(scope="module")
def l_over_e():
    return load_l_over_e(flavours="numu-only")


# -- against the independent integral ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", POINTS)
@pytest.mark.parametrize("component", ["neutron", "proton", "coherent"])
def test_l_over_e_agrees_with_an_independent_integral(l_over_e, name, component):
    given = physics(TABLE_I | POINTS[name])
    expected = recoil.counts(component, given, recoil.in_flight_flux(), MOLECULES, l_over_e_response(), KNOCK_OUT)
    expected *= 0.42 * (0.39 if component == "neutron" else 0.0026)
    found = predict(l_over_e, point(**POINTS[name]), model=two_higgs_doublet).signal[component]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * expected.max())


def test_light_parents_made_by_muons_at_rest_agree_too(l_over_e):
    changes = {"m_N2": 0.03, "m_N1": 0.005, "m_hprime": 0.01, "y_e": 3e-3}
    given = physics(TABLE_I | changes)
    sources = (recoil.in_flight_flux(), recoil.at_rest_flux(1.26e14))
    parts = [recoil.counts("coherent", given, source, MOLECULES, l_over_e_response(), KNOCK_OUT) for source in sources]
    assert parts[1].sum() > parts[0].sum()
    expected = 0.42 * 0.0026 * sum(parts)
    found = predict(l_over_e, point(**changes), model=two_higgs_doublet).signal["coherent"]
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-3 * expected.max())


@pytest.mark.parametrize("component", ["neutron", "proton", "coherent"])
def test_the_lightest_states_agree_within_three_per_mille(l_over_e, component):
    changes = {"m_N2": 0.02, "m_N1": 0.002, "m_hprime": 0.008, "y_e": 3e-3, "sin_delta": 0.5}
    sources, given = (recoil.in_flight_flux(), recoil.at_rest_flux(1.26e14)), physics(TABLE_I | changes)
    expected = sum(
        recoil.counts(component, given, source, MOLECULES, l_over_e_response(), KNOCK_OUT) for source in sources
    )
    expected *= 0.42 * (0.39 if component == "neutron" else 0.0026)
    found = predict(l_over_e, point(**changes), model=two_higgs_doublet).signal[component]
    np.testing.assert_allclose(found, expected, atol=3e-3 * expected.max())


@pytest.mark.parametrize(("model", "published"), [(two_higgs_doublet, False), (as_published, True)])
def test_energy_windows_agree_for_both_sets_of_form_factors(model, published):
    given = physics(TABLE_I, as_published=published)
    response = recoil.lsnd_energy(np.array([0.06]), np.array([0.2]))
    pairs = recoil.counts("neutron", given, recoil.in_flight_flux(), MOLECULES, response, KNOCK_OUT)
    found = predict(load_high_energy(flavours="numu-only", targets="neutron"), point(), model=model).signal["neutron"]
    assert found[1] == pytest.approx(0.42 * 0.39 * pairs[0], rel=1e-3)
    assert found[0] == pytest.approx(0.5 * 0.165 * (1 - 0.39) * pairs[0], rel=1e-3)


@pytest.mark.slow
def test_angles_agree_with_thrown_decays():
    """N of the independent integral, decays thrown, directions blurred by many small steps."""
    rng = np.random.default_rng(5)
    given = physics(TABLE_I)
    flux, knots = recoil.in_flight_flux()
    e_N, cosine, rate = recoil.parents(*recoil.NEUTRON, given, flux, knots, MOLECULES, KNOCK_OUT)
    n = 400_000
    chosen = rng.choice(rate.size, size=n, p=rate / rate.sum())
    e_N, cosine = e_N[chosen], cosine[chosen]
    p_N = np.sqrt(np.maximum(e_N**2 - given.m_N2**2, 0.0))
    e_star, p_star = recoil.decay(given, 0)
    cos_star = rng.uniform(-1, 1, n)
    energy = (e_N * e_star + p_N * p_star * cos_star) / given.m_N2
    along = (p_N * e_star + e_N * p_star * cos_star) / given.m_N2
    across = p_star * np.sqrt(1 - cos_star**2)
    for cos_turn in (along / np.hypot(along, across), *_small_steps(rng, np.radians(12.0), n)):
        cosine = cosine * cos_turn + np.sqrt((1 - cosine**2) * (1 - cos_turn**2)) * np.cos(rng.uniform(0, 2 * np.pi, n))
    sigma = 1e-3 * 0.467 * np.sqrt(1e3 * energy)
    measured = energy + sigma * rng.standard_normal(n)
    seen = (measured > 0.036) & (measured < 0.060)
    thrown, _ = np.histogram(cosine[seen], np.linspace(-1, 1, 11))
    scale = 0.42 * 0.51 * rate.sum() / n
    found = predict(load_cos_theta(flavours="numu-only"), point(), model=two_higgs_doublet).signal["neutron"]
    np.testing.assert_allclose(found, scale * thrown, atol=4 * scale * np.sqrt(thrown.max()))


def _small_steps(rng, sigma, n, steps=25):
    # a random walk on the sphere: each step has <1 - cos> = sigma^2/steps, two directions of variance sigma^2/steps
    for _ in range(steps):
        yield np.cos(sigma / np.sqrt(steps) * np.sqrt(rng.chisquare(2, n)))


def test_the_ring_is_the_leading_lepton_of_wide_pairs():
    """At 60 MeV a pair of 17 MeV opens by more than 24 degrees: energy moves down, nothing is lost overall."""
    summed, ring = (predict(load_energy(pair=pair), point(), model=two_higgs_doublet).total for pair in ("sum", "ring"))
    assert ring[0] > 1.3 * summed[0]
    assert ring[4] < 0.8 * summed[4]
    high = [predict(load_high_energy(pair=pair), point(), model=two_higgs_doublet).total[1] for pair in ("sum", "ring")]
    assert high[1] < 0.6 * high[0]


# -- published numbers ------------------------------------------------------------------------------------------------


def test_the_numbers_of_the_paper_within_the_flux_error():
    """arXiv:2010.06159: 28.7 with R_gamma > 10, 34 and 5.6 from 60 to 200 MeV, neutrons and nu_mu alone.

    34 is the number before any efficiency (5.6 is 34 x 0.42 x 0.39).
    """
    options = {"flavours": "numu-only", "targets": "neutron"}
    threshold = {"neutron_knock_out": jnp.asarray(0.008)}
    low, high = (
        load(**options).predict(as_published, point(), threshold).total for load in (load_energy, load_high_energy)
    )
    low, high = float(low.sum()), float(high[1])
    assert low == pytest.approx(28.7, rel=0.20)
    assert high == pytest.approx(5.6, rel=0.05)
    assert high / (0.42 * 0.39) == pytest.approx(34.0, rel=0.05)


JOINT_PULLS = {  # of that fit, standard deviations
    "M_S": 0.720,
    "lsnd_flux": -0.107,
    "lsnd_efficiency": 0.085,
    "lsnd_photon": 0.077,
    "neutron_knock_out": -0.168,
    "lsnd_background": 0.042,
    "lsnd_high_energy_efficiency": -0.497,
}


@pytest.mark.slow
def test_the_recorded_joint_fit_describes_both_ranges_of_energy():
    best = point(**load_record("lsnd/joint_best_fit").values)
    for load, most in ((load_l_over_e, 7.0), (load_high_energy, 1.0)):
        measurement = load()
        known = (*two_higgs_doublet.nuisances, *measurement.nuisances)
        values = {n.name: n.value(jnp.asarray(JOINT_PULLS.get(n.name, 0.0))) for n in known}
        assert float(measurement.chi_squared(measurement.predict(two_higgs_doublet, best, values), values)) < most


def test_full_transmutation_and_the_published_excess():
    sample = load_l_over_e().appearance
    values = load_record("lsnd/experiment").values
    full = 0.42 * float(sample.events.sum())
    error = np.hypot(0.07, 0.07)  # flux and efficiency
    assert abs(full / values["full_transmutation"] - 1.0) < 1.5 * error
    assert values["probability"] * full == pytest.approx(values["excess"], abs=2 * np.hypot(6.0, 87.9 * error))
    assert values["probability"] * 0.39 * full == pytest.approx(32.2, abs=9.4)  # R_gamma > 10


def test_the_oscillation_fits_the_l_over_e_counts():
    measurement = load_l_over_e()
    where = {"sin2_2theta": jnp.asarray(0.003), "delta_m2": jnp.asarray(1.2)}
    best = measurement.predict(oscillation, where, {})
    none = best._replace(signal={"appearance": jnp.zeros(11)})
    gain = float(measurement.chi_squared(none, {}) - measurement.chi_squared(best, {}))
    assert gain > 3.0**2
    assert measurement.chi_squared(best, {}) < 11


def test_averaged_oscillation_is_half_of_full_transmutation():
    measurement = load_l_over_e()
    fast = {"sin2_2theta": jnp.asarray(1.0), "delta_m2": jnp.asarray(60.0)}
    total = measurement.predict(oscillation, fast, {}).total.sum()
    full = (measurement.appearance.events.sum(axis=0) * measurement.with_neutron).sum()
    assert float(total / full) == pytest.approx(0.5, rel=5e-3)


def test_appearance_by_energy_and_angle_closes_on_that_by_l_over_e():
    """The same events in other bins; with R_gamma > 1 (0.51 in place of 0.39) and 36 to 60 MeV for the angle."""
    where = {"sin2_2theta": jnp.asarray(0.003), "delta_m2": jnp.asarray(1.2)}
    loaded = load_l_over_e(), load_energy(), load_cos_theta()
    by_length, by_energy, by_angle = (np.asarray(m.predict(oscillation, where, {}).total) for m in loaded)
    # bins of L/E from 0.4 to 1.5 m/MeV hold all but 2 % of 20 to 60 MeV
    assert by_length.sum() == pytest.approx(by_energy.sum(), rel=0.02)
    assert by_angle.sum() / by_energy[2:].sum() == pytest.approx(0.51 / 0.39, rel=1e-6)


def test_positrons_of_full_transmutation_lean_forwards_as_a_fine_grid_has_it():
    """In MeV: recoil and lean to first order in 1/M, edges smeared by hand, 12 degrees of the direction on top."""
    e, cosine = np.meshgrid(np.linspace(30.0, 52.83, 400), np.linspace(-1.0, 1.0, 401), indexing="ij")
    positron = (e - 1.293) * (1.0 - e / 938.9 * (1.0 - cosine))
    x = e / 52.83
    rate = x**2 * (3.0 - 2.0 * x) * (e - 1.293) ** 2 * (1.0 - 7.0 * e / 938.9)
    rate = rate * (1.0 + 3.0 * (-0.034 + 2.4 * e / 938.3) * cosine)
    sigma = 0.467 * np.sqrt(positron)
    rate = rate * (ndtr((60.0 - positron) / sigma) - ndtr((36.0 - positron) / sigma))
    expected = np.exp(-(np.radians(12.0) ** 2)) * np.sum(rate * cosine) / np.sum(rate)
    fast = {"sin2_2theta": jnp.asarray(1.0), "delta_m2": jnp.asarray(1e3)}
    found = np.asarray(load_cos_theta().predict(oscillation, fast, {}).total)
    assert np.linspace(-0.9, 0.9, 10) @ found / found.sum() == pytest.approx(expected, rel=0.1)
    assert expected > 0.05


def test_bins_close_on_the_published_totals():
    rows = load_l_over_e().bins()
    assert sum(row.data for row in rows) == 86
    assert sum(row.background for row in rows) == pytest.approx(36.9 + 16.9)
    table = load_r_gamma().bins()
    assert [row.data for row in table] == [119, 59, 27]
    assert sum(row.data - row.background for row in table) == pytest.approx(59.0)


# -- edges, gradients, one program ------------------------------------------------------------------------------------


@pytest.mark.parametrize("changes", [{"m_N2": 0.3, "m_N1": 0.2}, {"m_N2": 0.09, "m_N1": 0.085}])
@pytest.mark.slow
@pytest.mark.parametrize("load", [load_l_over_e])
def test_a_closed_channel_gives_nothing_and_no_gradient(load, changes):
    # the second: N_1 h' is closed and nu h' is switched off with the coupling
    where = point(**changes, **({"y_nu": 0.0} if changes["m_N2"] == 0.09 else {}))
    measurement = load()
    assert float(predict(measurement, where, model=two_higgs_doublet).total.sum()) == 0.0
    slopes = slopes_of_likelihood(measurement, where, model=two_higgs_doublet)
    assert all(float(slope) == 0.0 for slope in slopes.values())


@pytest.mark.slow
@pytest.mark.parametrize("load", [load_l_over_e, load_high_energy, partial(load_energy, pair="ring")])
def test_gradients_agree_with_differences(load):
    measurement = load()
    summed = jax.jit(jax.value_and_grad(lambda p: jnp.sum(predict(measurement, p, model=two_higgs_doublet).total ** 2)))
    where = point()
    slopes = summed(where)[1]
    for name in ("m_N2", "m_N1", "m_hprime", "m_H", "sin_delta", "y_nu", "y_d"):
        step = 1e-4 * float(where[name])
        ends = [float(summed({**where, name: where[name] + sign * step})[0]) for sign in (1, -1)]
        assert float(slopes[name]) == pytest.approx((ends[0] - ends[1]) / (2 * step), rel=2e-3), name


@pytest.mark.slow
def test_gradients_are_finite_all_over_the_prior():
    rng = np.random.default_rng(2)
    measurement = load_l_over_e()
    ranges = {p.name: p for p in two_higgs_doublet.parametrisations["physical"].parameters}
    for _ in range(60):
        drawn = {}
        for name in ("m_N2", "m_N1", "m_hprime", "m_H", "sin_delta", "y_nu", "y_e", "lambda_N12"):
            low, high = np.log(ranges[name].low), np.log(ranges[name].high)
            drawn[name] = float(np.exp(rng.uniform(low, high)))
        slopes = slopes_of_likelihood(measurement, point(**drawn), model=two_higgs_doublet)
        assert all(np.isfinite(float(s)) for s in slopes.values()), drawn


def test_one_program_serves_every_point_and_era_of_a_kind(l_over_e):
    compiled = jax.jit(lambda m, p: m.log_likelihood(m.predict(two_higgs_doublet, p, {}), {}))
    for changes in POINTS.values():
        compiled(l_over_e, point(**changes))
    assert compiled._cache_size() == 1


def test_rates_scale_with_the_couplings_and_the_nuisances(l_over_e):
    base = predict(l_over_e, point(), model=two_higgs_doublet).total
    doubled = predict(l_over_e, point(y_nu=2 * TABLE_I["y_nu"]), model=two_higgs_doublet).total
    # nu h' and the widths change with y_nu by less than 2e-4
    np.testing.assert_allclose(doubled, 4 * base, rtol=3e-4)
    shifted = jax.jit(lambda values: l_over_e.predict(two_higgs_doublet, point(), values))
    moved = shifted({"lsnd_flux": 1.0, "lsnd_efficiency": 1.1, "neutron_knock_out": KNOCK_OUT})
    np.testing.assert_allclose(moved.total, 1.2 * 1.1 * base, rtol=1e-9)
    higher = shifted({"lsnd_flux": 0.0, "lsnd_efficiency": 1.0, "neutron_knock_out": 0.0187})
    lower = shifted({"lsnd_flux": 0.0, "lsnd_efficiency": 1.0, "neutron_knock_out": 0.008})
    by_energy = [float(moved.signal["neutron"].sum()) for moved in (higher, lower)]
    assert by_energy[0] / by_energy[1] == pytest.approx(0.494, abs=2e-3)  # 5.40 of 10.93 events, as the integral has it
    np.testing.assert_allclose(
        higher.signal["coherent"], predict(l_over_e, point(), model=two_higgs_doublet).signal["coherent"]
    )


def test_the_knock_out_energy_stays_between_its_bounds():
    """13 +- 5 MeV, 8 to 18.7: linear near the mean, never beyond, as smooth in between."""
    nuisance = next(n for n in load_l_over_e().nuisances if n.name == "neutron_knock_out")
    value = lambda pull: 1e3 * nuisance.value(jnp.asarray(pull))  # noqa: E731
    assert float(value(0.0)) == 13.0
    for pull in (-1e-3, 1e-3):
        assert float(jax.grad(value)(pull)) == pytest.approx(5.0, rel=1e-5)
        assert float(jax.grad(jax.grad(value))(pull)) == pytest.approx(0.0, abs=0.02)
    assert 8.0 < float(value(-3.0)) < 8.1
    assert 18.2 < float(value(3.0)) < 18.7
    with pytest.raises(InputError, match="between"):
        replace(nuisance, mean=0.02)


# -- likelihoods ------------------------------------------------------------------------------------------------------


def test_the_high_energy_likelihood_by_hand():
    measurement = load_high_energy(sample="quoted")
    prediction = predict(measurement, point(), model=two_higgs_doublet)
    for first, second in ((10.5, 3.0), (30.0, 3.0), (10.5, 12.0)):
        shown = prediction._replace(signal={"neutron": jnp.array([first, second])})
        expected = ((first - 10.5) / 4.9) ** 2
        expected += 2 * (second - 6 + 6 * np.log(6 / second)) if second > 6 else 0.0
        assert float(measurement.chi_squared(shown, {})) == pytest.approx(expected, abs=1e-9)
        at_data = prediction._replace(signal={"neutron": jnp.array([10.5, 6.0])})
        difference = measurement.log_likelihood(at_data, {}) - measurement.log_likelihood(shown, {})
        assert 2 * float(difference) == pytest.approx(expected, abs=1e-9)


def test_shapes_without_data_add_nothing():
    for load in (load_energy, load_cos_theta):
        measurement = load()
        assert "no public data" in measurement.title
        assert float(log_likelihood(measurement, point(), model=two_higgs_doublet)) == 0.0


def test_overlapping_samples_are_refused_together():
    chosen = two_higgs_doublet.parametrisations["physical"]
    problem = partial(build_problem, two_higgs_doublet, parametrisation="physical", free=(), fixed=TABLE_I)
    with pytest.raises(InputError, match="the same data"):
        problem([load_l_over_e(), load_r_gamma()])
    both = problem([load_l_over_e(), load_high_energy()])
    names = [nuisance.name for nuisance in both.nuisances]
    assert len(names) == len(set(names))
    assert {"lsnd_flux", "neutron_knock_out", "lsnd_high_energy_efficiency"} <= set(names)
    assert np.isfinite(float(both.log_likelihood({})))
    assert set(chosen.names) == set(TABLE_I)


def test_a_model_without_a_recoil_is_refused_in_words():
    with pytest.raises(InputError, match="oscillation does not offer"):
        build_problem(oscillation, [load_high_energy()], "physical", (), {"sin2_2theta": 0.1, "delta_m2": 1.0})


@pytest.mark.parametrize("era", ["", ":l-over-e", ":r-gamma", ":high-energy", ":energy", ":cos-theta"])
def test_eras_by_name(era):
    measurement = find_measurement(f"lsnd{era}", pair="ring", targets="neutron")
    assert measurement.name == "lsnd"
    listed = {row.era: row for row in measurement_listing() if row.name == "lsnd"}
    assert listed[measurement.era].title == measurement.title
    assert list(jax.eval_shape(lambda p: measurement.predict(two_higgs_doublet, p, {}), point()).signal) == ["neutron"]
    assert "recalled" in measurement.choices["electron efficiency"]


@pytest.mark.parametrize(
    ("option", "value"),
    [("pair", "both"), ("targets", "carbon"), ("flavours", "nue"), ("sample", "l99")],
)
def test_unknown_options_are_refused(option, value):
    with pytest.raises(InputError, match=value):
        find_measurement("lsnd:high-energy", **{option: value})


def test_an_unknown_era_is_refused():
    with pytest.raises(InputError, match="l-over-e"):
        find_measurement("lsnd:evis")

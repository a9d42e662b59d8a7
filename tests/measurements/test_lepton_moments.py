import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.test_util import check_grads
from scipy import stats

from anomfit.capabilities import PredictsLeptonMoment
from anomfit.data import load_record
from anomfit.errors import InputError
from anomfit.measurements.base import Measurement
from anomfit.measurements.lepton_moments import DEFAULT_ERAS, ERA_ALIASES, LeptonMoment, eras, load_lepton_moment

LEPTONS = ("muon", "electron")
ALL_ERAS = [(lepton, era) for lepton in LEPTONS for era in eras(lepton)]

PUBLISHED = {
    ("muon", "bnl-seed2019"): (2.74e-9, 0.73e-9),  # arXiv:2010.06159, eq 1
    ("muon", "bnl-wp2020"): (2.79e-9, 0.76e-9),  # arXiv:2006.01948, eq 1
    ("muon", "fnal2021-wp2020"): (251e-11, 59e-11),  # arXiv:2104.03281, abstract
    ("muon", "world2023-wp2020"): (249e-11, 48e-11),  # arXiv:2308.06230 minus arXiv:2006.04822
    ("muon", "world2021-bmw2020"): (107e-11, 69e-11),  # arXiv:2104.03281 minus arXiv:2002.12347
    ("muon", "world2025-bmw2020"): (117.5e-11, 56.9e-11),  # arXiv:2506.03069 minus arXiv:2002.12347
    ("muon", "world2025-wp2020"): (261.5e-11, 45.4e-11),  # arXiv:2506.03069 minus arXiv:2006.04822
    ("muon", "wp2025"): (38e-11, 63e-11),  # arXiv:2505.21476, abstract
    ("electron", "cs2018-harvard2008"): (-8.7e-13, 3.6e-13),  # arXiv:2006.01948, eq 2
    ("electron", "rb2020-harvard2008"): (4.8e-13, 3.0e-13),  # Nature 588 (2020) 61
    ("electron", "cs2018-northwestern2023"): (-10.2e-13, 2.6e-13),
    ("electron", "rb2020-northwestern2023"): (3.4e-13, 1.6e-13),
}

# Half a unit of the last digit that the difference is printed with, and a little for the rounding of the parts.
ROUNDING = {"muon": 0.6e-11, "electron": 0.11e-13}


class Linear:
    """A toy that offers the one capability: Delta a = slope * coupling^2, half as much for the electron."""

    def lepton_moment(self, point, lepton):
        return (1.0 if lepton == "muon" else 0.5) * 1e-3 * point["coupling"] ** 2


@pytest.fixture
def asymmetric():
    base = load_lepton_moment("muon")
    return LeptonMoment(np.asarray(2.0), np.asarray(0.5), np.asarray(1.5), base.lepton, base.label)  # type: ignore[arg-type]


def likelihood(measurement, coupling):
    prediction = measurement.predict(Linear(), {"coupling": coupling}, {})
    return measurement.log_likelihood(prediction, {})


def test_every_published_era_is_offered():
    assert set(ALL_ERAS) == set(PUBLISHED)


@pytest.mark.parametrize(("lepton", "era"), PUBLISHED)
def test_the_published_differences(lepton, era):
    measurement = load_lepton_moment(lepton, era)
    value, sigma = PUBLISHED[lepton, era]
    assert (float(measurement.value), float(measurement.sigma_minus)) == pytest.approx((value, sigma), rel=1e-12)
    assert float(measurement.sigma_plus) == float(measurement.sigma_minus)
    assert isinstance(measurement, Measurement)
    assert measurement.accepts == (PredictsLeptonMoment,)
    assert (measurement.name, measurement.era) == (f"g-2-{lepton}", era)
    assert era in measurement.choices["era"]
    assert measurement.title == eras(lepton)[era]


@pytest.mark.parametrize(("lepton", "era"), ALL_ERAS)
def test_differences_are_those_of_their_parts(lepton, era):
    parts = load_record(f"gminus2/{lepton}").parts
    record = parts[f"era/{era}"]
    experiment, theory = (parts[name].values for name in record.built_from)
    if "below_experiment" in theory:  # 2019: the papers quote the distance and its three errors only
        difference = theory["below_experiment"]
        sigma = math.hypot(theory["sigma_1"], theory["sigma_2"], theory["sigma_experiment"])
    else:
        key = {"muon": "a_mu", "electron": "a_e"}[lepton]
        difference = experiment[key] - theory[key]
        sigma = math.hypot(experiment["sigma_plus"], theory["sigma_plus"])
    assert record.values["difference"] == pytest.approx(difference, abs=ROUNDING[lepton])
    assert record.values["sigma_plus"] == pytest.approx(sigma, abs=1.3 * ROUNDING[lepton])


def test_caesium_and_rubidium_disagree_by_more_than_five_sigma():
    parts = load_record("gminus2/electron").parts
    caesium, rubidium = parts["alpha/cs2018"].values, parts["alpha/rb2020"].values
    distance = rubidium["alpha_inverse"] - caesium["alpha_inverse"]
    assert distance / math.hypot(rubidium["sigma_plus"], caesium["sigma_plus"]) == pytest.approx(5.5, abs=0.1)


def test_defaults_and_aliases():
    assert load_lepton_moment("muon").era == "wp2025"
    assert load_lepton_moment("electron").era == "rb2020-northwestern2023"
    assert load_lepton_moment("muon", "papers").era == "bnl-seed2019"
    assert load_lepton_moment("electron", "caesium").era == "cs2018-northwestern2023"
    for lepton in LEPTONS:
        assert {DEFAULT_ERAS[lepton], *ERA_ALIASES[lepton].values()} <= set(eras(lepton))


def test_two_eras_share_their_sample():
    first, second = load_lepton_moment("muon"), load_lepton_moment("muon", "papers")
    assert first.samples & second.samples
    assert not first.samples & load_lepton_moment("electron").samples


def test_the_likelihood_is_scipys_gaussian():
    measurement = load_lepton_moment("muon", "papers")
    reference = stats.norm(2.74e-9, 0.73e-9)
    for coupling in (0.0, 1e-3, 2e-3):
        expected = reference.logpdf(1e-3 * coupling**2) - reference.logpdf(2.74e-9)
        assert float(likelihood(measurement, coupling)) == pytest.approx(expected, rel=1e-12, abs=1e-14)


def test_the_lepton_is_the_measured_one():
    muon, electron = (load_lepton_moment(lepton).predict(Linear(), {"coupling": 1.0}, {}) for lepton in LEPTONS)
    assert muon.total.shape == (1,)
    assert float(muon.total[0]) == pytest.approx(1e-3, rel=1e-12)
    assert float(electron.total[0]) == pytest.approx(0.5e-3, rel=1e-12)


@pytest.mark.parametrize(("predicted", "sigma"), [(2.0, 1.0), (5.0, 1.5), (1.0, 0.5)])
def test_asymmetric_errors_apply_on_the_prediction_s_side(asymmetric, predicted, sigma):
    prediction = asymmetric.predict(Linear(), {"coupling": math.sqrt(1e3 * predicted)}, {})
    pull = (2.0 - predicted) / sigma
    np.testing.assert_allclose(asymmetric.pulls(prediction, {}), [pull], rtol=1e-12, atol=1e-12)
    assert float(asymmetric.chi_squared(prediction, {})) == pytest.approx(pull**2, rel=1e-12, abs=1e-12)
    assert float(asymmetric.log_likelihood(prediction, {})) == pytest.approx(-0.5 * pull**2, rel=1e-12, abs=1e-12)


def test_the_table_for_users(asymmetric):
    (entry,) = load_lepton_moment("electron").bins()
    assert (entry.label, entry.unit, entry.background) == ("Delta a_e", "1", 0.0)
    assert (entry.data, entry.error) == pytest.approx((3.4e-13, 1.6e-13), rel=1e-12)
    assert math.isnan(entry.low)
    assert math.isnan(entry.high)
    assert asymmetric.bins()[0].error == 1.0


def test_gradients(asymmetric):
    for coupling in (20.0, 70.0):  # on either side of the measured value
        check_grads(lambda x: likelihood(asymmetric, x), (coupling,), order=1, rtol=1e-6)
    at_maximum = jax.grad(lambda x: likelihood(asymmetric, x))(math.sqrt(2e3))
    assert float(at_maximum) == pytest.approx(0.0, abs=1e-12)


def test_another_era_is_the_same_program():
    traces = []

    @jax.jit
    def value_and_slope(measurement, coupling):
        traces.append(coupling)
        return jax.value_and_grad(likelihood, argnums=1)(measurement, coupling)

    couplings = jnp.asarray(1e-3)
    values = {era: value_and_slope(load_lepton_moment("muon", era), couplings)[0] for era in eras("muon")}
    assert len(traces) == 1
    for era, value in values.items():
        assert float(value) == pytest.approx(float(likelihood(load_lepton_moment("muon", era), couplings)), rel=1e-12)
    assert len(set(map(float, values.values()))) == len(values)
    value_and_slope(load_lepton_moment("electron"), couplings)  # another lepton is another question to the model
    assert len(traces) == 2


def test_it_is_a_pytree_with_three_leaves(asymmetric):
    leaves, structure = jax.tree.flatten(asymmetric)
    assert [float(leaf) for leaf in leaves] == [2.0, 0.5, 1.5]
    again = jax.tree.unflatten(structure, leaves)
    assert (again.era, again.name) == (asymmetric.era, asymmetric.name)


def test_batches_of_points():
    measurement = load_lepton_moment("muon")
    couplings = jnp.linspace(0.0, 2e-3, 5)
    batch = jax.vmap(lambda x: likelihood(measurement, x))(couplings)
    np.testing.assert_allclose(batch, [float(likelihood(measurement, x)) for x in couplings], rtol=1e-12)


@pytest.mark.parametrize(
    ("lepton", "era", "complaint"),
    [
        ("tau", "default", "lepton: 'tau' is not usable; use one of muon, electron"),
        ("muon", "wp2026", "did you mean 'wp2025'?"),
        ("electron", "wp2025", "rb2020-northwestern2023"),
        ("muon", "", "use one of"),
    ],
)
def test_unknown_names_are_refused_in_a_sentence(lepton, era, complaint):
    with pytest.raises(InputError) as caught:
        load_lepton_moment(lepton, era)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_eras_of_an_unknown_lepton():
    with pytest.raises(InputError, match="'tau'"):
        eras("tau")

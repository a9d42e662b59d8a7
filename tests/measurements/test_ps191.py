"""PS-191: pairs by distance against thrown events, the charged current that they are counted by, the likelihood."""

from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles import thrown_upscattering, upscattering
from oracles.dark_photon import given
from scipy.stats import norm

from anomfit.catalogue import find_measurement
from anomfit.data import load_record
from anomfit.errors import InputError
from anomfit.measurements.base import Prediction, is_prediction_alone
from anomfit.models.dark_photon import dark_photon
from anomfit.physics.charged_current import THRESHOLD, cross_section, quasi_elastic
from anomfit.physics.constants import G_F, GEV2_TO_CM2, M_MU
from anomfit.physics.quasi_elastic import M
from anomfit.physics.reaction import AnyReaction

POINT = {name: jnp.asarray(float(value)) for name, value in dark_photon.points["bertuzzo"].items()}
FLIGHT = 0.05  # m/GeV
FLUX = "accelerators/flux_ps191_shape"


@dataclass(frozen=True)
class Slow:
    """The dark photon's model with a heavy neutrino that flies some centimetres."""

    def reactions(self, point, nuisances) -> tuple[AnyReaction, ...]:
        return tuple(replace(one, flight=jnp.asarray(FLIGHT)) for one in dark_photon.reactions(point, nuisances))


@pytest.fixture(scope="module")
def by_distance():
    measurement = find_measurement("ps191:distance")
    return measurement, jax.jit(lambda point: measurement.predict(Slow(), point, {}))(POINT)


def muon_like(kind="inclusive"):
    """Charged-current interactions of one iron nucleus under the flux: midpoints of its bins, in ten parts."""
    knots, heights = thrown_upscattering.flux_knots(FLUX)
    energy = np.linspace(knots[0], knots[-1], 50 * len(knots))
    return np.trapezoid(np.interp(energy, knots, heights) * cross_section(energy, "Fe56", kind), energy)


def test_distances_are_those_of_thrown_events(by_distance, monkeypatch):
    """N to a neutrino and Z', evenly in its rest frame; the pair's energy smeared by 20 per cent, above 0.4 GeV."""
    measurement, prediction = by_distance
    monkeypatch.setitem(upscattering.CHARGE_RADII, 56, 3.7377)
    rng = np.random.default_rng(11)
    events = thrown_upscattering.throw(FLUX, "Fe56", given(POINT), 150_000, rng)
    m_N, boson = float(POINT["m_N4"]), float(POINT["m_Zprime"])
    e_star, p_star = (m_N**2 + boson**2) / (2 * m_N), (m_N**2 - boson**2) / (2 * m_N)
    cosine = rng.uniform(-1, 1, len(events.weight))
    energy = (events.energy * e_star + events.momentum * p_star * cosine) / m_N
    weight = events.weight * norm.cdf((energy - 0.4) / (0.2 * energy))
    distance = 1e3 * rng.exponential(FLIGHT, len(weight)) * events.momentum
    ends = [entry.high for entry in measurement.bins()]
    (reaction,) = dark_photon.reactions(POINT, {})
    per_cent = 100.0 * float(reaction.visible) / muon_like()
    anywhere = sum(float(number) for number in prediction.before_efficiency.values())
    spread = np.sqrt(np.sum((weight - weight.mean()) ** 2))
    assert anywhere == pytest.approx(per_cent * weight.sum(), abs=4.0 * per_cent * spread)
    for end in (8.8, 16.0, 64.0, 256.0):
        expected, error = thrown_upscattering.mean_and_error(weight, (distance < end).astype(float))
        near = float(np.sum(np.asarray(prediction.total)[np.array(ends) <= end + 1e-9]))
        assert near / anywhere == pytest.approx(expected, abs=4.0 * error)
        assert error < 0.05 * expected


def test_the_ratio_is_the_first_bins_of_the_distances(by_distance):
    measurement, prediction = by_distance
    whole = find_measurement("ps191")
    counted = jax.jit(lambda point: whole.predict(Slow(), point, {}))(POINT)
    assert float(counted.total[0]) == pytest.approx(float(jnp.sum(prediction.total[:3])), rel=1e-12)
    assert measurement.bins()[2].high == whole.bins()[0].high == pytest.approx(16.0)


def test_struck_nucleons_are_a_part(by_distance):
    _, prediction = by_distance
    struck = find_measurement("ps191:distance", vertices="struck")
    assert struck.kept == ("incoherent",)
    assert float(jnp.sum(prediction.signal["incoherent"])) < float(jnp.sum(prediction.total))


def with_the_muons_mass(e_nu, mass=M_MU):
    """Quasi-elastic cross section of a neutron, cm^2: Llewellyn Smith's A, B, C with the lepton's mass, trapezoids."""
    s = M**2 + 2 * M * e_nu
    before, energy = (s - M**2) / (2 * np.sqrt(s)), (s + mass**2 - M**2) / (2 * np.sqrt(s))
    momentum = np.sqrt(energy**2 - mass**2)
    q_squared = np.linspace(*(2 * before * (energy + sign * momentum) - mass**2 for sign in (-1, 1)), 20_001)
    tau, small = q_squared / (4 * M**2), (mass / M) ** 2
    electric = (1 + q_squared / 0.71) ** -2
    f_1, f_2 = electric * (1 + 4.706 * tau) / (1 + tau), electric * 3.706 / (1 + tau)
    f_a = -1.2754 * (1 + q_squared / 1.23**2) ** -2
    f_p = 2 * M**2 * f_a / (0.1396**2 + q_squared)
    a = (1 + tau) * f_a**2 - (1 - tau) * f_1**2 + tau * (1 - tau) * f_2**2 + 4 * tau * f_1 * f_2
    a -= small / 4 * ((f_1 + f_2) ** 2 + (f_a + 2 * f_p) ** 2 - 4 * (tau + 1) * f_p**2)
    b, c = -4 * tau * f_a * (f_1 + f_2), (f_a**2 + f_1**2 + tau * f_2**2) / 4
    ratio = (4 * M * e_nu - q_squared - mass**2) / M**2
    density = (small + 4 * tau) * a + b * ratio + c * ratio**2
    return GEV2_TO_CM2 * (M * G_F * 0.974 / e_nu) ** 2 / (8 * np.pi) * np.trapezoid(density, q_squared)


def test_quasi_elastic_scattering_is_llewellyn_smiths():
    """To 1e-4 for a light lepton; the muon's mass, which is left out, takes 3 per cent at 0.6 GeV and 1 at 1 GeV."""
    for e_nu, share in ((0.6, 0.03), (1.0, 0.015), (3.0, 0.005)):
        found = float(quasi_elastic(np.array(e_nu)))
        assert found == pytest.approx(with_the_muons_mass(e_nu, 1e-5), rel=1e-4)
        assert found == pytest.approx(with_the_muons_mass(e_nu), rel=share)


def test_charged_currents():
    """The measured points; none below the muon's threshold; the high-energy slope; quasi-elastic is a part at 1 GeV."""
    table = load_record("accelerators/numu_cc_inclusive").columns
    np.testing.assert_allclose(cross_section(table["E_GeV"], "Fe56"), 56e-38 * table["sigma_1e38cm2"], rtol=1e-12)
    below = np.array([0.5, 0.999]) * THRESHOLD
    np.testing.assert_array_equal(cross_section(below, "Fe56"), 0.0)
    np.testing.assert_array_equal(quasi_elastic(below), 0.0)
    assert cross_section(40.0, "Fe56") / 40.0 == pytest.approx(56 * 0.699e-38, rel=1e-3)
    assert 0.4 < cross_section(1.0, "Fe56", "quasi-elastic") / cross_section(1.0, "Fe56") < 0.9


@pytest.mark.parametrize("kind", ["inclusive", "quasi-elastic"])
def test_the_beam_makes_a_hundred_muons(kind):
    beam = find_measurement("ps191", charged_currents=kind).beam
    energy = np.linspace(0.05, 6.05, 24_001)
    flux = np.asarray(beam.flux_at(jnp.asarray(energy)))[:, 0]
    made = np.trapezoid(flux * cross_section(energy, "Fe56", kind), energy) * float(beam.exposure[0])
    assert made == pytest.approx(100.0, rel=1e-3)


def test_likelihood():
    """1.3 per cent over what is expected, with an error of 0.54."""
    measurement = find_measurement("ps191")
    assert not is_prediction_alone(measurement)
    assert is_prediction_alone(find_measurement("ps191:distance"))
    values = [float(measurement.log_likelihood(Prediction({"all": jnp.asarray([s])}, {}), {})) for s in (0.0, 1.3)]
    assert values[1] == pytest.approx(0.0, abs=1e-20)
    assert values[0] == pytest.approx(-0.5 * 1.3**2 / (0.5**2 + 0.2**2), rel=1e-12)
    best = Prediction({"all": jnp.asarray([1.3])}, {})
    thrown = [float(measurement.simulate(best, {}, jax.random.key(i)).observed) for i in range(200)]
    assert np.mean(thrown) == pytest.approx(2.0, abs=0.15)
    assert np.std(thrown) == pytest.approx(np.hypot(0.5, 0.2), rel=0.2)


@pytest.mark.parametrize("option", ["charged_currents", "vertices", "threshold"])
def test_unknown_choices_are_refused(option):
    with pytest.raises(InputError, match=option):
        find_measurement("ps191", **{option: "other"})

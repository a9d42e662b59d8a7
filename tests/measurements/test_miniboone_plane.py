from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles.reactions import events_of
from scipy import stats
from scipy.integrate import quad

from anomfit.catalogue import find_measurement, find_model, measurement_listing
from anomfit.data import load_record
from anomfit.detectors import miniboone as detector
from anomfit.detectors.containment import containment
from anomfit.detectors.pairs import find_selection, see_pairs
from anomfit.detectors.resolution import find_resolution
from anomfit.errors import InputError
from anomfit.measurements.base import Measurement
from anomfit.measurements.miniboone import load_miniboone
from anomfit.measurements.miniboone_plane import DISTRIBUTIONS, load_projection
from anomfit.measurements.miniboone_plane_tables import FEWEST, Rectangles, Table, merge, read_table
from anomfit.physics.constants import M_E, M_N, M_P
from anomfit.physics.quasi_elastic import d_sigma_d_cos
from anomfit.problem import build_problem

MODEL = find_model("two-higgs-doublet")
POINT = {name: jnp.asarray(float(value)) for name, value in MODEL.points["table-I"].items()}
NEUTRINO = ("evis-costheta", "evis", "costheta")
ANTINEUTRINO = ("evis-antineutrino", "costheta-antineutrino")


@pytest.fixture(scope="module")
def loaded():
    return {era: load_projection(era) for era in DISTRIBUTIONS}


@jax.jit
def predict(measurement, point, nuisances=None):
    return measurement.predict(MODEL, point, nuisances or {})


@pytest.fixture(scope="module")
def signals(loaded):
    return {era: predict(measurement, POINT) for era, measurement in loaded.items()}


@pytest.mark.parametrize(
    ("era", "data", "background"),
    [
        ("evis-costheta", 2881, 2318.3),
        ("evis", 2881, 2318.3),
        ("costheta", 2881, 2318.3),
        ("evis-antineutrino", 576, 507.8),
        ("costheta-antineutrino", 587, 512.7),
    ],
)
def test_no_event_is_lost(loaded, era, data, background):
    measurement = loaded[era]
    assert isinstance(measurement, Measurement)
    assert float(measurement.counts.sum()) == data
    assert float(measurement.background.sum()) == pytest.approx(background, abs=0.05)
    assert sum(entry.data for entry in measurement.bins()) == data


def test_the_plane_is_merged_to_bins_with_background_that_tile_it():
    table = read_table("miniboone/nu_evis_costheta_2020")
    assert table.background.min() >= FEWEST
    low, high, cos_low, cos_high = table.bins
    cells = load_record("miniboone/nu_evis_costheta_2020").columns
    energy = 0.5e-3 * (cells["Evis_lo_MeV"] + cells["Evis_hi_MeV"])[:, None]
    cosine = 0.5 * (cells["cos_lo"] + cells["cos_hi"])[:, None]
    inside = (low < energy) & (energy < high) & (cos_low < cosine) & (cosine < cos_high)
    np.testing.assert_array_equal(inside.sum(axis=1), 1)  # every cell in one bin
    np.testing.assert_array_equal(inside.T @ cells["data"], table.counts)
    np.testing.assert_allclose(inside.T @ cells["bkg_total"], table.background, rtol=1e-12)
    np.testing.assert_allclose(np.sqrt(inside.T @ cells["bkg_mcstat"] ** 2), table.mc_error, rtol=1e-12)


def test_merging_joins_rows_then_angles_from_the_forward_end():
    low, cos_low = np.repeat([0.0, 1.0, 2.0], 3), np.tile([-1.0, 0.0, 0.5], 3)
    bins = Rectangles(low, low + 1.0, cos_low, np.tile([0.0, 0.5, 1.0], 3))
    background = np.array([4.0, 2.0, 12.0, 3.0, 8.0, 9.0, 0.0, 1.0, 2.0])
    merged = merge(Table(bins, background, background, np.ones(9), 0.5 * background), 10.0)
    # the last row (3 events) joins the one before; of each row the backward cells join what is before them
    np.testing.assert_array_equal(merged.background, [18.0, 11.0, 12.0])
    np.testing.assert_array_equal(merged.bins.low, [0.0, 1.0, 1.0])
    np.testing.assert_array_equal(merged.bins.high, [1.0, 3.0, 3.0])
    np.testing.assert_array_equal(merged.bins.cos_low, [-1.0, 0.5, -1.0])
    np.testing.assert_array_equal(merged.photons, [9.0, 5.5, 6.0])
    np.testing.assert_allclose(merged.mc_error, np.sqrt([3.0, 2.0, 4.0]))


def test_photons_of_the_plane_have_the_published_projections():
    plane = read_table("miniboone/nu_evis_costheta_2020")
    table = load_record("miniboone/nu_evis_2020").columns
    published = table["bkg_pi0"] + table["bkg_delta"]
    low = 1e-3 * table["Evis_lo_MeV"]
    for edge in np.unique(plane.bins.low):  # rows that were joined are compared joined
        row = plane.bins.low == edge
        inside = (low > edge - 1e-9) & (low < plane.bins.high[row][0] - 1e-9)
        assert plane.photons[row].sum() == pytest.approx(published[inside].sum(), abs=0.1)
    assert np.all(plane.photons >= 0.0)
    assert np.all(plane.photons <= plane.background + 1e-9)


def test_one_signal_in_every_distribution_of_a_mode(signals):
    spectrum = np.asarray(predict(load_miniboone(), POINT).total)
    edges = load_record("miniboone/nu_enuqe_2020").columns["E_hi_MeV"]
    in_window = spectrum[: len(edges)][edges <= 1250.0].sum()  # the spectrum starts at 200 MeV
    for era in NEUTRINO:
        assert float(signals[era].total.sum()) == pytest.approx(in_window, rel=1e-5)
    of_energy, of_angle = (float(signals[era].total.sum()) for era in ANTINEUTRINO)
    assert of_energy == pytest.approx(of_angle, rel=1e-4)  # the energies end at 2 GeV
    assert of_angle > spectrum[len(edges) :].sum()  # no cut on E_nu^QE


def test_the_plane_s_projections_are_the_projections(loaded, signals):
    bins, plane = loaded["evis-costheta"].bins(), np.asarray(signals["evis-costheta"].total)
    single = np.asarray(signals["evis"].total)
    lows = np.array([entry.low for entry in loaded["evis"].bins()])
    # to 1e-4 (relative or of an event): the plane's nodes in the angle are denser where the E_nu^QE window cuts a bin
    for edge in sorted({entry.low for entry in bins}):
        row = [i for i, entry in enumerate(bins) if entry.low == edge]
        inside = (lows > edge - 1e-9) & (lows < bins[row[0]].high - 1e-9)
        assert plane[row].sum() == pytest.approx(single[inside].sum(), rel=1e-4, abs=1e-4)


class Smeared(NamedTuple):
    """Pairs as measured: GeV, cosine, weight in events."""

    energy: np.ndarray
    cosine: np.ndarray
    weight: np.ndarray


@pytest.fixture(scope="module")
def smeared(loaded):
    """Quasi-random pairs of neutrino mode: node, way to be seen, energy, direction; no waves and no table."""
    chain = loaded["evis"].chain
    nodes = replace(chain.nodes, parent=chain.nodes.energy)  # parents at production energies: no interpolation
    made = jax.jit(lambda beam: detector.selected(events_of(MODEL, POINT, beam, nodes)))(
        replace(chain.beam, surroundings=())
    )
    events = jax.device_get(made)
    seen = jax.device_get(_see_nodes(events))
    weight = events.rate.sum(axis=(2, 3))[:, :, None] * events.share[:, None, :]  # parent, direction, decay
    u = stats.qmc.Sobol(d=6, scramble=True, rng=np.random.default_rng(5)).random(2**20)
    flat = weight.reshape(-1)
    chosen = np.minimum(np.searchsorted(np.cumsum(flat) / flat.sum(), u[:, 0]), flat.size - 1)
    parent, direction, decay = np.unravel_index(chosen, weight.shape)
    ways = np.cumsum(seen.weight[parent, decay], axis=1)
    way = np.minimum((u[:, 1, None] * ways[:, -1:] >= ways).sum(axis=1), ways.shape[1] - 1)
    visible = seen.energy[parent, decay, way]
    resolution = find_resolution("flat")
    energy = visible + np.asarray(resolution.sigma_energy(visible)) * stats.norm.ppf(u[:, 2])
    spread = np.sqrt(np.asarray(resolution.sigma_theta(visible)) ** 2 + 0.5 * seen.tilt[parent, decay])
    off_axis, turn, azimuth = spread * np.sqrt(-2.0 * np.log1p(-u[:, 3])), 2.0 * np.pi * u[:, 4], 2.0 * np.pi * u[:, 5]
    c_parent, c_decay = events.cos_parent[parent, direction], events.cos_decay[parent, decay]
    along = c_parent * c_decay - _sine(c_parent) * _sine(c_decay) * np.cos(azimuth)
    cosine = along * np.cos(off_axis) - _sine(along) * np.sin(off_axis) * np.cos(turn)
    return Smeared(energy, cosine, ways[:, -1] * flat.sum() / len(chosen))


@jax.jit
def _see_nodes(events):
    seen = see_pairs(events.energy, events.mass, find_selection("overlap-13-mass"), detector.relative_efficiency)
    momentum = jnp.sqrt(jnp.maximum(events.energy**2 - events.mass**2, 0.0))
    inside = containment(events.decay_length_per_momentum * momentum, 5.0, 6.106)
    return seen._replace(weight=seen.weight * inside[..., None])


@pytest.mark.slow
@pytest.mark.parametrize("era", NEUTRINO)
def test_response_against_event_by_event_smearing(loaded, signals, smeared, era):
    measurement = loaded[era]
    lepton = smeared.energy + M_E
    momentum = np.sqrt(np.maximum(lepton**2 - M_E**2, 0.0))
    e_nu_qe = (2.0 * M_N * lepton - (M_N**2 + M_E**2 - M_P**2)) / (2.0 * (M_N - lepton + momentum * smeared.cosine))
    kept = smeared.weight * ((e_nu_qe > 0.2) & (e_nu_qe < 1.25))
    counts = [
        kept[
            (low <= smeared.energy) & (smeared.energy < high) & (first <= smeared.cosine) & (smeared.cosine < last)
        ].sum()
        for low, high, first, last in zip(*read_table(measurement.distribution.record).bins, strict=True)
    ]
    expected = np.asarray(signals[era].total)
    allowed = 1e-2 * np.sqrt(np.asarray(measurement.background)) + 1e-3 * expected
    worst = np.argmax(np.abs(counts - expected) / allowed)
    print(f"{era}: worst bin {worst}, {counts[worst]:.4f} against {expected[worst]:.4f}, allowed {allowed[worst]:.4f}")
    np.testing.assert_array_less(np.abs(counts - expected), allowed)


def _sine(cosine):
    return np.sqrt(np.maximum(1.0 - cosine**2, 0.0))


@pytest.mark.parametrize("era", DISTRIBUTIONS)
def test_likelihood_is_poisson_with_profiled_monte_carlo_error(loaded, signals, era):
    measurement = loaded[era]
    background = np.asarray(measurement.background)
    nuisances = {measurement.nuisances[0].name: 1.1, measurement.nuisances[1].name: 0.8}
    scaled = 1.1 * (background - 0.2 * np.asarray(measurement.photons))
    expected = scaled + np.asarray(signals[era].total)
    sigma, counts = np.asarray(measurement.mc_error), np.asarray(measurement.counts)
    pulls = np.linspace(-6.0, 6.0, 6001)[:, None]
    mean = expected + sigma * pulls
    log_l = np.where(mean > 0.0, stats.poisson.logpmf(counts, np.maximum(mean, 1e-9)), -np.inf) - 0.5 * pulls**2
    log_l = np.where(sigma > 0.0, log_l.max(axis=0), stats.poisson.logpmf(counts, expected))
    found = float(measurement.log_likelihood(signals[era], nuisances))
    assert found == pytest.approx(log_l.sum(), rel=1e-5)
    saturated = stats.poisson.logpmf(counts, counts).sum()
    assert float(measurement.chi_squared(signals[era], nuisances)) == pytest.approx(2 * (saturated - found), rel=1e-8)
    error = np.sqrt(expected + sigma**2)
    np.testing.assert_allclose(measurement.pulls(signals[era], nuisances), (counts - expected) / error, rtol=1e-10)


@pytest.mark.slow
def test_gradient_of_the_likelihood(loaded):
    problem = _problem(loaded["evis-costheta"])
    point = {**{n.name: jnp.asarray(0.3) for n in problem.nuisances}, "sin_delta": 0.1, "m_N2": 0.13}
    evaluate = jax.jit(jax.value_and_grad(lambda values, problem: problem.log_likelihood(values)))
    point = {name: jnp.asarray(value) for name, value in point.items()}
    _, gradient = evaluate(point, problem)
    assert all(bool(jnp.isfinite(g)) for g in gradient.values())
    for name, step in {"sin_delta": 1e-5, "m_N2": 1e-6, "miniboone_efficiency": 1e-5}.items():
        up, down = (float(evaluate({**point, name: point[name] + s * step}, problem)[0]) for s in (1, -1))
        assert float(gradient[name]) == pytest.approx((up - down) / (2 * step), rel=1e-5)


def test_gain_of_the_efficiency_scales_the_signal_alone(loaded, signals):
    measurement = loaded["evis"]
    more = predict(measurement, POINT, {"miniboone_efficiency": 1.15}).total
    np.testing.assert_allclose(more, 1.15 * np.asarray(signals["evis"].total), rtol=1e-12)


def test_nuisances_and_their_sizes(loaded):
    sizes = {n.name: n.sigma for era in ("evis", "evis-antineutrino") for n in loaded[era].nuisances}
    assert sizes == pytest.approx(
        {
            "miniboone_background_neutrino": 0.05,
            "miniboone_background_antineutrino": 0.05,
            "miniboone_photons_neutrino": (95.5 + 35.2) / (732.3 + 251.9),
            "miniboone_photons_antineutrino": (11.5 + 5.4) / (112.3 + 34.7),
            "miniboone_efficiency": 0.15,
            "miniboone_dirt": 0.3,
        },
        rel=1e-12,
    )


def _problem(*measurements):
    names = MODEL.parametrisations["physical"].names
    free = [MODEL.parametrisations["physical"][name] for name in ("m_N2", "sin_delta")]
    fixed = {name: float(POINT[name]) for name in names if name not in ("m_N2", "sin_delta")}
    return build_problem(MODEL, measurements, "physical", free, fixed)


@pytest.mark.parametrize(("first", "second"), [("evis", "costheta"), ("evis-costheta", "evis"), ANTINEUTRINO])
def test_two_projections_of_one_mode_are_refused(loaded, first, second):
    with pytest.raises(InputError, match="use the same data"):
        _problem(loaded[first], loaded[second])


@pytest.mark.parametrize("era", DISTRIBUTIONS)
def test_a_projection_beside_the_spectrum_is_refused(loaded, era):
    with pytest.raises(InputError, match="use the same data"):
        _problem(load_miniboone(), loaded[era])


def test_projections_of_both_modes_are_fitted_together(loaded):
    problem = _problem(loaded["evis"], loaded["evis-antineutrino"])
    assert sum(n.name == "miniboone_efficiency" for n in problem.nuisances) == 1


OSCILLATION = find_model("oscillation")
BEST_FIT = {name: jnp.asarray(value) for name, value in OSCILLATION.points["miniboone-2020"].items()}


def test_appearance_shows_the_events_of_the_energy_spectrum_again(loaded):
    """Their number is that between 200 and 1250 MeV, and the plane's rows and columns are the projections."""
    appeared = {era: np.asarray(loaded[era].predict(OSCILLATION, BEST_FIT, {}).total) for era in NEUTRINO}
    spectrum = np.asarray(load_miniboone().predict(OSCILLATION, BEST_FIT, {}).total)[:9]
    for counts in appeared.values():
        assert counts.sum() == pytest.approx(spectrum.sum(), rel=2e-3)  # a few lie outside of the bins of E_vis
    plane, bins = appeared["evis-costheta"], read_table("miniboone/nu_evis_costheta_2020").bins
    energy = read_table("miniboone/nu_evis_2020").bins
    for low, high in zip(np.unique(bins.low), np.unique(bins.high), strict=True):
        inside = (energy.low >= low - 1e-9) & (energy.high <= high + 1e-9)
        assert plane[bins.low == low].sum() == pytest.approx(appeared["evis"][inside].sum(), rel=1e-9)


def test_angles_of_appearance_are_those_of_quasi_elastic_scattering(loaded):
    """Everything at 0.8 GeV: the share above cos theta = 0.5 against an integral of the cross section."""
    sample = loaded["costheta"].transmutation
    row = int(np.argmin(np.abs(np.asarray(sample.energy) - 0.8)))
    energy, counts = float(sample.energy[row]), np.asarray(sample.events[row])
    edges = read_table("miniboone/nu_costheta_2020").bins
    whole, part = (quad(lambda c: d_sigma_d_cos(energy, c, "neutrino"), low, 1.0)[0] for low in (-1.0, 0.5))
    assert counts[edges.cos_low >= 0.5 - 1e-9].sum() / counts.sum() == pytest.approx(part / whole, rel=1e-3)


def test_options_and_their_refusals():
    narrow = find_measurement("miniboone:evis", selection="overlap-5", resolution="stochastic", flavours="numu-only")
    assert narrow.choices["pair selection"].startswith("overlap-5")
    assert narrow.choices["energy resolution"].startswith("stochastic")
    for option in ({"selection": "none"}, {"resolution": "none"}, {"flavours": "none"}, {"covariance": "literal"}):
        with pytest.raises(InputError, match=next(iter(option))):
            find_measurement("miniboone:evis", **option)
    with pytest.raises(InputError, match="evis-costheta"):
        load_projection("radius")


def test_listing():
    rows = {row.era: row for row in measurement_listing() if row.name == "miniboone"}
    assert list(rows) == ["enuqe", *DISTRIBUTIONS]
    assert [era for era, row in rows.items() if row.default] == ["enuqe"]
    assert rows["evis"].status == "third-party"
    assert rows["evis-antineutrino"].status == "digitised"


def test_bins_as_a_user_sees_them(loaded):
    first = loaded["evis-costheta"].bins()[0]
    assert (first.low, first.high, first.unit) == (0.1, 0.2, "GeV")
    assert first.label.startswith("E_vis, cos theta ")
    assert first.label.endswith(" to 1")
    assert loaded["costheta"].bins()[0].unit == "1"
    entry = loaded["evis"].bins()[2]
    variance = 380.01 + 19.95**2 + (0.05 * 380.01) ** 2 + (130.7 / 984.2 * (198.72 + 50.93)) ** 2
    assert entry.error == pytest.approx(np.sqrt(variance), rel=1e-6)

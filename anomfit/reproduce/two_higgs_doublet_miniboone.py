"""The numbers of arXiv:2010.06159 on MiniBooNE: the experiment's own, and the benchmark's rate against the excess."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams.booster import CH2, MODES, miniboone_beam
from anomfit.capabilities import PairEvents
from anomfit.data import load_record
from anomfit.detectors import miniboone as detector
from anomfit.detectors.pairs import SELECTIONS, find_selection
from anomfit.detectors.resolution import RESOLUTIONS
from anomfit.detectors.shower_response import expected
from anomfit.measurements.base import Prediction
from anomfit.measurements.miniboone import NODES, MiniBooneQuasiElastic, load_miniboone
from anomfit.measurements.miniboone_covariance import QuasiElasticData
from anomfit.physics.scalar_upscattering import FormFactors, ScalarMediators
from anomfit.physics.two_body import two_body_energy
from anomfit.physics.upscattered_pairs import pair_events
from anomfit.reproduce.statements import Computed
from anomfit.reproduce.two_higgs_doublet import Benchmark, mediators

WINDOW = (0.2, 1.25)  # GeV of E_nu^QE, in which the experiment counts its excess
PAPER_SELECTION = "light-or-5"
PAPER_FLAVOURS = "numu-only"
FOOT = 0.3048  # m
HORNS = MODES["both"]  # the order of the measurement's bins

WIDE = replace(NODES, lowest=NODES.lowest / 2.0)  # for what is said of parents whose pairs are not selected

_expected = jax.jit(lambda response, events, seen: expected(response, detector.selected(events), seen))


@partial(jax.jit, static_argnames=("model", "nodes"))
def _events(model, point, beam, nodes=NODES) -> PairEvents:
    return model.pair_events(point, {}, beam, nodes)


@jax.jit
def _interactions(beam, exchanged: ScalarMediators, point) -> jax.Array:
    """Interactions by component and beam for these mediators, form factors as published."""
    constant = FormFactors("constant", "exponential", jnp.ones(()))
    one_channel = jnp.ones(1)
    events = pair_events(
        beam,
        NODES,
        m_N2=point["m_N2"],
        mediators=exchanged,
        form_factors=constant,
        m_hprime=point["m_hprime"],
        daughters=point["m_N1"] * one_channel,
        branching=one_channel,
        decay_length_per_momentum=jnp.zeros(()),
    )
    return events.made


def experiment(given: Benchmark) -> dict[str, Computed]:
    """Exposure, detector, flux and excess of section II A, from the data that the measurement uses."""
    beam = miniboone_beam(PAPER_FLAVOURS)
    record = load_record("miniboone/experiment").values
    exposure = beam.exposure / record["ch2_molecules"]
    knots = float(beam.first) + float(beam.step) * np.arange(beam.flux.shape[0])
    radius = record["radius"]
    density = record["density"]  # g/cm^3 = t/m^3
    found = {
        "pot_neutrino": float(exposure[0]),
        "pot_antineutrino": float(exposure[1]),
        "detector_diameter": 2.0 * radius / FOOT,
        "detector_mass": 4.0 / 3.0 * np.pi * radius**3 * density,
        "flux_peak_neutrino": float(knots[np.argmax(beam.flux[:, 0])]),
        "flux_peak_antineutrino": float(knots[np.argmax(beam.flux[:, 1])]),
    }
    data = load_miniboone().data
    neutrino, antineutrino = (_window(data, mode) for mode in HORNS)
    excess, error = measured_excess(data, neutrino)
    found |= {"excess_neutrino": excess, "excess_neutrino_error": error}
    excess, error = measured_excess(data, antineutrino)
    found |= {"excess_antineutrino": excess, "excess_antineutrino_error": error}
    excess, error = measured_excess(data, neutrino | antineutrino)
    found |= {"excess_significance": excess / error, "excess_soft_share": _soft_share()}
    together = f"Both modes together: {excess:.1f} +- {error:.1f} events."
    return {name: Computed(value, together if name == "excess_significance" else "") for name, value in found.items()}


def measured_excess(data: QuasiElasticData, chosen: np.ndarray) -> tuple[float, float]:
    """Events above the background in the chosen nu_e bins (a mask), and the error, both given the nu_mu samples."""
    no_signal = jnp.zeros(len(chosen))
    residual, covariance = data.residual(no_signal), data.covariance(no_signal)
    n = len(chosen)
    gain = jnp.linalg.solve(covariance[n:, n:], covariance[n:, :n]).T
    shifted = residual[:n] - gain @ residual[n:]
    left = covariance[:n, :n] - gain @ covariance[n:, :n]
    weight = jnp.asarray(chosen, dtype=float)
    return float(weight @ shifted), float(jnp.sqrt(weight @ left @ weight))


def rates(given: Benchmark) -> dict[str, Computed]:
    """The benchmark in MiniBooNE: mediators, interactions, selected events against the excess, flight of h'."""
    measurement = load_miniboone(selection=PAPER_SELECTION, flavours=PAPER_FLAVOURS)
    excess, _ = measured_excess(measurement.data, _window(measurement.data, HORNS[0]))
    published = _events(given.published, given.point, measurement.chain.beam)
    default = _events(given.default, given.point, miniboone_beam())
    total = np.asarray(published.made)[:, 0]
    return {
        **_shares_of_mediators(given, measurement),
        **_before_efficiency(given, total),
        **_against_excess(given, measurement, published, default, excess),
        **_flight(published),
    }


def _shares_of_mediators(given: Benchmark, measurement: MiniBooneQuasiElastic) -> dict[str, Computed]:
    """h' alone, H alone and both in neutrino mode, coherent and incoherent together, before efficiency."""
    both = mediators(given)

    def interactions(kept: np.ndarray) -> float:
        exchanged = both._replace(F_p=both.F_p * kept, F_n=both.F_n * kept)
        return float(jnp.sum(_interactions(measurement.chain.beam, exchanged, given.point)[:, 0]))

    H, hprime, whole = (interactions(np.array(kept)) for kept in ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0)))
    interference = 1.0 - (H + hprime) / whole
    shares = f"H alone is {H / whole:.1%}, h' alone {hprime / whole:.1%}, their interference {interference:.1%}."
    return {
        "hprime_share_of_rate": Computed(hprime / whole, shares),
        "hprime_to_H_in_rate": Computed(hprime / H, shares),
    }


def _before_efficiency(given: Benchmark, total: np.ndarray) -> dict[str, Computed]:
    """Interactions in neutrino mode, and what the misprint before equation 28 would make of them.

    total: coherent, incoherent. The literal (8 F_p + 6 F_n) replaces 8 F_p^2 + 6 F_n^2, of H, which dominates.
    """
    coherent, incoherent = (float(number) for number in total)
    F = {"proton": float(mediators(given).F_p[0]), "neutron": float(mediators(given).F_n[0])}
    counts = {target.name: target.count for target in CH2 if not target.is_nucleus}
    linear = sum(counts[name] * F[name] for name in counts)
    squared = sum(counts[name] * F[name] ** 2 for name in counts)
    return {
        "incoherent_literal": Computed(coherent + incoherent * linear / squared),
    }


def _against_excess(
    given: Benchmark, measurement: MiniBooneQuasiElastic, published: PairEvents, default: PairEvents, excess: float
) -> dict[str, Computed]:
    """Selected events, the factor to the excess, the spread of the detector's choices, the systematic error."""
    usual, window = load_miniboone(), _window(measurement.data, HORNS[0])
    smearings = [load_miniboone(resolution=name) for name in RESOLUTIONS]
    counts, counts_default = _counts(measurement, published), _counts(usual, default)
    selected, selected_default = float(counts[window].sum()), float(counts_default[window].sum())
    factor, factor_default = excess / selected, excess / selected_default
    wide = _events(given.published, given.point, measurement.chain.beam, WIDE)
    anywhere, as_if_N2 = _without_window(given, wide)
    share = selected / float(jnp.sum(published.made[:, 0]))
    choices = (
        f"{share:.2%} of the interactions are selected. The default pair selection gives "
        f"{_counts(usual, published)[window].sum():.0f} events; {_spread(smearings, published, window)}. "
        f"{_other_mode(measurement, counts)}"
    )
    cause = (
        f"Without the window in E_nu^QE {anywhere:.0f} events are selected (factor {excess / anywhere:.2f}); with the "
        f"energy of N_2 as E_vis, as equation 28 literally reads, {as_if_N2:.0f} (factor {excess / as_if_N2:.2f}). "
        f"{_quality(measurement, counts, factor)}"
    )
    return {
        "selected_as_published": Computed(selected, f"{choices} {cause}"),
        "selected_default": Computed(
            selected_default,
            f"{_spread(smearings, default, window).capitalize()}. {_other_mode(usual, counts_default)} "
            f"{_quality(usual, counts_default, factor_default)}",
        ),
        "systematic_error": Computed(_released_error(measurement.data, np.where(window, counts, 0.0))),
    }


def _counts(measurement: MiniBooneQuasiElastic, events: PairEvents) -> np.ndarray:
    """Selected events in all bins of both modes."""
    response = measurement.chain.response
    seen = detector.see(events, measurement.chain.selection, response.table.shape[0])
    return np.asarray(_expected(response, events, seen)).sum(axis=0).reshape(-1)


def _spread(measurements: Sequence[MiniBooneQuasiElastic], events: PairEvents, window: np.ndarray) -> str:
    """The range of selected events over these measurements and every pair selection, in words."""
    found = [
        _counts(replace(each, chain=replace(each.chain, selection=selection)), events)[window].sum()
        for each in measurements
        for selection in SELECTIONS.values()
    ]
    return f"all pair selections and resolutions lie between {min(found):.0f} and {max(found):.0f}"


def _other_mode(measurement: MiniBooneQuasiElastic, counts: np.ndarray) -> str:
    """The prediction and the excess in antineutrino mode, in words."""
    window = _window(measurement.data, HORNS[1])
    excess, error = measured_excess(measurement.data, window)
    return f"In antineutrino mode {counts[window].sum():.0f} events for an excess of {excess:.0f} +- {error:.0f}."


def _quality(measurement: MiniBooneQuasiElastic, counts: np.ndarray, factor: float) -> str:
    """How much the signal improves the likelihood of both modes, as it is and with the factor, in words."""

    def twice_log_likelihood(scale: float) -> float:
        prediction = Prediction({"pairs": jnp.asarray(scale * counts)}, {})
        return 2.0 * float(measurement.log_likelihood(prediction, {}))

    alone, scaled = (twice_log_likelihood(scale) - twice_log_likelihood(0.0) for scale in (1.0, factor))
    return f"2 ln L of both modes in E_nu^QE rises by {alone:.1f} over no signal, by {scaled:.1f} with the factor."


def _without_window(given: Benchmark, events: PairEvents) -> tuple[float, float]:
    """Selected pairs whatever their E_nu^QE, with the energy of h' and with that of N_2 as visible energy.

    The energy of h' is E_N e*/m_N2 on average over the decay, which gives E_N back.
    """
    rate = _rate_of_parents(events)
    nodes = NODES.polar  # the first channel, N_2 -> N_1 h'
    share, energy = events.share[:, :nodes], events.energy[:, :nodes]
    at_rest = two_body_energy(given.point["m_N2"], given.point["m_hprime"], given.point["m_N1"])
    energy_of_N2 = jnp.sum(energy * share, axis=1) / jnp.sum(share, axis=1) * given.point["m_N2"] / at_rest
    as_if_N2 = jnp.sum(rate * _probability(energy_of_N2, events.mass))
    return float(jnp.sum(_selected_weight(events))), float(as_if_N2)


def _rate_of_parents(events: PairEvents) -> jax.Array:
    """Neutrino-mode interactions by the parents whose decays are worked out."""
    return jnp.sum(events.rate, axis=(1, 2))[:, 0] @ events.onto


def _selected_weight(events: PairEvents) -> jax.Array:
    """Selected neutrino-mode pairs at each node (parents, decays)."""
    return _rate_of_parents(events)[:, None] * events.share * _probability(events.energy, events.mass)


@jax.jit
def _probability(energy, mass) -> jax.Array:
    """Probability that a pair passes the paper's selection, prompt decays, any E_nu^QE."""
    return detector.selection_probability(energy, mass, find_selection(PAPER_SELECTION))


def _flight(events: PairEvents) -> dict[str, Computed]:
    """Mean decay lengths of h' at the 16 and 84 % quantiles of the selected pairs' energies, m."""
    weight, energy = np.asarray(_selected_weight(events)).reshape(-1), np.asarray(events.energy).reshape(-1)
    order = np.argsort(energy)
    cumulative = np.cumsum(weight[order]) / weight.sum()
    found = {}
    for name, quantile in (("travel_low", 0.16), ("travel_high", 0.84)):
        here = float(np.interp(quantile, cumulative, energy[order]))
        length = float(events.decay_length_per_momentum) * np.sqrt(here**2 - float(events.mass) ** 2)
        found[name] = Computed(float(length), f"The energy is {1e3 * here:.0f} MeV.")
    return found


def _released_error(data: QuasiElasticData, signal: np.ndarray) -> float:
    """Relative systematic error of the sum of a signal in the nu_e bins, from the released covariance."""
    block = np.asarray(data.fractional)[: len(signal), : len(signal)]
    return float(np.sqrt(signal @ block @ signal) / signal.sum())


def _soft_share() -> float:
    """Share of the neutrino-mode excess that lies in 100 < E_vis < 700 MeV."""
    columns = load_record("miniboone/nu_evis_2020").columns
    excess = columns["data"] - columns["bkg_total"]
    soft = (columns["Evis_lo_MeV"] >= 100.0) & (columns["Evis_hi_MeV"] <= 700.0)
    return float(excess[soft].sum() / excess.sum())


def _window(data: QuasiElasticData, mode: str) -> np.ndarray:
    """Mask of the bins of a mode inside the window; bins are listed mode after mode."""
    edges = np.asarray(data.edges)
    inside = (edges[:-1] > WINDOW[0] - 1e-6) & (edges[1:] < WINDOW[1] + 1e-6)
    return np.concatenate([inside & (mode == each) for each in HORNS])

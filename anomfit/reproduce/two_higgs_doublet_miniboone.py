"""The numbers of arXiv:2010.06159 on MiniBooNE: the experiment's own, and the benchmark's rate against the excess."""

from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams import Beam
from anomfit.beams.booster import CH2, MODES, miniboone_beam
from anomfit.data import load_record
from anomfit.detectors import miniboone as detector
from anomfit.detectors.pairs import SELECTIONS, Seen, find_selection
from anomfit.detectors.resolution import RESOLUTIONS
from anomfit.detectors.shower_response import ShowerResponse, expected
from anomfit.measurements.base import Prediction
from anomfit.measurements.miniboone import NODES, MiniBooneQuasiElastic, PairChain, load_miniboone
from anomfit.measurements.miniboone_covariance import QuasiElasticData
from anomfit.models.two_higgs_doublet import TwoHiggsDoublet
from anomfit.parameters import Point
from anomfit.physics.two_body import two_body_energy
from anomfit.rates.interactions import interactions
from anomfit.rates.pair_events import PairEvents, pair_events
from anomfit.reproduce.inputs import linearised
from anomfit.reproduce.statements import Computed
from anomfit.reproduce.two_higgs_doublet import SCATTERING, Benchmark

WINDOW = (0.2, 1.25)  # GeV of E_nu^QE, in which the experiment counts its excess
PAPER_SELECTION = "light-or-5"
PAPER_FLAVOURS = "numu-only"
AS_PAPER = {"flavours": PAPER_FLAVOURS, "surroundings": "none"}
FOOT = 0.3048  # m
HORNS = MODES["both"]  # the order of the measurement's bins

WIDE = replace(NODES, lowest=NODES.lowest / 5.0)  # for what is said of parents whose pairs are not selected

INPUTS = (*SCATTERING, "booster_flux")


def _interactions(model: TwoHiggsDoublet, point: Point, beam: Beam, kept: np.ndarray) -> jax.Array:
    """Interactions by component and beam with some of the scalars alone (1 for those that are kept)."""
    both = model.exchange(point, point)
    return interactions(both._replace(F_p=both.F_p * kept, F_n=both.F_n * kept), beam)


def experiment(given: Benchmark) -> dict[str, Computed]:
    """Exposure, detector, flux and excess of section II A, from the data that the measurement uses."""
    beam = miniboone_beam(PAPER_FLAVOURS)
    record = load_record("miniboone/experiment").values
    exposure = beam.exposure / record["ch2_molecules"]
    knots = float(beam.first) + float(beam.step) * np.arange(beam.flux.shape[0])
    radius, density = record["radius"], record["density"]  # m, g/cm^3 = t/m^3
    found = {
        "pot_neutrino": float(exposure[0]),
        "pot_antineutrino": float(exposure[1]),
        "detector_diameter": 2.0 * radius / FOOT,
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
    numbers = {name: Computed(value) for name, value in found.items()}
    volume = 4.0 / 3.0 * np.pi * radius**3
    return numbers | {
        "detector_mass": Computed(volume * density, slopes={"oil_density": volume}),
        "excess_significance": Computed(found["excess_significance"], together),
    }


def measured_excess(data: QuasiElasticData, chosen: np.ndarray) -> tuple[float, float]:
    """Events above the background in the chosen nu_e bins (a mask), and the error, both given the nu_mu samples."""
    excess, error = _measured_excess(data, np.asarray(chosen, dtype=float))
    return float(excess), float(error)


@jax.jit
def _measured_excess(data: QuasiElasticData, weight):
    n, no_signal = weight.size, jnp.zeros(weight.shape)
    residual, covariance = data.residual(no_signal), data.covariance(no_signal)
    gain = jnp.linalg.solve(covariance[n:, n:], covariance[n:, :n]).T
    left = covariance[:n, :n] - gain @ covariance[n:, :n]
    return weight @ (residual[:n] - gain @ residual[n:]), jnp.sqrt(weight @ left @ weight)


def rates(given: Benchmark) -> dict[str, Computed]:
    """The benchmark in MiniBooNE: mediators, interactions, selected events against the excess, flight of h'."""
    measurement = load_miniboone(selection=PAPER_SELECTION, **AS_PAPER)
    window = _window(measurement.data, HORNS[0])
    found = linearised(_rates, given.published, given.point, INPUTS, (measurement.chain, window))
    others = found.others | jax.device_get(_unvaried(given.published, given.point, measurement.chain))
    H, hprime = others["H"], others["hprime"]
    shares = f"H alone is {H:.1%}, h' alone {hprime:.1%}, their interference {1.0 - H - hprime:.1%}."
    details = {
        "selected_as_published": _choices(measurement, others) + _default(given, window),
        "travel_low": f"The energy is {1e3 * others['energy_low']:.0f} MeV.",
        "travel_high": f"The energy is {1e3 * others['energy_high']:.0f} MeV.",
    }
    error = _released_error(measurement.data, np.where(window, others["counts"], 0.0))
    return {name: found.computed(name, details.get(name, "")) for name in found.numbers} | {
        "hprime_share_of_rate": Computed(float(hprime), shares),
        "hprime_to_H_in_rate": Computed(float(hprime / H), shares),
        "systematic_error": Computed(error),
    }


def _rates(model: TwoHiggsDoublet, point: Point, data: tuple[PairChain, jax.Array]):
    """What rows quote, and what their details tell, in neutrino mode."""
    chain, window = data
    flux = 1.0 + point["booster_flux"]
    (reaction,) = model.reactions(point, point)
    events = pair_events(reaction, chain.beam, chain.nodes)
    counts = _counts(chain, events)
    coherent, incoherent = events.made[0, 0], events.made[1, 0]
    low, high = (_energy_at(events, quantile) for quantile in (0.16, 0.84))
    numbers = {
        "incoherent_literal": flux * (coherent + incoherent * _misprint(model, point)),
        "selected_as_published": flux * jnp.sum(counts * window),
        "travel_low": _decay_length(events, low),
        "travel_high": _decay_length(events, high),
    }
    others = {
        "coherent": coherent,
        "incoherent": incoherent,
        "counts": counts,
        "energy_low": low,
        "energy_high": high,
        "events": events,
    }
    return numbers, others


def _misprint(model: TwoHiggsDoublet, point: Point):
    """What the literal (8 F_p + 6 F_n) before equation 28 makes of 8 F_p^2 + 6 F_n^2, of H, which dominates."""
    both = model.exchange(point, point)
    F = {"proton": both.F_p[0], "neutron": both.F_n[0]}
    counts = {target.name: target.count for target in CH2 if not target.is_nucleus}
    return sum(counts[name] * F[name] for name in counts) / sum(counts[name] * F[name] ** 2 for name in counts)


def _counts(chain: PairChain, events: PairEvents):
    """Selected events in all bins of both modes."""
    return _in_bins(chain.response, events, _seen(chain, events))


@jax.jit
def _seen(chain: PairChain, events: PairEvents) -> Seen:
    return detector.see(events, chain.selection, chain.response.table.shape[0], chain.around)


@jax.jit
def _in_bins(response: ShowerResponse, events: PairEvents, seen: Seen):
    return jnp.sum(expected(response, detector.selected(events), seen), axis=0).reshape(-1)


def _choices(measurement: MiniBooneQuasiElastic, others) -> str:
    """What the paper does not print and what it does to the number of selected events, in words."""
    window, counts, events = _window(measurement.data, HORNS[0]), others["counts"], others["events"]
    excess, _ = measured_excess(measurement.data, window)
    selected, made = counts[window].sum(), others["coherent"] + others["incoherent"]
    return (
        f"{others['coherent']:.0f} coherent and {others['incoherent']:.0f} incoherent interactions are made, of which "
        f"{selected / made:.2%} are selected and {excess / made:.2%} would give the excess: a factor of "
        f"{excess / selected:.2f} is missing. {_spread(events, window)}. {_other_mode(measurement, counts)} "
        f"Without the window in E_nu^QE {others['anywhere']:.0f} events are selected (factor "
        f"{excess / others['anywhere']:.2f}); with the energy of N_2 as E_vis, as equation 28 literally reads, "
        f"{others['as_if_N2']:.0f} (factor {excess / others['as_if_N2']:.2f}). "
        f"{_quality(measurement, counts, excess / selected)}"
    )


def _default(given: Benchmark, window: np.ndarray) -> str:
    """What the default model gives in the default measurement, in words."""
    point = {name: jnp.asarray(value) for name, value in given.default.points["table-I"].items()}
    selected = float(np.asarray(_total(load_miniboone(), given.default, point))[window].sum())
    return f" The default model in the default measurement has {selected:.0f} events."


@partial(jax.jit, static_argnames="model")
def _total(measurement: MiniBooneQuasiElastic, model: TwoHiggsDoublet, point: Point):
    return measurement.predict(model, point, {}).total


def _spread(events: PairEvents, window: np.ndarray) -> str:
    """The range of selected events over every resolution and pair selection, in words."""
    chains = [load_miniboone(resolution=name, **AS_PAPER).chain for name in RESOLUTIONS]
    seen = [_seen(replace(chains[0], selection=selection), events) for selection in SELECTIONS.values()]
    found = [np.asarray(_in_bins(chain.response, events, each)) for chain in chains for each in seen]
    totals = [counts[window].sum() for counts in found]
    return f"All pair selections and resolutions lie between {min(totals):.0f} and {max(totals):.0f}"


def _other_mode(measurement: MiniBooneQuasiElastic, counts: np.ndarray) -> str:
    """The prediction and the excess in antineutrino mode, in words."""
    window = _window(measurement.data, HORNS[1])
    excess, error = measured_excess(measurement.data, window)
    return f"In antineutrino mode {counts[window].sum():.0f} events for an excess of {excess:.0f} +- {error:.0f}."


@jax.jit
def _twice_log_likelihoods(measurement: MiniBooneQuasiElastic, counts):
    return 2.0 * jax.vmap(lambda each: measurement.log_likelihood(Prediction({"pairs": each}, {}), {}))(counts)


def _quality(measurement: MiniBooneQuasiElastic, counts: np.ndarray, factor: float) -> str:
    """How much the signal improves the likelihood of both modes, as it is and with the factor, in words."""
    nothing, alone, scaled = _twice_log_likelihoods(measurement, np.outer([0.0, 1.0, factor], counts))
    return (
        f"2 ln L of both modes in E_nu^QE rises by {alone - nothing:.1f} over no signal, by {scaled - nothing:.1f} "
        "with the factor."
    )


@partial(jax.jit, static_argnames="model")
def _unvaried(model: TwoHiggsDoublet, point: Point, chain: PairChain) -> dict[str, jax.Array]:
    """Shares of H and h' alone in the interactions; selected pairs whatever their E_nu^QE, with the energy of h' and
    with that of N_2 as visible energy, which is the energy of h' times m_N2/e* on average over the decay.
    """
    (reaction,) = model.reactions(point, point)
    events = pair_events(reaction, chain.beam, WIDE)
    nodes = NODES.polar  # the first channel, N_2 -> N_1 h'
    share, energy = events.share[:, :nodes], events.energy[:, :nodes]
    at_rest = two_body_energy(point["m_N2"], point["m_hprime"], point["m_N1"])
    energy_of_N2 = jnp.sum(energy * share, axis=1) / jnp.sum(share, axis=1) * point["m_N2"] / at_rest
    H, hprime, whole = (
        jnp.sum(_interactions(model, point, chain.beam, np.array(kept))[:, 0])
        for kept in ((1.0, 0.0), (0.0, 1.0), (1.0, 1.0))
    )
    return {
        "H": H / whole,
        "hprime": hprime / whole,
        "anywhere": jnp.sum(_selected_weight(events)),
        "as_if_N2": jnp.sum(_rate_of_parents(events) * _probability(energy_of_N2, events.mass)),
    }


def _rate_of_parents(events: PairEvents) -> jax.Array:
    """Neutrino-mode interactions by the parents whose decays are worked out."""
    return jnp.sum(events.rate, axis=(1, 2))[:, 0] @ events.onto


def _selected_weight(events: PairEvents) -> jax.Array:
    """Selected neutrino-mode pairs at each node (parents, decays), whatever their E_nu^QE."""
    return _rate_of_parents(events)[:, None] * events.share * _probability(events.energy, events.mass)


def _probability(energy, mass) -> jax.Array:
    """Probability that a pair passes the paper's selection, prompt decays, any E_nu^QE."""
    return detector.selection_probability(energy, mass, find_selection(PAPER_SELECTION))


def _energy_at(events: PairEvents, quantile: float):
    """The energy below which this share of the selected pairs lies, GeV."""
    weight, energy = _selected_weight(events).reshape(-1), events.energy.reshape(-1)
    order = jnp.argsort(jax.lax.stop_gradient(energy))
    cumulative = jnp.cumsum(weight[order]) / jnp.sum(weight)
    return jnp.interp(quantile, cumulative, energy[order])


def _decay_length(events: PairEvents, energy):
    """The mean flight of h' of this energy, m."""
    assert events.decay_length_per_momentum is not None  # h' is real
    return events.decay_length_per_momentum * jnp.sqrt(energy**2 - events.mass**2)


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

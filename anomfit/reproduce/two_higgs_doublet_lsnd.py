"""The numbers of arXiv:2010.06159 on LSND and KARMEN: the experiments' own, known physics, and the benchmark."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.data import load_record
from anomfit.measurements.karmen import load_karmen
from anomfit.measurements.lsnd import load_l_over_e
from anomfit.measurements.lsnd_high_energy import load_high_energy
from anomfit.measurements.lsnd_shapes import load_energy
from anomfit.models.oscillation import oscillation
from anomfit.models.two_higgs_doublet import TwoHiggsDoublet
from anomfit.parameters import Point
from anomfit.reproduce.inputs import linearised
from anomfit.reproduce.statements import Computed
from anomfit.reproduce.two_higgs_doublet import SCATTERING, Benchmark

AS_PAPER = {"targets": "neutron", "flavours": "numu-only"}  # what section IV says of LSND
FAST = {"sin2_2theta": 1.0, "delta_m2": 100.0}  # eV^2: full mixing, averaged
AT_REST = ("lsnd_efficiency", "lsnd_flux", "karmen_signal")
INPUTS = (*SCATTERING, "neutron_knock_out", "lsnd_photon", *AT_REST)
NOMINAL = {"lsnd_flux": 0.0, "lsnd_efficiency": 1.0, "lsnd_photon": 1.0}


def stopped_pions(given: Benchmark) -> dict[str, Computed]:
    """LSND's and KARMEN's own numbers from the data, and what known physics makes of their beams and efficiencies."""
    lsnd, karmen = (load_record(f"{name}/experiment").values for name in ("lsnd", "karmen"))
    counts, high = load_l_over_e(), load_record("lsnd/high_energy").values
    background = float(np.sum(counts.beam_off + counts.neutrino_background))
    excess = high["l98_events"] - high["l98_background"]
    constants = np.array([lsnd["electron_efficiency"], lsnd["probability"]])
    data = (
        counts.appearance.events,
        constants,
        load_karmen(),
        load_record("lsnd/dar_flux").values["normalisation_error"],
    )
    known = linearised(_known_physics, oscillation, given.point, AT_REST, data)
    return {name: known.computed(name) for name in known.numbers} | {
        "lsnd_significance": Computed(lsnd["excess"] / np.hypot(lsnd["excess_stat"], lsnd["excess_syst"])),
        "lsnd_excess_R10": Computed(float(np.sum(counts.counts)) - background),
        "lsnd_high_energy_excess": Computed(excess, f"{high['l98_events']:.0f} over {high['l98_background']:.1f}."),
        "karmen_size": Computed(karmen["mass"] / lsnd["mass"], slopes={"karmen_mass": 1.0 / lsnd["mass"]}),
    }


def _known_physics(model, point: Point, data):
    """Appearance for a probability of 1 and of the published one in LSND, and for full mixing in KARMEN."""
    events, (efficiency, probability), karmen, flux_error = data
    flux = 1.0 + flux_error * point["lsnd_flux"]
    full = flux * point["lsnd_efficiency"] * efficiency * jnp.sum(events)
    mixed = jnp.sum(karmen.predict(model, FAST, point).signal["appearance"])
    return {"lsnd_full_transmutation": full, "lsnd_excess": probability * full, "karmen_full_mixing": mixed}, {}


def pairs(given: Benchmark) -> dict[str, Computed]:
    """The benchmark in LSND and KARMEN as the paper has them, and in words what the default model gives."""
    both = {pair: (load_energy(pair=pair, **AS_PAPER), _quoted(pair)) for pair in ("sum", "ring")}
    found = linearised(_pairs, given.published, given.point, INPUTS, (both, load_karmen("numu-only")))
    high = both["sum"][1]
    efficiency = float(high.selected[1] * high.photons[1])
    bins = ", ".join(f"{value:.1f}" for value in found.others["ring_over_sum"])
    default = _default(given)
    selected = found.numbers["lsnd_high_energy_neutron"]
    ours = "The default model has"
    before = f"Neutrons alone, before any efficiency; times {efficiency:.3g} it is {selected:.2f}."
    after = "Neutrons alone, after efficiency and exposure."
    details = {
        "lsnd_R10": f"{ours} {default['low']}.",
        "lsnd_high_energy": before,
        "lsnd_high_energy_selected": f"{after} {ours} {default['without']}, of 1993-1995, both analyses.",
        "lsnd_high_energy_neutron": f"{ours} {default['with']}.",
        "lsnd_ring_middle": f"In the five bins from 20 MeV: {bins}.",
        "karmen_signal": f"An upper bound: decay in flight at KARMEN is one. {ours} {default['karmen']}.",
    }
    return {name: found.computed(name, details.get(name, "")) for name in found.numbers}


def _quoted(pair: str):
    return load_high_energy(sample="quoted", pair=pair, **AS_PAPER)


def _pairs(model: TwoHiggsDoublet, point: Point, data):
    """Selected events with R_gamma > 10 in five bins of 8 MeV, 60 to 200 MeV without and with a neutron, KARMEN."""
    both, karmen = data
    low = {pair: _total(energy, model, point) for pair, (energy, _) in both.items()}
    high = {pair: _total(search, model, point) for pair, (_, search) in both.items()}
    search = both["sum"][1]
    # before any efficiency: what the nuisances of efficiencies do not touch
    made = _total(search, model, {**point, **NOMINAL, "lsnd_flux": point["lsnd_flux"]})[1]
    ratio = low["ring"] / low["sum"]
    numbers = {
        "lsnd_R10": jnp.sum(low["sum"]),
        "lsnd_high_energy": made / (search.selected[1] * search.photons[1]),
        "lsnd_high_energy_selected": high["sum"][0],
        "lsnd_high_energy_neutron": high["sum"][1],
        "lsnd_ring_middle": ratio[len(ratio) // 2],
        "lsnd_ring_high": high["ring"][1] / high["sum"][1],
        "karmen_signal": jnp.sum(_total(karmen, model, point)),
    }
    return numbers, {"ring_over_sum": ratio}


@partial(jax.jit, static_argnames="model")
def _total(measurement, model: TwoHiggsDoublet, point: Point):
    return sum(measurement.predict(model, point, point).signal.values())


def _default(given: Benchmark) -> dict[str, str]:
    """What the default model gives in the default measurements: events by target, in words."""
    point = {name: jnp.asarray(value) for name, value in given.default.points["table-I"].items()}
    measurements = {"low": load_l_over_e(), "high": load_high_energy(), "karmen": load_karmen()}
    found = jax.device_get(_signals(measurements, given.default, point))

    def words(signal) -> str:
        return f"{sum(signal.values()):.2g} ({', '.join(f'{name} {value:.2g}' for name, value in signal.items())})"

    low, high = ({name: np.asarray(x) for name, x in found[key].items()} for key in ("low", "high"))
    return {
        "low": words({name: x.sum() for name, x in low.items()}),
        "without": words({name: x[0] for name, x in high.items()}),
        "with": words({name: x[1] for name, x in high.items()}),
        "karmen": f"{sum(np.sum(x) for x in found['karmen'].values()):.2g}",
    }


@partial(jax.jit, static_argnames="model")
def _signals(measurements, model: TwoHiggsDoublet, point: Point):
    return {name: each.predict(model, point, {}).signal for name, each in measurements.items()}

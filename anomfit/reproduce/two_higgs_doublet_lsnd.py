"""The numbers of arXiv:2010.06159 on LSND and KARMEN: the experiments' own, known physics, and the benchmark."""

from functools import partial

import jax
import numpy as np

from anomfit.data import load_record
from anomfit.measurements.karmen import load_karmen
from anomfit.measurements.lsnd import load_l_over_e
from anomfit.measurements.lsnd_high_energy import LsndHighEnergy, load_high_energy
from anomfit.measurements.lsnd_shapes import load_energy
from anomfit.models.oscillation import oscillation
from anomfit.models.two_higgs_doublet import TwoHiggsDoublet
from anomfit.reproduce.statements import Computed
from anomfit.reproduce.two_higgs_doublet import Benchmark

AS_PAPER = {"targets": "neutron", "flavours": "numu-only"}  # what section IV says of LSND
FAST = {"sin2_2theta": 1.0, "delta_m2": 100.0}  # eV^2: full mixing, averaged


@partial(jax.jit, static_argnames=("model",))
def _signal(measurement, model, point):
    return measurement.predict(model, point, {}).signal


def stopped_pions(given: Benchmark) -> dict[str, Computed]:
    """LSND's and KARMEN's own numbers from the data, and what known physics makes of their beams and efficiencies."""
    lsnd, karmen = (load_record(f"{name}/experiment").values for name in ("lsnd", "karmen"))
    counts, high = load_l_over_e(), load_record("lsnd/high_energy").values
    background = float(np.sum(counts.beam_off + counts.neutrino_background))
    full = lsnd["electron_efficiency"] * float(np.sum(counts.appearance.events))
    mixed = float(np.sum(_signal(load_karmen(), oscillation, FAST)["appearance"]))
    excess = high["l98_events"] - high["l98_background"]
    return {
        "lsnd_significance": Computed(lsnd["excess"] / np.hypot(lsnd["excess_stat"], lsnd["excess_syst"])),
        "lsnd_excess_R10": Computed(float(np.sum(counts.counts)) - background),
        "lsnd_high_energy_excess": Computed(excess, f"{high['l98_events']:.0f} over {high['l98_background']:.1f}."),
        "lsnd_full_transmutation": Computed(full),
        "lsnd_excess": Computed(lsnd["probability"] * full),
        "karmen_full_mixing": Computed(mixed),
        "karmen_size": Computed(karmen["mass"] / lsnd["mass"]),
    }


def pairs(given: Benchmark) -> dict[str, Computed]:
    """The benchmark in LSND and KARMEN, with the paper's form factors, targets and flavours and with the default."""
    published = _low(given.published, given, "sum"), _high(given.published, given)
    default = load_l_over_e()
    low = {name: float(np.sum(x)) for name, x in _signal(default, given.default, given.point).items()}
    by_target = ", ".join(f"{name} {value:.1f}" for name, value in low.items())
    return {
        "lsnd_R10": Computed(float(np.sum(published[0]))),
        "lsnd_R10_default": Computed(sum(low.values()), f"By target: {by_target}."),
        **_above_60(given, published[1]),
        **_rings(given, published[0]),
        "karmen_signal": _karmen(given.published, given, "numu-only"),
        "karmen_signal_default": _karmen(given.default, given, "numu+numubar"),
    }


def _above_60(given: Benchmark, published: tuple[LsndHighEnergy, np.ndarray]) -> dict[str, Computed]:
    """60 to 200 MeV: neutrons alone before and after efficiency, and what the default predicts for the searches."""
    measurement, selected = published
    efficiency = float(measurement.selected[1] * measurement.photons[1])
    made = float(selected[1]) / efficiency
    default = load_high_energy()
    ours = {name: np.asarray(x) for name, x in _signal(default, given.default, given.point).items()}
    by_target = ", ".join(f"{name} {value[0]:.1f}" for name, value in ours.items())
    before = "Neutrons alone, before any efficiency"
    return {
        "lsnd_high_energy": Computed(made, f"{before}; times {efficiency:.3g} it is {selected[1]:.2f}."),
        "lsnd_high_energy_selected": Computed(float(selected[0]), "Neutrons alone, after efficiency and exposure."),
        "lsnd_high_energy_default": Computed(
            float(sum(x[0] for x in ours.values())), f"By target: {by_target}; 1993-1995, both analyses."
        ),
        "lsnd_high_energy_neutron": Computed(float(selected[1])),
        "lsnd_high_energy_neutron_default": Computed(float(sum(x[1] for x in ours.values()))),
    }


def _rings(given: Benchmark, summed: np.ndarray) -> dict[str, Computed]:
    """The more significant ring in place of all light: 36 to 44 MeV, and what has a neutron above 60 MeV."""
    ring = _low(given.published, given, "ring")
    bins = ", ".join(f"{value:.1f}" for value in ring / summed)
    _, high = _high(given.published, given)
    _, high_ring = _high(given.published, given, "ring")
    middle = len(ring) // 2
    return {
        "lsnd_ring_middle": Computed(float(ring[middle] / summed[middle]), f"In the five bins from 20 MeV: {bins}."),
        "lsnd_ring_high": Computed(float(high_ring[1] / high[1])),
    }


def _low(model: TwoHiggsDoublet, given: Benchmark, pair: str) -> np.ndarray:
    """Selected events with R_gamma > 10 in five bins of 8 MeV as the paper has them."""
    return np.asarray(sum(_signal(load_energy(pair=pair, **AS_PAPER), model, given.point).values()))


def _high(model: TwoHiggsDoublet, given: Benchmark, pair: str = "sum") -> tuple[LsndHighEnergy, np.ndarray]:
    """60 to 200 MeV as the paper has them: the measurement and its two numbers, without and with a neutron."""
    measurement = load_high_energy(sample="quoted", pair=pair, **AS_PAPER)
    return measurement, np.asarray(sum(_signal(measurement, model, given.point).values()))


def _karmen(model: TwoHiggsDoublet, given: Benchmark, flavours: str) -> Computed:
    found = _signal(load_karmen(flavours), model, given.point)
    return Computed(float(sum(np.sum(x) for x in found.values())), "An upper bound: decay in flight at KARMEN is one.")

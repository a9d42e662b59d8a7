"""The numbers of arXiv:2007.11813 on BaBar, quarkonia and dark Higgsstrahlung.

Where the paper puts in its printed masses, lifetimes and branching ratios, so do these rows, and say what the mass
matrix gives instead.
"""

import math
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import minimize_scalar

from anomfit.constraints.dark_photon_curves import dark_photon_curve
from anomfit.data import load_record
from anomfit.detectors.babar import chances, layers
from anomfit.detectors.pseudo_photons import View, pseudo_photons
from anomfit.measurements.babar_monophoton import BabarMonophoton, load_babar_monophoton, pairs_made
from anomfit.models.dark_photon import dark_photon
from anomfit.models.dark_seesaw import dark_seesaw
from anomfit.physics.constants import ALPHA
from anomfit.physics.dark_neutrinos import fates, pairs_of_states
from anomfit.physics.dark_pairs import higgsstrahlung_cross_section
from anomfit.physics.dark_seesaw import BENCHMARK_COUPLINGS
from anomfit.reproduce.dark_seesaw import Benchmarks
from anomfit.reproduce.statements import Computed

LABELS = ("A", "B", "C", "D")
PRINTED = {  # Table II: m_5 (GeV), c tau of N_5 (m), B(Z' -> N_4 N_4), B(Z' -> N_4 N_5); |V_45|^2 of Table V
    "A": (0.120, 0.030, 0.0, 0.054, 0.0487),
    "B": (0.146, 0.022, 0.0015, 0.11, 0.105),
    "C": (0.110, 0.022, 1.4e-6, 0.30, 0.284),
    "D": (0.346, 0.039, 2.1e-4, 0.13, 0.0967),
}
ISR_ENERGY, PAIR_ENERGY = 2.5, 5.0  # GeV, "typical" in section III and appendix B h
EVERYWHERE = (-1.0, 1.0)
PERCENT = 100.0
DIGITISED = "Digitised from figure 2 of arXiv:1702.03327: to one event in bins above 25."


def at_colliders(_: Benchmarks) -> dict[str, Computed]:
    """All of them; the points are those of the model, without the digits that their inputs leave open."""
    return {**_layers(), **_quarkonia(), **_higgsstrahlung(), **_spectrum(_points())}


def _points() -> dict[str, dict]:
    """The four points in masses and vertices of the mass matrix."""
    in_vertices = jax.jit(dark_seesaw.vertices)
    arrays = {
        name: {key: jnp.asarray(float(value)) for key, value in point.items()}
        for name, point in dark_seesaw.points.items()
    }
    return {label: in_vertices(arrays[f"BP-{label}"]) for label in LABELS}


# -- layers -----------------------------------------------------------------------------------------------------------


def _chances(m: float, c_tau: float, energy: float):
    return chances(c_tau * math.sqrt(energy**2 - m**2) / m, layers(1.0, "spheres"))


def _layers() -> dict[str, Computed]:
    found = {}
    invisible = []
    for label, (m, c_tau, to_44, to_45, _) in PRINTED.items():
        slow, fast = (_chances(m, c_tau, energy) for energy in (ISR_ENERGY, PAIR_ENERGY))
        found[f"babar_calorimeter_{label}"] = Computed(PERCENT * float(fast.calorimeter))
        if label in ("A", "B"):
            found[f"babar_before_{label}"] = Computed(PERCENT * float(slow.before))
            found[f"babar_inside_{label}"] = Computed(PERCENT * float(slow.calorimeter))
            behind = float(slow.coil + slow.muon_system)
            detail = f"Of it {PERCENT * float(slow.muon_system):.1f} % in the muon system, the rest in the coil."
            found[f"babar_muon_{label}"] = Computed(PERCENT * behind, detail)
            invisible.append(to_44 + to_45 * float(slow.escapes))
    curve = dark_photon_curve("BaBar_invisible")
    limit = float(np.exp(np.interp(math.log(1.25), np.log(curve["m"]), np.log(curve["low"])))) ** 2
    found["babar_inefficiency"] = Computed(PERCENT * limit / 4.6e-4)
    each = ", ".join(f"BP-{label}: {value:.2g}" for label, value in zip("AB", invisible, strict=True))
    found["babar_invisible"] = Computed(max(invisible), f"{each}.")
    return found


# -- quarkonia ------------------------------------------------------------------------------------------------------


def _coefficient(name: str) -> tuple[float, str]:
    """B(V -> N_j N_k)/(|V|^2 alpha_D) without masses; and by the printed decay constant, in words."""
    values = load_record("ee_colliders/quarkonia").parts[name].values
    mass, squared_epsilon, m = values["mass"], 4.6e-4, 1.25
    away = (mass**2 / (mass**2 - m**2)) ** 2
    by_electrons = values["to_electrons"] * squared_epsilon / ALPHA * away
    if "decay_constant" not in values:
        return by_electrons, ""
    f = values["decay_constant"]
    by_constant = 4.0 * math.pi / 3.0 * ALPHA * squared_epsilon * (values["charge"] * f) ** 2 * away / mass
    return by_electrons, f"The printed decay constant gives {by_constant / values['width']:.3g}."


def _quarkonia() -> dict[str, Computed]:
    found = {}
    for name in ("Jpsi", "Upsilon_1S", "Upsilon_2S", "Upsilon_3S", "Upsilon_4S"):
        found[f"quarkonium_{name}"] = Computed(*_coefficient(name))
    limit = load_record("ee_colliders/quarkonia").parts["Upsilon_1S"].values["photon_invisible"]
    escapes = []
    for label, (m, c_tau, _, _, squared_vertex) in PRINTED.items():
        alpha_D = BENCHMARK_COUPLINGS[f"BP-{label}"]["alpha_D"]
        allowed = limit / (found["quarkonium_Upsilon_1S"].value * squared_vertex * alpha_D)
        inside = float(_chances(m, c_tau, PAIR_ENERGY).calorimeter)
        paper = PERCENT * limit / (1.7e-3 * squared_vertex * alpha_D)
        found[f"upsilon_photon_{label}"] = Computed(PERCENT * allowed, f"With the printed 1.7e-3: {paper:.3g} %.")
        found[f"upsilon_misidentified_{label}"] = Computed(PERCENT * min(allowed / inside, 1.0))
        jpsi = load_record("ee_colliders/quarkonia").parts["Jpsi"].values
        length = c_tau * math.sqrt(0.25 * jpsi["mass"] ** 2 - m**2) / m
        escapes.append(squared_vertex * math.exp(-jpsi["outside"] / length))
    each = ", ".join(f"BP-{label}: {value:.2g}" for label, value in zip(LABELS, escapes, strict=True))
    return {**found, "quarkonium_escape": Computed(max(escapes), f"{each}.")}


# -- dark Higgsstrahlung --------------------------------------------------------------------------------------------


def _higgsstrahlung() -> dict[str, Computed]:
    """Massless phi' and N, as in the paper, at the Upsilon(4S)."""
    root_s, m = 10.58, 1.25
    s = root_s**2
    direct = 4.0 / 3.0 * math.pi * ALPHA * s / (s - m**2) ** 2
    coefficient = direct / float(higgsstrahlung_cross_section(m, 0.0, 1.0, 1.0, root_s))
    ratios = {label: coefficient * PRINTED[label][4] / PRINTED[label][3] for label in "AB"}
    return {
        "higgsstrahlung_coefficient": Computed(coefficient),
        **{f"higgsstrahlung_{label}": Computed(ratio) for label, ratio in ratios.items()},
    }


# -- the spectrum -----------------------------------------------------------------------------------------------------


def _fit(measurement: BabarMonophoton, signal: np.ndarray, error: float) -> tuple[float, float]:
    """(factor of the signal, standard deviations over none): Poisson in bins, the background's scale refitted."""
    counts, background = np.asarray(measurement.counts), np.asarray(measurement.background)

    def twice_nll(factor: float) -> float:
        def at(pull: float) -> float:
            expected = (1.0 + error * pull) * background + factor * signal
            return float(2.0 * np.sum(expected - counts * np.log(expected)) + pull**2)

        return _smallest(at, -5.0, 5.0)[1]

    best, value = _smallest(twice_nll, 0.0, 3.0 * counts.sum() / signal.sum())
    return best, math.sqrt(max(twice_nll(0.0) - value, 0.0))


def _smallest(function: Callable[[float], float], low: float, high: float) -> tuple[float, float]:
    """Place and value of a minimum between two ends."""
    found: Any = minimize_scalar(function, bounds=(low, high), method="bounded", options={"xatol": 1e-9 * (high - low)})
    return float(found.x), float(found.fun)


def _spectrum(points: dict[str, dict]) -> dict[str, Computed]:
    whole = load_babar_monophoton(window="24-64", geometry="spheres", efficiency="1")
    window = load_babar_monophoton(geometry="spheres", efficiency="1")
    everywhere = whole.view._replace(low=EVERYWHERE[0], high=EVERYWHERE[1])
    bins = window.counts.size
    first, second = pairs_of_states(3)
    place = int(np.flatnonzero((first == 1) & (second == 0))[0])
    pairs, signal, before = {}, {}, {}
    for label in "AB":
        made, own, inside = jax.device_get(_predicted(whole, points[label], everywhere))
        pairs[label], signal[label], before[label] = float(made[place]), np.asarray(own), float(inside)
    fits = {error: _fit(window, signal["B"][:bins], 0.01 * error) for error in (1, 5)}
    factor = fits[5][0]
    low = f"{factor * signal['B'][:bins].sum():.3g} of them lie below 50 GeV^2."
    other = _fit(window, signal["A"][:bins], 0.05)
    needed = {"A": other[0] * before["A"] / pairs["A"], "B": factor * before["B"] / pairs["B"]}
    swapped = {"A": pairs["A"] * 0.32 / 0.39, "B": pairs["B"] * 0.39 / 0.32}
    return {
        **{f"babar_pairs_{x}": Computed(pairs[x], f"With alpha_D of the other point: {swapped[x]:.3g}.") for x in "AB"},
        "babar_observed": Computed(float(np.sum(window.counts)), DIGITISED),
        "babar_background": Computed(float(np.sum(window.background))),
        **{f"babar_significance_{error}": Computed(fit[1]) for error, fit in fits.items()},
        "babar_events": Computed(factor * float(signal["B"].sum()), low),
        "babar_before_cuts": Computed(factor * before["B"]),
        **{f"babar_needed_{x}": Computed(PERCENT * needed[x]) for x in "AB"},
    }


@jax.jit
def _predicted_in(measurement: BabarMonophoton, point):
    states = dark_photon.dark_neutrinos(point)
    made = jnp.sum(jax.vmap(lambda beams: pairs_made(states, beams))(measurement.beams), axis=0)
    return made, measurement.predict(dark_photon, point, {}).total


def _predicted(measurement: BabarMonophoton, point, everywhere: View):
    """(pairs made, selected pseudo-photons by bin, decays in the calorimeter in any direction)."""
    return (*_predicted_in(measurement, point), _in_calorimeter(measurement, point, everywhere))


def _in_calorimeter(measurement: BabarMonophoton, point, everywhere: View):
    @jax.jit
    def of_point(measurement, point):
        states = dark_photon.dark_neutrinos(point)
        known = fates(states)

        def of_energy(beams):
            made = pairs_made(states, beams)
            return pseudo_photons(states, known, made, beams.root_s, beams.frame, everywhere).in_calorimeter

        return jnp.sum(jax.vmap(of_energy)(measurement.beams))

    return of_point(measurement, point)

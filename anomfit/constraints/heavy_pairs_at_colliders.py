"""Pairs of heavy neutrinos in decays of Upsilon(1S) and J/psi by a virtual Z', and Z' with the dark Higgs boson.

arXiv:2007.11813, appendix B: what of N_j N_k is not seen at all counts as an invisible decay, N_j -> N_k e+e- in
BaBar's calorimeter with nothing else in sight as a photon and missing energy.
"""

import math
from functools import lru_cache

import jax.numpy as jnp
import numpy as np

from anomfit.capabilities import HasCouplings, HasDarkNeutrinos
from anomfit.constraints.base import About, Constraint, Outcome, against_upper_limit
from anomfit.data import load_record
from anomfit.detectors.babar import Frame, detector_numbers, frame_of
from anomfit.detectors.pseudo_photons import AT_REST, View, pseudo_photons, unseen_pairs
from anomfit.parameters import Point
from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.dark_neutrinos import fates
from anomfit.physics.dark_pairs import higgsstrahlung_cross_section, quarkonium_ratios

FEMTOBARNS = GEV2_TO_CM2 * 1e39  # in 1/GeV^2
M_PHI = 1.0  # GeV, arXiv:2007.11813, appendix A
B_FACTORY = 10.58  # GeV


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return _upsilon_invisible(), _upsilon_photon(), _jpsi_invisible(), _higgsstrahlung()


def _beams() -> Frame:
    """Those of the Upsilon(2S) or (3S), whose decays with two pions tag the Upsilon(1S); it moves with them."""
    values = load_record("ee_colliders/babar_monophoton").values
    return frame_of(values["energy_3S"], values["positron_beam"])


def _about(part: str, **words) -> About:
    record = load_record("ee_colliders/quarkonia").parts[part]
    return About(
        unit="1", references=("arXiv:2007.11813", *record.references[1:]), accepts=(HasDarkNeutrinos,), **words
    )


def _numbers(part: str, limit: str, **more) -> dict[str, np.ndarray]:
    values = load_record("ee_colliders/quarkonia").parts[part].values
    own = {"mass": values["mass"], "to_electrons": values["to_electrons"], "limit": values[limit]}
    return {key: np.asarray(value) for key, value in {**own, **more}.items()}


def _upsilon_invisible() -> Constraint:
    outside, frame = detector_numbers()["outside"], _beams()
    about = _about(
        "Upsilon_1S",
        name="upsilon-invisible",
        title="BaBar: Upsilon(1S) -> nothing that is seen",
        quantity="B(Upsilon(1S) -> N_j N_k, neither seen)",
        kind="upper limit",
        era="2007-2008",
        source="BaBar, arXiv:0908.2840, as quoted in arXiv:2007.11813",
        assumption=f"B(e+e-) and a radius of {outside:g} m from memory; what decays within is seen, wherever it flies",
        ceiling=1.0,
    )
    numbers = _numbers("Upsilon_1S", "invisible", outside=outside, gamma=frame.gamma, beta=frame.beta)
    return Constraint(numbers, about, _not_seen)


def _jpsi_invisible() -> Constraint:
    outside = load_record("ee_colliders/quarkonia").parts["Jpsi"].values["outside"]
    about = _about(
        "Jpsi",
        name="jpsi-invisible",
        title="BES: J/psi -> nothing that is seen",
        quantity="B(J/psi -> N_j N_k, neither seen)",
        kind="upper limit",
        era="1999-2007",
        source="BES, arXiv:0710.0039, as quoted in arXiv:2007.11813",
        assumption=f"what decays within {outside:g} m (our round number) is seen",
        ceiling=1.0,
    )
    numbers = _numbers("Jpsi", "invisible", outside=outside, gamma=AT_REST.gamma, beta=AT_REST.beta)
    return Constraint(numbers, about, _not_seen)


def _not_seen(model: HasDarkNeutrinos, point: Point, nuisances: Point, data) -> Outcome:
    states = model.dark_neutrinos(point)
    made = data["to_electrons"] * quarkonium_ratios(states, data["mass"])
    frame = Frame(data["gamma"], data["beta"])
    hidden = unseen_pairs(states, fates(states), data["mass"], frame, data["outside"])
    return against_upper_limit(jnp.sum(made * hidden), data["limit"])


def _upsilon_photon() -> Constraint:
    frame = _beams()
    about = _about(
        "Upsilon_1S",
        name="upsilon-photon-invisible",
        title="BaBar: Upsilon(1S) -> gamma and nothing else that is seen, by pseudo-photons",
        quantity="B(Upsilon(1S) -> N_j N_k with one pseudo-photon)",
        kind="argument",
        era="2007-2008",
        source="BaBar, arXiv:1007.4646, as quoted in arXiv:2007.11813",
        assumption=(
            "every e+e- within 10 degrees in the calorimeter passes for a photon and is selected as one: an upper "
            "bound, since nobody has published how many do; layers from memory"
        ),
        ceiling=1.0,
    )
    numbers = _numbers("Upsilon_1S", "photon_invisible", gamma=frame.gamma, beta=frame.beta)
    return Constraint(numbers, about, _seen_as_photon)


def upsilon_view(geometry: str = "crystals") -> View:
    """The calorimeter's range of angles seen from the centre of mass, pairs as narrow as for the single photons."""
    layers, frame = detector_numbers(), _beams()
    low, high = (
        _in_centre_of_mass(math.cos(math.radians(layers[f"{end}_angle"])), frame) for end in ("highest", "lowest")
    )
    widest = load_record("ee_colliders/babar_monophoton").values["widest_pair"]
    return View(geometry, low, high, math.sin(math.radians(0.5 * widest)))


def _in_centre_of_mass(cosine: float, frame: Frame) -> float:
    beta = float(frame.beta)  # type: ignore[arg-type]
    return (cosine - beta) / (1.0 - beta * cosine)


def _seen_as_photon(model: HasDarkNeutrinos, point: Point, nuisances: Point, data) -> Outcome:
    states = model.dark_neutrinos(point)
    made = data["to_electrons"] * quarkonium_ratios(states, data["mass"])
    frame = Frame(data["gamma"], data["beta"])
    found = pseudo_photons(states, fates(states), made, data["mass"], frame, upsilon_view())
    return against_upper_limit(jnp.sum(found.events), data["limit"])


# -- dark Higgsstrahlung ----------------------------------------------------------------------------------------------


def _higgsstrahlung() -> Constraint:
    about = About(
        name="dark-higgsstrahlung",
        title="e+e- -> phi' Z' with semi-visible decays",
        quantity=f"cross section of e+e- -> phi' Z' at {B_FACTORY:g} GeV",
        unit="fb",
        kind="no public data",
        era="no search",
        source="arXiv:2007.11813, appendix B g",
        assumption=f"phi' of {M_PHI:g} GeV gives Z' its mass; the largest coupling is that of Z' to the dark sector",
        references=("arXiv:2007.11813",),
        accepts=((HasDarkNeutrinos, HasCouplings),),
    )
    return Constraint({"root_s": np.asarray(B_FACTORY), "m_phi": np.asarray(M_PHI)}, about, _scalar_and_vector)


def _scalar_and_vector(model, point: Point, nuisances: Point, data) -> Outcome:
    states, g_X = model.dark_neutrinos(point), model.largest_coupling(point)
    alpha_D = g_X**2 / (4.0 * jnp.pi)
    found = FEMTOBARNS * higgsstrahlung_cross_section(
        states.m_Zprime, data["m_phi"], alpha_D, states.epsilon, data["root_s"]
    )
    return Outcome(found, jnp.full_like(found, jnp.inf), jnp.zeros_like(found))

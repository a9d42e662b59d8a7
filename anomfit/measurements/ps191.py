"""PS-191's electron-like events close to a vertex, as a share of its muon-like ones; by the distance of the shower.

The flux is public as a shape alone, and so is the ratio of electron-like to muon-like events. N is made in iron and
flies before it decays to a pair, which is the shower: the first one counts, a second one further down does not matter.
Efficiencies of pairs and muons are taken as the same, and every pair as one shower: an upper bound of the signal.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.beams.ps191 import ps191_beam
from anomfit.capabilities import Upscatters, over_reactions
from anomfit.data import load_record
from anomfit.detectors.two_vertices import SHORTEST, Seen, passing
from anomfit.errors import reject
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.entries import Entry
from anomfit.parameters import Nuisance, Point
from anomfit.physics.charged_current import KINDS
from anomfit.physics.reaction import OneReaction
from anomfit.rates.double_vertices import DoubleNodes, DoubleVertices, double_vertices, over_channels
from anomfit.rates.interactions import STATES, interactions_by_state

NAME, RECORD = "ps191", "accelerators/ps191_electron_like"
REFERENCES = ("bernardi-1986-electrons", "arXiv:2007.11813", "arXiv:1011.2131", "arXiv:0910.2201")
NODES = DoubleNodes(first=24, second=2)  # many directions: a threshold on the pair's energy; second pairs do not matter
TITLES = {
    "electron-like": "PS-191: electron-like events within 16 mm of a vertex, per cent of muon-like ones",
    "distance": "PS-191: pairs by the distance of vertex and shower, per cent of muon-like events; no data",
}
EDGES = (0.0, 4.0, 8.8, 16.0, 24.0, 32.0, 48.0, 64.0, 96.0, 128.0, 192.0, 256.0, 512.0)  # mm
VERTICES = {
    "all": "of every interaction, as if a nucleus that stays whole left a visible vertex too",
    "struck": "of struck nucleons alone: a nucleus that stays whole leaves nothing at the vertex",
}
THRESHOLDS = ("400MeV", "none")
MM = 1e-3  # m


@dataclass(frozen=True)
class Ps191(HasDescription):
    """Events in per cent of charged-current ones, by distance; the beam and the data are leaves."""

    observed: Float[Array, ""]
    expected: Float[Array, ""]
    error: Float[Array, ""]
    beam: Beam
    edges: tuple[float, ...]  # m
    seen: Seen
    kept: tuple[str, ...]  # of STATES
    without_data: bool
    described: Described
    nuisances: tuple[Nuisance, ...]

    name = NAME
    accepts = (Upscatters,)
    references = REFERENCES

    @property
    def samples(self) -> frozenset[str]:
        """The events, where they are compared with."""
        return frozenset() if self.without_data else frozenset({"PS-191 electron-like events"})

    @property
    def independent_numbers(self) -> int:
        """The one ratio, or none."""
        return 0 if self.without_data else 1

    def bins(self) -> list[Bin]:
        """The ratio, observed and expected without a signal; nothing by distance."""
        if self.without_data:
            return [Bin(*label, float("nan"), 0.0, float("nan")) for label in self.described.labels]
        numbers = float(self.observed), float(self.expected), float(self.error)
        return [Bin(*label, *numbers) for label in self.described.labels]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Pairs within each distance; before: at any distance."""
        assert isinstance(model, Upscatters)  # build_problem and predict check it for the user
        scale = self.nuisances[0].value_in(nuisances)
        found = over_reactions(model, point, nuisances, partial(_of_reaction, measurement=self))
        chosen = [STATES.index(name) for name in self.kept]
        near, anywhere = ({STATES[i]: part[i] for i in chosen} for part in found)
        return Prediction({name: scale * counts for name, counts in near.items()}, anywhere)

    def interactions(self, model: object, point: Point, nuisances: Point) -> Mapping[str, Float[Array, ""]]:
        """Heavy neutrinos made, per cent of charged-current interactions."""
        assert isinstance(model, Upscatters)
        made = interactions_by_state(model, point, nuisances, self.beam)
        return {state: numbers[0] for state, numbers in made.items()}

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Gaussian; 0 by distance."""
        return -0.5 * self.chi_squared(prediction, nuisances)

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The square of the pull; 0 by distance."""
        return jnp.sum(self.pulls(prediction, nuisances) ** 2)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """(data - background - signal) over both errors; 0 by distance."""
        if self.without_data:
            return jnp.zeros_like(prediction.total)
        return (self.observed - self.expected - prediction.total) / self.error

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "Ps191":
        """Another ratio, Gaussian."""
        if self.without_data:
            return self
        thrown = self.expected + prediction.total[0] + self.error * jax.random.normal(key)
        return replace(self, observed=thrown)


jax.tree_util.register_dataclass(
    Ps191,
    data_fields=["observed", "expected", "error", "beam"],
    meta_fields=["edges", "seen", "kept", "without_data", "described", "nuisances"],
)


def _of_reaction(reaction: OneReaction, measurement: Ps191):
    return over_channels(reaction, partial(_counted, measurement=measurement))


def _counted(reaction: OneReaction, measurement: Ps191):
    events = double_vertices(reaction, measurement.beam, NODES)
    return by_first_distance(events, measurement.edges, measurement.seen)


def by_first_distance(events: DoubleVertices, edges: tuple[float, ...], seen: Seen):
    """First pairs that pass, (component, bins) by their distance (m) from the birth of N, and (component,) in all."""
    weight = jnp.broadcast_to(passing(events.first.energy, seen.first, seen), events.first.energy.shape)
    flight = jnp.maximum(events.first_flight, SHORTEST)
    beyond = jnp.stack([jnp.broadcast_to(jnp.exp(-edge / flight), weight.shape) for edge in edges])
    near = jnp.einsum("pfcb,pf,npf->cn", events.rate, weight, beyond[:-1] - beyond[1:])
    return near, jnp.einsum("pfcb,pf->c", events.rate, weight)


def load_ps191(
    era: str, charged_currents: str = "inclusive", vertices: str = "all", threshold: str = "400MeV"
) -> Ps191:
    """Era "electron-like" with the published ratio, or "distance"; unknown choices are refused.

    charged_currents: "inclusive" or "quasi-elastic", what muon-like events are; vertices: "all" or "struck"; threshold:
    "400MeV" or "none", of the shower's energy.
    """
    choices = (
        ("charged_currents", charged_currents, KINDS),
        ("vertices", vertices, VERTICES),
        ("threshold", threshold, THRESHOLDS),
    )
    for option, word, known in choices:
        if word not in known:
            raise reject(option, word, f"use one of {', '.join(known)}")
    values = load_record(RECORD).values
    without_data = era == "distance"
    edges = tuple(MM * edge for edge in EDGES) if without_data else (0.0, values["distance"])
    cells = pairwise(EDGES if without_data else (0.0, values["distance"] / MM))
    stated = {
        "beam": "shape of the flux alone, on iron; scaled to a hundred muon-like events",
        "muon-like events": f"{charged_currents}: {KINDS[charged_currents]}",
        "pairs": "each is a single shower: assumed, an upper bound; the first one counts, a second does not matter",
        "vertices": f"{vertices}: {VERTICES[vertices]}",
        "threshold": f"{threshold}: of the shower's energy, known to {values['resolution']:.0%}, which is assumed",
        "efficiency": "the same for pairs and muons, with an error of 50 % for all that scales the ratio: assumed",
        "distance": "flight of N before it decays; none of its own for a real boson",
    }
    return Ps191(
        observed=jnp.asarray(values["observed"]),
        expected=jnp.asarray(values["expected"]),
        error=jnp.asarray(np.hypot(values["observed_error"], values["expected_error"])),
        beam=ps191_beam(charged_currents),
        edges=edges,
        seen=Seen(first=values["least_energy"] if threshold == "400MeV" else 0.0, resolution=values["resolution"]),
        kept=STATES if vertices == "all" else STATES[1:],
        without_data=without_data,
        described=Described(
            era,
            TITLES[era],
            tuple(stated.items()),
            tuple(("shower's distance, per cent", float(low), float(high), "mm") for low, high in cells),
        ),
        nuisances=(
            Nuisance(
                "ps191_scale",
                r"\mathcal{S}_{\mathrm{PS}}",
                1.0,
                values["scale_error"],
                "scale of PS-191's signal: flux, cross sections and efficiencies, assumed",
                (0.0, 10.0),
            ),
        ),
    )


_STATUS = {"electron-like": "third-party", "distance": "prediction alone"}
ENTRIES: Mapping[str, Entry] = {
    era: Entry(partial(load_ps191, era), title, _STATUS[era], REFERENCES) for era, title in TITLES.items()
}

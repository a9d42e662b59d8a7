"""CCFR's search for two neutral vertices (NC/NC): 9 events far apart, 3.0 expected from overlays of two neutrinos.

N is made in the iron of the target calorimeter and decays to a pair, the first shower; its daughter flies on and makes
the second. Only separations above 14 interaction lengths have a published count. Much is assumed: the beam
(`beams.ccfr`), the exposure, an efficiency of 1, how long a separation is in metres. Nuclei and nucleons that stay
whole alone scatter: inelastic scattering, which CCFR's energies allow, would add to the signal.
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
from anomfit.beams.ccfr import ccfr_beam
from anomfit.capabilities import Upscatters, over_reactions
from anomfit.data import load_record
from anomfit.detectors.two_vertices import Seen, Slab, by_distance
from anomfit.errors import reject
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.entries import Entry
from anomfit.parameters import Nuisance, Point
from anomfit.physics.reaction import OneReaction
from anomfit.rates.double_vertices import DoubleNodes, double_vertices, over_channels
from anomfit.rates.interactions import interactions_by_state
from anomfit.statistics.terms import barlow_beeston_deviance, poisson_barlow_beeston
from anomfit.statistics.throws import poisson_counts_over

NAME = "ccfr-double-vertices"
REFERENCES = ("ccfr-double-vertices-1992", "ccfr-double-vertices-thesis", "arXiv:2007.11813", "arXiv:2207.04137")
COMPONENTS = ("coherent", "incoherent")
NODES = DoubleNodes(made=192, angle=28, parent=48, first=8, second=6, hard=120.0)  # tests compare with another rule
SEPARATIONS = {
    "calorimeter": "counted in iron that is passed: metres of the calorimeter are longer than those of iron",
    "iron": "in metres as if the calorimeter were solid iron",
}
TITLES = {
    "nc-nc": "CCFR events with two neutral vertices more than 14 interaction lengths apart",
    "distance": "CCFR events with two neutral vertices, by their separation; no data",
}
EDGES = (0.0, 2.0, 4.0, 7.0, 10.0, 14.0, 20.0, 30.0, 51.0)  # interaction lengths


@dataclass(frozen=True)
class CcfrDoubleVertices(HasDescription):
    """Counts by separation, without which it is a prediction alone; beam, counts and background are data."""

    counts: Float[Array, "bins"]
    background: Float[Array, "bins"]
    background_error: Float[Array, "bins"]
    beam: Beam
    place: Slab
    seen: Seen
    edges: tuple[float, ...]  # m
    without_data: bool
    described: Described
    nuisances: tuple[Nuisance, ...]

    name = NAME
    accepts = (Upscatters,)
    references = REFERENCES

    @property
    def samples(self) -> frozenset[str]:
        """The events, where they are compared with."""
        return frozenset() if self.without_data else frozenset({"CCFR NC/NC events"})

    @property
    def independent_numbers(self) -> int:
        """The one count, or none."""
        return 0 if self.without_data else self.counts.size

    def bins(self) -> list[Bin]:
        """Counts and background, with the errors of Poisson and of the background."""
        error = np.sqrt(np.asarray(self.background) + np.asarray(self.background_error) ** 2)
        rows = zip(self.described.labels, np.asarray(self.counts), np.asarray(self.background), error, strict=True)
        return [Bin(*label, float(n), float(b), float(e)) for label, n, b, e in rows]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Events in each bin of separation; before the cuts on energies and separation, both vertices inside."""
        assert isinstance(model, Upscatters)  # build_problem and predict check it for the user
        scale = self.nuisances[0].value_in(nuisances)
        counts, inside = over_reactions(model, point, nuisances, partial(_of_reaction, measurement=self))
        signal = {name: scale * counts[i, 0] for i, name in enumerate(COMPONENTS)}
        return Prediction(signal, {name: inside[i, 0, 0] for i, name in enumerate(COMPONENTS)})

    def interactions(self, model: object, point: Point, nuisances: Point) -> Mapping[str, Float[Array, ""]]:
        """Heavy neutrinos made in the calorimeter."""
        assert isinstance(model, Upscatters)
        made = interactions_by_state(model, point, nuisances, self.beam)
        return {state: numbers[0] for state, numbers in made.items()}

    def log_likelihood(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """Poisson, the background's error profiled; 0 without data."""
        if self.without_data:
            return jnp.zeros(())
        each = poisson_barlow_beeston(self.counts, prediction.total, self.background, self.background_error)
        return jnp.sum(each)

    def chi_squared(self, prediction: Prediction, nuisances: Point) -> Float[Array, ""]:
        """The deviance from a perfect fit, the background's error profiled; 0 without data."""
        if self.without_data:
            return jnp.zeros(())
        each = barlow_beeston_deviance(self.counts, prediction.total, self.background, self.background_error)
        return jnp.sum(each)

    def pulls(self, prediction: Prediction, nuisances: Point) -> Float[Array, "bins"]:
        """(data - expectation) over its Poisson error and the background's; 0 without data."""
        if self.without_data:
            return jnp.zeros_like(prediction.total)
        expectation = self.background + prediction.total
        return (self.counts - expectation) / jnp.sqrt(expectation + self.background_error**2)

    def simulate(self, prediction: Prediction, nuisances: Point, key: Array) -> "CcfrDoubleVertices":
        """Other counts, Poisson, with the background's own error."""
        counts = poisson_counts_over(key, prediction.total, self.background, self.background_error)
        return self if self.without_data else replace(self, counts=counts)


jax.tree_util.register_dataclass(
    CcfrDoubleVertices,
    data_fields=["counts", "background", "background_error", "beam"],
    meta_fields=["place", "seen", "edges", "without_data", "described", "nuisances"],
)


def _of_reaction(reaction: OneReaction, measurement: CcfrDoubleVertices):
    return over_channels(reaction, partial(_counted, measurement=measurement))


def _counted(reaction: OneReaction, measurement: CcfrDoubleVertices):
    events, place = double_vertices(reaction, measurement.beam, NODES), measurement.place
    inside = by_distance(events, place, (0.0, place.longest), Seen(resolution=measurement.seen.resolution))
    return by_distance(events, place, measurement.edges, measurement.seen), inside


def load_ccfr(era: str, separation: str = "calorimeter", second: str = "10GeV") -> CcfrDoubleVertices:
    """Era "nc-nc" with the published count, or "distance"; unknown choices are refused.

    separation: "calorimeter" or "iron", what an interaction length of separation is in metres; second: the smallest
    energy of the second shower, "10GeV" or "none".
    """
    if separation not in SEPARATIONS:
        raise reject("separation", separation, f"use one of {', '.join(SEPARATIONS)}")
    if second not in ("10GeV", "none"):
        raise reject("second", second, "use one of 10GeV, none")
    values = load_record("accelerators/ccfr_double_vertices").values
    length = values["interaction_length"] / (values["iron"] / values["length"] if separation == "calorimeter" else 1.0)
    without_data = era == "distance"
    lengths = EDGES if without_data else (values["separation"], values["length"] / length)
    edges = tuple(length * number for number in lengths)
    cells = pairwise(lengths)
    bins = len(lengths) - 1
    known = (np.nan, 0.0) if without_data else (values["observed"], values["background"])
    error = 0.0 if without_data else np.hypot(values["background_statistical"], values["background_systematic"])
    stated = {
        "beam": "shape of NuTeV's flux, as many neutrinos as make 1.28e6 and 0.27e6 charged-current events: assumed",
        "efficiency": "1, with an error of 50 % on the number of events for it, flux and exposure: assumed",
        "separation": f"{separation}: {SEPARATIONS[separation]}",
        "second shower": f"{second}: least energy, assumed",
        "births": "elastic and coherent; inelastic scattering is left out, so that the signal is a lower bound",
    }
    return CcfrDoubleVertices(
        counts=jnp.full(bins, known[0]),
        background=jnp.full(bins, known[1]),
        background_error=jnp.full(bins, error),
        beam=ccfr_beam(),
        place=Slab(values["length"]),
        seen=Seen(values["least_first"], values["least_second"] if second == "10GeV" else 0.0, values["resolution"]),
        edges=edges,
        without_data=without_data,
        described=Described(
            era,
            TITLES[era],
            tuple(stated.items()),
            tuple(("separation", float(low), float(high), "interaction lengths") for low, high in cells),
        ),
        nuisances=(
            Nuisance(
                "ccfr_exposure",
                r"\mathcal{E}_{\mathrm{CCFR}}",
                1.0,
                values["exposure_error"],
                "scale of CCFR's signal: exposure, flux and efficiency, assumed",
                (0.0, 10.0),
            ),
        ),
    )


_STATUS = {"nc-nc": "third-party", "distance": "prediction alone"}
ENTRIES: Mapping[str, Entry] = {
    era: Entry(partial(load_ccfr, era), title, _STATUS[era], REFERENCES) for era, title in TITLES.items()
}

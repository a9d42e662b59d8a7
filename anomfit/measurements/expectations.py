"""What detectors without data here would hold: heavy neutrinos made, and pairs inside. A prediction, and no likelihood.

A detector is a part of data/accelerators/expectations.toml: flux, exposure, masses, size, each with its source. Heavy
neutrinos are made in the stated mass alone, none come from around it, and nothing is lost but pairs that decay outside.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.beams.of_record import beam_of
from anomfit.capabilities import Upscatters, over_reactions, productions
from anomfit.data import Record, data_folder, load_record, read_toml
from anomfit.detectors.two_vertices import Bookkeeping, Slab, Sphere, bookkeeping
from anomfit.errors import reject
from anomfit.measurements.base import Bin, Prediction
from anomfit.measurements.described import Described, HasDescription
from anomfit.measurements.entries import Entry
from anomfit.measurements.without_data import WithoutData
from anomfit.parameters import Point
from anomfit.physics.reaction import OneReaction, RadiatedReaction, summed
from anomfit.rates.double_vertices import DoubleNodes, double_vertices, over_channels
from anomfit.rates.interactions import MANY_ENERGIES, STATES
from anomfit.rates.interactions import interactions as interactions_in
from anomfit.rates.radiated_events import scalars_made

RECORD = "accelerators/expectations"
STATUS = "prediction alone"
BINS = ("events with one pair inside", "events with two pairs inside")
MASS = "mass_"  # what the name of a nucleus stands behind in the record
FLIGHTS = {
    "along": "along the beam, which they leave at the end of the stated length",
    "chord": "in any direction, in a sphere with the mean chord of the box with the stated sides",
}
FAR = 10.0  # GeV, up to where the nodes for the Booster's beam follow a flux


@dataclass(frozen=True)
class Expectation(WithoutData, HasDescription):
    """Numbers of events without data; the beam is data, all else static."""

    beam: Beam
    place: Slab | Sphere
    nodes: DoubleNodes
    name: str
    described: Described

    accepts = (Upscatters,)
    samples = frozenset()
    nuisances = ()

    @property
    def references(self) -> tuple[str, ...]:
        """Of the detector and its flux."""
        return self.described.references

    def bins(self) -> list[Bin]:
        """Two numbers beside which there are no data."""
        return [Bin(label, math.nan, math.nan, "events", math.nan, 0.0, math.nan) for label in BINS]

    def predict(self, model: object, point: Point, nuisances: Point) -> Prediction:
        """Events with exactly one pair that decays inside, and with two, by what is left of the target.

        Before: how many of those with one have only their first pair inside, or only their second; all first pairs that
        are made, wherever they decay.
        """
        assert isinstance(model, Upscatters)  # build_problem and predict check it for the user
        kept = over_reactions(model, point, nuisances, partial(_of_reaction, expectation=self))
        alone = kept.only_first + kept.only_second
        signal = {name: jnp.stack([alone[i, 0], kept.both[i, 0]]) for i, name in enumerate(STATES)}
        before = {
            "only_first_vertex": jnp.sum(kept.only_first),
            "only_second_vertex": jnp.sum(kept.only_second),
            **{f"first_pairs_made_{name}": kept.made[i, 0] for i, name in enumerate(STATES)},
        }
        return Prediction(signal, before)

    def interactions(self, model: object, point: Point, nuisances: Point) -> Mapping[str, Float[Array, ""]]:
        """Heavy neutrinos made in the stated mass, by what is left of the target: all, then one kind after the other.

        Kinds are numbered as the model lists them: N_4, N_5, N_6 of a dark seesaw are 1, 2, 3.
        """
        assert isinstance(model, Upscatters)
        exchanges = productions(model, point, nuisances)
        each = [interactions_in(exchange, self.beam, MANY_ENERGIES)[:, 0] for exchange in exchanges]
        radiated = [one for one in model.reactions(point, nuisances) if isinstance(one, RadiatedReaction)]
        everything = summed(each + [scalars_made(one, self.beam)[:, 0] for one in radiated])
        found = {name: everything[i] for i, name in enumerate(STATES)}
        if len(each) > 1:
            for kind, made in enumerate(each, start=1):
                found |= {f"heavy neutrino {kind}, {name}": made[i] for i, name in enumerate(STATES)}
        return found


jax.tree_util.register_dataclass(Expectation, data_fields=["beam"], meta_fields=["place", "nodes", "name", "described"])


def _of_reaction(reaction: OneReaction, expectation: Expectation) -> Bookkeeping:
    return over_channels(reaction, partial(_counted, expectation=expectation))


def _counted(reaction: OneReaction, expectation: Expectation) -> Bookkeeping:
    return bookkeeping(double_vertices(reaction, expectation.beam, expectation.nodes), expectation.place)


def load_expectation(part: str, flights: str = "along", pot: str = "stated") -> Expectation:
    """The prediction for a part of the record, "sbnd:neutrino".

    flights: "along" or "chord", how pairs leave the detector; pot: "stated" in the record, or another number of protons
    on target.
    """
    record, flux = _parts()[part], _flux_of(part)
    name, _, era = part.partition(":")
    exposure = _exposure(record, pot)
    tonnes = tuple((key.removeprefix(MASS), mass) for key, mass in record.values.items() if key.startswith(MASS))
    beam = beam_of(flux, tonnes, exposure * record.values.get("flux_factor", 1.0))
    return Expectation(
        beam=beam,
        place=_place(record, flights),
        nodes=nodes_up_to(float(beam.highest_energy)),
        name=name,
        described=Described(
            era,
            _title(record),
            tuple(_stated(record, flux, flights, pot).items()),
            tuple((label, 0.0, 0.0, "events") for label in BINS),
            record.references,
        ),
    )


def nodes_up_to(energy: float) -> DoubleNodes:
    """Enough for a flux that ends at this energy, GeV; tests compare with interactions, which have another rule."""
    if energy <= FAR:
        return DoubleNodes()
    return DoubleNodes(made=512, angle=28, parent=48, hard=0.15 * energy)  # off the axis a flux is a narrow peak


def _parts() -> Mapping[str, Record]:
    return load_record(RECORD).parts


def _flux_of(part: str) -> str:
    """The name of the flux's record, which is a word and so no value of the part."""
    return str(read_toml(data_folder(), f"{RECORD}.toml")["parts"][part]["flux"])


def _exposure(record: Record, pot: str) -> float:
    if pot == "stated":
        return record.values["pot"]
    try:
        exposure = float(pot)
    except ValueError:
        exposure = math.nan
    if not 0.0 < exposure < math.inf:
        raise reject("pot", pot, "give a number of protons on target above 0, such as 15.6e20, or 'stated'")
    return exposure


def _place(record: Record, flights: str) -> Slab | Sphere:
    if flights not in FLIGHTS:
        raise reject("flights", flights, f"use one of {', '.join(FLIGHTS)}")
    a, b, c = (record.values[side] for side in ("length", "width", "height"))
    if flights == "along":
        return Slab(a)
    radius = 0.75 * 4.0 * a * b * c / (2.0 * (a * b + b * c + c * a))  # of a sphere whose mean chord is 4 V/S
    return Sphere(radius, radius)


def _title(record: Record) -> str:
    mass = sum(value for key, value in record.values.items() if key.startswith(MASS))
    return f"{record.title} ({record.values['pot']:.3g} POT, {mass:.4g} t): N made, pairs inside; no data"


def _stated(record: Record, flux: str, flights: str, pot: str) -> dict[str, str]:
    """Every number with its status and source, and what is left out."""
    of_flux = load_record(flux)
    numbers = {
        key: f"{value:g}{'' if record.units[key] == '1' else ' ' + record.units[key]}, "
        f"{record.value_statuses[key]}: {record.value_sources[key]}"
        for key, value in record.values.items()
    }
    if pot != "stated":
        numbers["pot"] = f"{float(pot):g}, as asked for"
    return {
        "data": "none: a prediction that nothing is fitted to",
        "flux": f"{of_flux.title}, nu_mu and anti-nu_mu, {of_flux.status}: {of_flux.source}",
        **numbers,
        "flights": f"{flights}: {FLIGHTS[flights]}",
        "births": "in the stated mass alone, none around it",
        "efficiency": "none: nothing is lost but pairs that decay outside",
    }


def entries() -> dict[str, dict[str, Entry]]:
    """Eras of every detector of the record by name, the first one the default."""
    found: dict[str, dict[str, Entry]] = {}
    for part, record in _parts().items():
        name, _, era = part.partition(":")
        entry = Entry(partial(load_expectation, part), _title(record), STATUS, record.references)
        found.setdefault(name, {})[era] = entry
    return found

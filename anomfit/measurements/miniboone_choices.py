"""How much a pair signal in MiniBooNE depends on what no data settle: pair selection, resolution, the earth around."""

from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp

from anomfit.capabilities import MakesPairs, PairEvents
from anomfit.detectors import miniboone as detector
from anomfit.detectors.assumed_surroundings import assumed, births_factor, variations
from anomfit.detectors.pairs import SELECTIONS, Seen
from anomfit.detectors.resolution import RESOLUTIONS
from anomfit.detectors.shower_response import ShowerResponse, build_response, expected
from anomfit.measurements.flights import flight_sentences, outside_sentences
from anomfit.measurements.miniboone import (
    COMPONENTS,
    ENERGIES,
    OUTSIDE,
    WAVES,
    MiniBooneQuasiElastic,
    PairChain,
)
from anomfit.parameters import Point

TYPICAL = 0.4  # GeV, of a selected pair


@partial(jax.jit, static_argnames=("model",))
def _events(chain: PairChain, point: Point, nuisances: Point, model: MakesPairs) -> PairEvents:
    return model.pair_events(point, nuisances, chain.beam, chain.nodes)


@jax.jit
def _count(response: ShowerResponse, events: PairEvents, seen: Seen):
    return jnp.sum(expected(response, detector.selected(events), seen))


def signal_by_choice(
    measurement: MiniBooneQuasiElastic, model: MakesPairs, point: Point, nuisances: Point
) -> dict[str, float]:
    """Selected pairs of both modes for every selection and resolution, one changed at a time, at a physical point."""
    chain = measurement.chain
    events = _events(chain, point, nuisances, model=model)
    points = chain.response.table.shape[0]
    seen = {name: detector.see(events, selection, points, chain.around) for name, selection in SELECTIONS.items()}
    totals = {f"selection {name}": float(_count(chain.response, events, found)) for name, found in seen.items()}
    binning = detector.quasi_elastic_bins(measurement.data.edges)
    for name, resolution in RESOLUTIONS.items():
        response = build_response(binning, resolution, ENERGIES, WAVES)
        totals[f"resolution {name}"] = float(_count(response, events, seen[chain.selection.name]))
    return totals


def spread_sentences(
    measurement: MiniBooneQuasiElastic, model: MakesPairs, point: Point, nuisances: Point
) -> Iterator[str]:
    """For a report: the choice in force and the spread between the choices."""
    totals = signal_by_choice(measurement, model, point, nuisances)
    chosen = totals[f"selection {measurement.chain.selection.name}"]
    listed = ", ".join(f"{name} {total:.4g}" for name, total in totals.items())
    low, high = min(totals.values()), max(totals.values())
    relative = f"{low / chosen - 1.0:+.0%} to {high / chosen - 1.0:+.0%}" if chosen > 0.0 else "no signal to compare"
    yield (
        f"MiniBooNE's signal at the best fit, {chosen:.4g} events in both modes, rests on the pair selection "
        f"{measurement.chain.selection.name!r}. Other choices move it by {relative}: {listed}."
    )


@jax.jit
def _by_component(response: ShowerResponse, events: PairEvents, seen: Seen):
    return jnp.sum(expected(response, detector.selected(events), seen), axis=(1, 2))


def by_assumption(
    chain: PairChain, model: MakesPairs, point: Point, nuisances: Point
) -> tuple[dict[str, float], dict[str, float]]:
    """Selected pairs by component, and those born in the earth by change of its assumed geometry or substance."""
    events, points = _events(chain, point, nuisances, model=model), chain.response.table.shape[0]
    factor = float(births_factor(detector.NAME, nuisances))
    seen = detector.see(events, chain.selection, points, chain.around)
    *inside, outside = _by_component(chain.response, events, seen)
    counts = {name: float(count) for name, count in zip(COMPONENTS, inside, strict=True)}
    changed = {
        words: detector.see(events, chain.selection, points, around)
        for words, around in variations(chain.around).items()
    }
    assert seen.arrives is not None  # the chain has surroundings
    as_oil = jnp.zeros_like(seen.arrives).at[-1, : len(COMPONENTS)].set(seen.arrives[-1, -1])
    changed["composition of oil"] = seen._replace(arrives=as_oil)
    return counts | {OUTSIDE: factor * float(outside)}, {
        words: factor * float(_by_component(chain.response, events, found)[-1]) for words, found in changed.items()
    }


def surroundings_sentences(chain: PairChain, model: object, point: Point, nuisances: Point) -> Iterator[str]:
    """For a report: how much of the signal is born outside, and on what that rests; else whether pairs fly too far."""
    if not isinstance(model, MakesPairs):
        return
    if not chain.beam.surroundings:
        events = _events(chain, point, nuisances, model=model)
        length, mass = float(events.decay_length_per_momentum), float(events.mass)
        yield from flight_sentences("MiniBooNE", length, mass, TYPICAL, chain.around.seen)
        return
    counts, changed = by_assumption(chain, model, point, nuisances)
    yield from outside_sentences("MiniBooNE", counts, OUTSIDE, changed, assumed(detector.NAME)["width"])

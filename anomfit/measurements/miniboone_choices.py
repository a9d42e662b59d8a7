"""How much a pair signal in MiniBooNE depends on what no data settle: pair selection, resolution, the earth around."""

from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp

from anomfit.capabilities import Upscatters, pair_reactions
from anomfit.detectors import miniboone as detector
from anomfit.detectors.assumed_surroundings import assumed, births_factor, variations
from anomfit.detectors.pairs import SELECTIONS, Seen, Selection
from anomfit.detectors.resolution import RESOLUTIONS
from anomfit.detectors.shower_response import ShowerResponse, build_response, expected
from anomfit.detectors.surroundings import Surroundings
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
from anomfit.physics.reaction import parts
from anomfit.rates.pair_events import PairEvents, pair_events

TYPICAL = 0.4  # GeV, of a selected pair


@partial(jax.jit, static_argnames=("model",))
def _events(chain: PairChain, point: Point, nuisances: Point, model: Upscatters) -> tuple[PairEvents, ...]:
    """Those of each reaction."""
    found = (part for reaction in pair_reactions(model, point, nuisances) for part in parts(reaction))
    return tuple(pair_events(part, chain.beam, chain.nodes) for part in found)


def _seen(chain: PairChain, events: tuple[PairEvents, ...], selection: Selection, around: Surroundings):
    return tuple(detector.see(each, selection, chain.response.table.shape[0], around) for each in events)


@jax.jit
def _by_component(response: ShowerResponse, events: tuple[PairEvents, ...], seen: tuple[Seen, ...]):
    counts = [expected(response, detector.selected(one), found) for one, found in zip(events, seen, strict=True)]
    return jnp.sum(jnp.stack(counts), axis=(0, 2, 3))


def _count(response: ShowerResponse, events: tuple[PairEvents, ...], seen: tuple[Seen, ...]) -> float:
    return float(jnp.sum(_by_component(response, events, seen)))


def signal_by_choice(
    measurement: MiniBooneQuasiElastic, model: Upscatters, point: Point, nuisances: Point
) -> dict[str, float]:
    """Selected pairs of both modes for every selection and resolution, one changed at a time, at a physical point."""
    chain = measurement.chain
    events = _events(chain, point, nuisances, model=model)
    seen = {name: _seen(chain, events, selection, chain.around) for name, selection in SELECTIONS.items()}
    totals = {f"selection {name}": _count(chain.response, events, found) for name, found in seen.items()}
    binning = detector.quasi_elastic_bins(measurement.data.edges)
    for name, resolution in RESOLUTIONS.items():
        response = build_response(binning, resolution, ENERGIES, WAVES)
        totals[f"resolution {name}"] = _count(response, events, seen[chain.selection.name])
    return totals


def spread_sentences(
    measurement: MiniBooneQuasiElastic, model: Upscatters, point: Point, nuisances: Point
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


def by_assumption(
    chain: PairChain, model: Upscatters, point: Point, nuisances: Point
) -> tuple[dict[str, float], dict[str, float]]:
    """Selected pairs by component, and those born in the earth by change of its assumed geometry or substance."""
    events = _events(chain, point, nuisances, model=model)
    factor = float(births_factor(detector.NAME, nuisances))
    seen = _seen(chain, events, chain.selection, chain.around)
    *inside, outside = _by_component(chain.response, events, seen)
    counts = {name: float(count) for name, count in zip(COMPONENTS, inside, strict=True)}
    changed = {
        words: _seen(chain, events, chain.selection, around) for words, around in variations(chain.around).items()
    }
    changed["composition of oil"] = tuple(_as_oil(found) for found in seen)
    return counts | {OUTSIDE: factor * float(outside)}, {
        words: factor * float(_by_component(chain.response, events, found)[-1]) for words, found in changed.items()
    }


def _as_oil(seen: Seen) -> Seen:
    """What is born outside counted with the oil's rates."""
    assert seen.arrives is not None  # the chain has surroundings
    return seen._replace(arrives=jnp.zeros_like(seen.arrives).at[-1, : len(COMPONENTS)].set(seen.arrives[-1, -1]))


def surroundings_sentences(chain: PairChain, model: object, point: Point, nuisances: Point) -> Iterator[str]:
    """For a report: how much of the signal is born outside, and on what that rests; else whether pairs fly too far."""
    if not isinstance(model, Upscatters):
        return
    if not chain.beam.surroundings:
        for reaction in pair_reactions(model, point, nuisances):
            yield from flight_sentences("MiniBooNE", parts(reaction)[0], TYPICAL, chain.around.seen)
        return
    counts, changed = by_assumption(chain, model, point, nuisances)
    yield from outside_sentences("MiniBooNE", counts, OUTSIDE, changed, assumed(detector.NAME)["width"])

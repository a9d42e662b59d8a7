"""How much a pair signal in MiniBooNE depends on choices that no data settle: pair selection and energy resolution."""

from collections.abc import Iterator
from functools import partial

import jax
import jax.numpy as jnp

from anomfit.capabilities import MakesPairs, PairEvents
from anomfit.detectors import miniboone as detector
from anomfit.detectors.pairs import SELECTIONS, Seen
from anomfit.detectors.resolution import RESOLUTIONS
from anomfit.detectors.shower_response import ShowerResponse, build_response, expected
from anomfit.measurements.miniboone import ENERGIES, WAVES, MiniBooneQuasiElastic, PairChain
from anomfit.parameters import Point


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

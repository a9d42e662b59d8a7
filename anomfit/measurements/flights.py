"""Sentences for a report: how far pairs' parents fly, and what of a signal comes from outside of a detector."""

from collections.abc import Iterator, Mapping
from functools import partial

import jax
import jax.numpy as jnp

from anomfit.capabilities import Upscatters, pair_reactions
from anomfit.detectors.assumed_surroundings import assumed
from anomfit.measurements.base import HasRemarks, Measurement
from anomfit.measurements.recoil_pairs import RecoilPairChain
from anomfit.parameters import Point
from anomfit.physics.reaction import OneReaction, RadiatedReaction, parts

OUTSIDE = "outside"  # the component of pairs born outside of a detector


def flight_sentences(name: str, reaction: OneReaction, energy: float, size: float) -> Iterator[str]:
    """Nothing, or that a flight is longer than a detector's radius, where pairs born outside are left out.

    energy: GeV, a typical one of the pairs, and of N unless that is heavier; size: radius in m.
    """
    m_N, mass = float(reaction.production.m_N), float(reaction.pair.mass)
    flight = 0.0
    if reaction.pair.flight is not None:
        flight += float(reaction.pair.flight) * max(energy**2 - mass**2, 0.0) ** 0.5
    if not isinstance(reaction, RadiatedReaction) and not reaction.prompt:
        flight += float(reaction.flight) * max(energy**2 - m_N**2, 0.0) ** 0.5
    if flight > size:
        yield (
            f"{name}: at the best fit a pair of {1e3 * energy:.0f} MeV is seen {flight:.3g} m from where the neutrino "
            f"scatters, farther than the detector's radius of {size:.2g} m. Neutrinos that scatter outside of it are "
            "left out: its signal is a lower bound."
        )


def outside_sentences(
    name: str, counts: Mapping[str, float], outside: str, variations: Mapping[str, float], width: float
) -> Iterator[str]:
    """How much of a signal comes from outside, and how that number moves when an assumed number does.

    counts: events by component; `outside` is one of them; variations: that component by what is changed.
    """
    total, came = sum(counts.values()), counts[outside]
    if came < 1e-3 * total:
        yield f"{name}: fewer than one in a thousand of the selected pairs are born outside of the detector."
        return
    yield (
        f"{name}: of {total:.4g} events of the signal at the best fit, {came:.4g} ({came / total:.1%}) are of pairs "
        f"born outside of the detector. The geometry there is assumed, with a nuisance parameter of {width:.0%}."
    )
    if variations:
        listed = ", ".join(f"{words} {number / came - 1.0:+.0%}" for words, number in variations.items())
        yield f"That number of events moves with the assumptions: {listed}."


def predicted_sentences(
    name: str, measurement: Measurement, model: object, point: Point, nuisances: Point, detector: str
) -> Iterator[str]:
    """`outside_sentences` of a measurement with a component OUTSIDE; `detector`: its name in data/surroundings."""
    signal = _signal(measurement, point, nuisances, model=model)
    counts = {part: float(jnp.sum(number)) for part, number in signal.items()}
    if OUTSIDE in counts:
        yield from outside_sentences(name, counts, OUTSIDE, {}, assumed(detector)["width"])
    else:
        yield f"{name}: pairs born outside of the detector are left out."


@partial(jax.jit, static_argnames=("model",))
def _signal(measurement: Measurement, point: Point, nuisances: Point, model: object):
    return measurement.predict(model, point, nuisances).signal


def calorimeter_sentences(
    name: str, model: object, point: Point, nuisances: Point, chain: RecoilPairChain, energy: float
) -> Iterator[str]:
    """`flight_sentences` of a detector behind shielding, whose surroundings are left out; energy: GeV, of its pairs."""
    if isinstance(model, Upscatters):
        for reaction in pair_reactions(model, point, nuisances):
            yield from flight_sentences(name, parts(reaction)[0], energy, chain.spheres[0])


def remarks_of(measurement: Measurement, model: object, point: Point, nuisances: Point) -> tuple[str, ...]:
    """What a measurement has to say of a model at a point in a report; nothing where it has no `remarks`."""
    return tuple(measurement.remarks(model, point, nuisances)) if isinstance(measurement, HasRemarks) else ()

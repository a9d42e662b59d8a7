"""Energy and angle apart: the same counts as the table with both axes, polarised and aligned pairs too."""

import jax.numpy as jnp
import numpy as np
import pytest

from anomfit.detectors.direction_response import DirectionResponse, expected_by_direction
from anomfit.detectors.pairs import Seen
from anomfit.detectors.shower_energies import see_energies
from anomfit.detectors.shower_response import ShowerResponse, expected
from anomfit.rates.pair_events import PairEvents, PairSpin, ParentFlight

RNG = np.random.default_rng(5)
ENERGIES, WAVES, BINS = 12, 9, 3
FEW = 3
SHAPE = (6, 5, 3, 2)  # energies, directions, components, beams


def events(spin: bool, aligned: bool, flies: bool = False) -> PairEvents:
    cosines = RNG.uniform(-1.0, 1.0, (4, 7))
    steered = PairSpin(*RNG.normal(size=(2, *SHAPE)), cosines, np.sqrt(1.0 - cosines**2))
    return PairEvents(
        rate=RNG.random(SHAPE),
        cos_parent=RNG.uniform(-1.0, 1.0, SHAPE[:2]),
        onto=RNG.random((6, 4)),
        share=RNG.random((4, 7)),
        energy=RNG.uniform(0.1, 2.0, (4, 7)),
        cos_decay=RNG.uniform(-1.0, 1.0, (4, 7)),
        made=jnp.zeros((3, 2)),
        mass=jnp.asarray(0.02),
        decay_length_per_momentum=jnp.asarray(1.0),
        spin=PairSpin(*map(jnp.asarray, steered)) if spin else None,
        alignment=jnp.asarray(RNG.random((4, 7))) if aligned else None,
        parent_flight=ParentFlight(jnp.ones(4), jnp.ones(FEW), jnp.asarray(RNG.random((4, FEW)))) if flies else None,
    )


@pytest.mark.parametrize("spin", [False, True])
@pytest.mark.parametrize("aligned", [False, True])
@pytest.mark.parametrize("arrives", [None, (), (FEW,)], ids=["in-the-weights", "by-energy", "by-parent"])
def test_as_the_table_with_both_axes(spin, aligned, arrives):
    table, waves = jnp.asarray(RNG.random((ENERGIES, BINS))), jnp.asarray(RNG.normal(size=WAVES))
    seen = what_is_seen(aligned, arrives)
    made = events(spin, aligned, flies=bool(arrives))
    apart = expected_by_direction(DirectionResponse(table, waves), made, seen)
    together = expected(ShowerResponse(table[:, None, :] * waves[:, None]), made, seen)
    np.testing.assert_allclose(apart, together, rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("spin", [False, True])
@pytest.mark.parametrize("aligned", [False, True])
def test_arrivals_by_parent_are_those_of_each_parent(spin, aligned):
    """Where parents fly, the counts are the sum of those that each parent alone leaves with its own arrivals."""
    response = ShowerResponse(jnp.asarray(RNG.random((ENERGIES, WAVES, BINS))))
    seen, made = what_is_seen(aligned, (FEW,)), events(spin, aligned, flies=True)
    assert seen.arrives is not None
    assert made.parent_flight is not None
    each = jnp.einsum("pq,scqe->psce", made.parent_flight.onto, seen.arrives)
    still = made._replace(parent_flight=None)
    alone = [
        expected(
            response, still._replace(share=made.share * (np.arange(4) == parent)[:, None]), seen._replace(arrives=own)
        )
        for parent, own in enumerate(each)
    ]
    np.testing.assert_allclose(expected(response, made, seen), sum(alone), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("spin", [False, True])
@pytest.mark.parametrize("aligned", [False, True])
def test_pairs_without_a_flight_arrive_as_their_parents_do(spin, aligned):
    """The arrivals of each energy of production are factors of the rates there, in both responses."""
    table, waves = jnp.asarray(RNG.random((ENERGIES, BINS))), jnp.asarray(RNG.normal(size=WAVES))
    seen, made = what_is_seen(aligned, None), events(spin, aligned)
    arrives = RNG.random((4, 3, SHAPE[0]))

    def weighted(rates):
        return jnp.einsum("etcb,sce->etsb", rates, arrives)

    steered = None
    if made.spin is not None:
        steered = made.spin._replace(along=weighted(made.spin.along), across=weighted(made.spin.across))
    by_hand = made._replace(rate=weighted(made.rate), spin=steered)
    without = made._replace(decay_length_per_momentum=None)
    for count, response in (
        (expected_by_direction, DirectionResponse(table, waves)),
        (expected, ShowerResponse(table[:, None, :] * waves[:, None])),
    ):
        found = count(response, without, seen._replace(arrives=jnp.asarray(arrives)))
        np.testing.assert_allclose(found, count(response, by_hand, seen), rtol=1e-11, atol=1e-11)


def what_is_seen(aligned: bool, arrives: tuple[int, ...] | None) -> Seen:
    """Two ways for each energy; arrives: None, or the axes between components and energies."""
    return Seen(
        weight=jnp.asarray(RNG.random((ENERGIES, 2))),
        energy=jnp.asarray(see_energies(ENERGIES)[:, None] * np.array([1.0, 0.9])),
        tilt=jnp.zeros(ENERGIES),
        arrives=None if arrives is None else jnp.asarray(RNG.random((4, 3, *arrives, ENERGIES))),
        quadrupole=jnp.asarray(RNG.normal(size=(ENERGIES, 2))) if aligned else None,
    )

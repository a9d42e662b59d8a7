"""Pairs whose leptons line up with their flight: the response takes the quadrupole of what is seen, decay by decay."""

import jax.numpy as jnp
import numpy as np

from anomfit.detectors.pairs import Seen
from anomfit.detectors.resolution import Resolution
from anomfit.detectors.shower_energies import see_energies
from anomfit.detectors.shower_response import Binning, build_response, expected
from anomfit.rates.pair_events import PairEvents

ENERGIES, WAVES = 12, 8


def test_one_alignment_for_all_is_another_weight():
    rng = np.random.default_rng(4)
    response = build_response(
        Binning(2, (-1.0, 1.0), lambda cosine: (np.array([0.1, 0.5]), np.array([0.5, 2.0]))),
        Resolution("flat", "", lambda energy: 0.1 * energy, lambda energy: 0.05 + 0.0 * energy),
        ENERGIES,
        WAVES,
    )
    share, energy = (jnp.asarray(rng.uniform(low, high, (3, 4))) for low, high in ((0.0, 1.0), (0.2, 1.5)))
    events = PairEvents(
        rate=jnp.asarray(rng.uniform(size=(3, 2, 2, 1))),
        cos_parent=jnp.asarray(rng.uniform(-1.0, 1.0, (3, 2))),
        onto=jnp.eye(3),
        share=share,
        energy=energy,
        cos_decay=jnp.asarray(rng.uniform(-1.0, 1.0, (3, 4))),
        made=jnp.ones((2, 1)),
        mass=jnp.asarray(0.03),
        decay_length_per_momentum=jnp.zeros(()),
    )
    at = jnp.asarray(see_energies(ENERGIES))
    weight, quadrupole = (jnp.asarray(rng.uniform(0.0, 1.0, (ENERGIES, 2))) for _ in range(2))
    seen = Seen(weight, jnp.stack([at, 0.8 * at], axis=1), jnp.zeros(ENERGIES), quadrupole=quadrupole)
    aligned = expected(response, events._replace(alignment=jnp.full((3, 4), -0.7)), seen)
    by_hand = expected(response, events, seen._replace(weight=weight - 0.7 * quadrupole))
    np.testing.assert_allclose(aligned, by_hand, rtol=1e-12)

"""Forward shares of a polarised N's decays against thrown ones with explicit boosts, and the isotropic rule."""

import dirac
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from oracles.polarised_upscattering import decay_shares, forward_share
from oracles.reactions import events_of

from anomfit.beams.booster import miniboone_beam
from anomfit.detectors.miniboone import single_shower_efficiency
from anomfit.measurements.miniboone import NODES
from anomfit.models.dark_scalar import as_published
from anomfit.reproduce.dark_scalar_scattering import forward_share as isotropic_share

M_N, M_S = 0.416, 0.133


def thrown_share(e_N, cos_N, asymmetry, edge, rng, number=200_000):
    """Rest-frame directions thrown evenly, weighted by 1 + alpha (spin . n); spin from the boosted beam neutrino."""
    p = np.sqrt(e_N**2 - M_N**2)
    sine = np.sqrt(1.0 - cos_N**2)
    velocity = p / e_N * np.array([sine, 0.0, cos_N])
    beam = dirac.boost(np.array([1.0, 0.0, 0.0, 1.0]), -velocity)
    spin = -beam[1:] / np.linalg.norm(beam[1:])
    n = rng.normal(size=(number, 3))
    n /= np.linalg.norm(n, axis=1)[:, None]
    p_star = (M_N**2 - M_S**2) / (2.0 * M_N)
    e_star = np.hypot(p_star, M_S)
    gamma, along = e_N / M_N, n @ velocity * p_star
    momentum = p_star * n + velocity * (gamma * e_star + gamma**2 / (gamma + 1.0) * along)[:, None]
    weight = 1.0 + asymmetry * (n @ spin)
    cosine = momentum[:, 2] / np.linalg.norm(momentum, axis=1)
    return np.sum(weight * (cosine > edge)) / np.sum(weight)


@pytest.mark.parametrize("asymmetry", [-1.0, 0.4, 1.0])
@pytest.mark.parametrize(("e_N", "cos_N"), [(0.45, 0.9), (0.8, 0.99), (0.8, 0.5), (2.0, 0.97)])
def test_decays_of_one_parent(e_N, cos_N, asymmetry):
    above, every = decay_shares(e_N, cos_N, M_N, M_S, asymmetry, 0.8, jnp.ones_like)
    expected = thrown_share(e_N, cos_N, asymmetry, 0.8, np.random.default_rng(7))
    assert float(every) == pytest.approx(1.0, abs=1e-12)
    assert float(above) == pytest.approx(expected, abs=4e-3)


@pytest.mark.slow
def test_without_asymmetry_it_is_the_share_of_the_pairs_in_use_and_with_it_more_or_less():
    point = {key: jnp.asarray(value) for key, value in as_published.points["bp1"].items()}
    beam = miniboone_beam("numu-only", "neutrino")
    exchange = as_published.exchange(point, {})
    shares = [
        float(forward_share(beam, exchange, M_S, alpha, 0.8, single_shower_efficiency)) for alpha in (-1.0, 0.0, 1.0)
    ]
    events = jax.jit(lambda at: events_of(as_published, at, beam, NODES))(point)
    assert shares[1] == pytest.approx(float(isotropic_share(events)), abs=2e-3)
    assert len({round(share, 2) for share in shares}) == 3
    assert shares[1] == pytest.approx(0.5 * (shares[0] + shares[2]), abs=0.02)  # the efficiency alone tilts the mean

"""Jumps of chains to points drawn afresh in the sampler's coordinates, accepted by Metropolis and Hastings' rule.

NUTS explores what is near; a jump takes a chain to another arm of the posterior, however thin the bridge between them.
In coordinates in which the posterior is nearly a standard normal, many of them are accepted. They leave the posterior
invariant, as NUTS does, whatever the coordinates.
"""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from numpyro.infer.hmc import HMCState

from anomfit.inference.compiled import gradients
from anomfit.inference.coordinates import scaled_at_normal
from anomfit.inference.devices import place
from anomfit.inference.sample.nuts import energies
from anomfit.inference.sample.points import draw_weighted
from anomfit.inference.sample.straight import Straight
from anomfit.problem import Problem

TRIES = 16  # a chain


def jump(problem: Problem, coordinates: Straight, states: HMCState, key: Array) -> HMCState:
    """The chains' states after `TRIES` proposals each."""
    chains = states.z.shape[0]
    key_points, key_accept = jax.random.split(key)
    w, z, log_weight = draw_weighted(problem, coordinates, key_points, chains * TRIES)
    chances = np.log(np.asarray(jax.random.uniform(key_accept, (chains, TRIES))))
    here = np.asarray(0.5 * jnp.sum(states.z**2, axis=1) - states.potential_energy)
    chosen = _walk(here, log_weight.reshape(chains, TRIES), chances)
    moved = np.flatnonzero(chosen >= 0)
    if moved.size == 0:
        return states
    taken = (x.reshape(chains, TRIES, -1)[moved, chosen[moved]] for x in (w, z))
    return _moved(problem, coordinates, states, moved, *taken)


def _walk(here: Float[np.ndarray, "chains"], there: Float[np.ndarray, "chains tries"], chances) -> np.ndarray:
    """The last accepted try of every chain, -1 for none; `here` and `there` are log weights."""
    chosen = np.full(len(here), -1)
    for k in range(there.shape[1]):
        accepted = chances[:, k] < there[:, k] - here
        chosen, here = np.where(accepted, k, chosen), np.where(accepted, there[:, k], here)
    return chosen


def _moved(problem: Problem, coordinates: Straight, states: HMCState, moved: np.ndarray, w, z) -> HMCState:
    """States with these chains at w (z in normal coordinates), energy and gradient there."""
    chains = states.z.shape[0]
    everywhere = np.repeat(z[:1], chains, axis=0)  # one shape, one program
    everywhere[moved] = z
    twice_nll, slopes = np.zeros(chains), np.zeros_like(everywhere)
    twice_nll[moved], slopes[moved] = gradients(problem, np.asarray(scaled_at_normal(problem, everywhere))[moved])
    found = energies(problem, coordinates, everywhere, twice_nll, slopes)
    energy, gradient = (np.asarray(x)[moved] for x in found[1:])
    new = []
    for old, ours in zip((states.z, states.potential_energy, states.z_grad), (w, energy, gradient), strict=True):
        changed = np.array(old)
        changed[moved] = ours
        new.append(place(changed, chains))
    return states._replace(z=new[0], potential_energy=new[1], z_grad=new[2])

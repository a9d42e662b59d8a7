"""numpyro's NUTS as compiled functions that start chains and advance them by a block of draws.

Warmup and sampling run in the same compiled block, for every problem of one shape, so that an extended or resumed run
compiles nothing new; its state is a plain pytree of arrays.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float
from numpyro.infer.hmc import HMCState, hmc
from numpyro.infer.util import ParamInfo

from anomfit.errors import reject
from anomfit.inference.coordinates import from_values
from anomfit.inference.devices import devices_for, spread
from anomfit.problem import Problem

FIRST_STEP = 0.1  # in prior widths: what the warmup starts from


@dataclass(frozen=True)
class Tuning:
    """Warmup steps, aimed acceptance, largest trees (2^depth gradients a draw), draws a block.

    The trees of the warmup are kept shorter: before the mass matrix is known, long ones cost much and teach little.
    """

    warmup: int = 500
    target_accept: float = 0.9
    max_tree_depth: int = 10
    warmup_tree_depth: int = 6
    block: int = 20

    def __post_init__(self):
        for name in ("warmup", "max_tree_depth", "warmup_tree_depth", "block"):
            if getattr(self, name) < 1:
                raise reject(name, getattr(self, name), "give a whole number above 0")
        if not 0.0 < self.target_accept < 1.0:
            raise reject("target_accept", self.target_accept, "give a number between 0 and 1, such as 0.9")


class Block(NamedTuple):
    """Draws, leading axes (chain, draw): JAX arrays as computed, NumPy arrays once kept. `z` are normal coordinates."""

    z: Any
    log_posterior: Any
    energy: Any
    acceptance_rate: Any
    n_steps: Any
    diverging: Any


@partial(jax.jit, static_argnames=("tuning",))
def start_chains(
    z: Float[Array, "chain coordinates"],
    energy: Float[Array, " chain"],
    gradient: Float[Array, "chain coordinates"],
    keys: Array,
    tuning: Tuning,
) -> HMCState:
    """States of chains at normal coordinates `z` with known -log density and gradient; one key a chain."""

    def start(z, energy, gradient, key):
        return _kernel(tuning, ParamInfo(z, energy, gradient), key)[0]

    return jax.vmap(start)(z, energy, gradient, keys)


@jax.jit
def energies(problem: Problem, z, twice_nll, slopes):
    """-log density at normal coordinates `z` (chain, coordinates) and its gradient.

    From -2 ln L and its gradient in scaled coordinates, so that no other program has to be compiled.
    """

    def one(z, twice_nll, slope):
        pull_back = jax.vjp(lambda x: from_values(problem, problem.from_normal(x)[0]), z)[1]
        prior, prior_slope = jax.value_and_grad(lambda x: -_log_prior(problem, x))(z)
        return 0.5 * twice_nll + prior, pull_back(0.5 * slope)[0] + prior_slope

    return jax.vmap(one)(z, twice_nll, slopes)


@partial(jax.jit, static_argnames=("tuning",))
def advance_chains(problem: Problem, states: HMCState, tuning: Tuning):
    """Every chain a block of transitions further, and the draws (HMCState, Block).

    The mass matrix and step adapt while the warmup lasts.
    """

    def advance(shared, state):
        at = ParamInfo(state.z, state.potential_energy, state.z_grad)
        _, step = _kernel(tuning, at, state.rng_key)

        def one(state, _):
            new = step(state, model_args=(shared,))
            energy = new.potential_energy
            return new, Block(new.z, -energy, new.energy, new.accept_prob, new.num_steps, new.diverging)

        return jax.lax.scan(one, state, length=tuning.block)

    batch = jax.vmap(advance, in_axes=(None, 0))
    return spread(batch, devices_for(states.z.shape[0]))(problem, states)


def _log_prior(problem: Problem, z):
    """Log density less ln L, which holds the penalties of pulls."""
    return problem.from_normal(z)[1] - 0.5 * jnp.sum(z[: len(problem.free)] ** 2)


def _potential(problem: Problem):
    return lambda z: -problem.log_posterior(z)


def _kernel(tuning: Tuning, at: ParamInfo, key: Array):
    """A fresh state at a point whose potential is known, and the transition."""
    initialise, step = hmc(potential_fn_gen=_potential, algo="NUTS")
    no_fixed_length: Any = None
    depths: Any = (min(tuning.warmup_tree_depth, tuning.max_tree_depth), tuning.max_tree_depth)  # warmup, sampling
    state = initialise(
        at,
        tuning.warmup,
        dense_mass=True,
        target_accept_prob=tuning.target_accept,
        trajectory_length=no_fixed_length,
        max_tree_depth=depths,
        step_size=FIRST_STEP,
        model_args=(None,),
        rng_key=key,
    )
    return state, step

"""numpyro's NUTS as two compiled functions, one that starts chains and one that advances them by a block of draws.

Warmup and sampling run in the same compiled block, for every problem of one shape, so that an extended or resumed run
compiles nothing new; its state is a plain pytree of arrays.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
from jaxtyping import Array, Float
from numpyro.infer.hmc import HMCState, hmc
from numpyro.infer.util import ParamInfo

from anomfit.errors import reject
from anomfit.inference.devices import devices_for, spread
from anomfit.problem import Problem


@dataclass(frozen=True)
class Tuning:
    """Warmup steps, aimed acceptance, largest tree (2^depth gradients a draw) and draws a block."""

    warmup: int = 500
    target_accept: float = 0.9
    max_tree_depth: int = 10
    block: int = 20

    def __post_init__(self):
        for name in ("warmup", "max_tree_depth", "block"):
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
def start_chains(problem: Problem, z: Float[Array, "chain coordinates"], keys: Array, tuning: Tuning) -> HMCState:
    """States of chains that start at `z` (normal coordinates), one key a chain."""

    def start(shared, chain):
        z, key = chain
        energy, gradient = jax.value_and_grad(_potential(shared))(z)
        return _kernel(tuning, ParamInfo(z, energy, gradient), key)[0]

    batch = jax.vmap(start, in_axes=(None, 0))
    return spread(batch, devices_for(z.shape[0]))(problem, (z, keys))


@partial(jax.jit, static_argnames=("tuning",))
def advance_chains(problem: Problem, states: HMCState, tuning: Tuning) -> tuple[HMCState, Block]:
    """Every chain `tuning.block` transitions further; the mass matrix and step adapt while the warmup lasts."""

    def advance(shared, state):
        _, step = _kernel(tuning, ParamInfo(state.z, state.potential_energy, state.z_grad), state.rng_key)

        def one(state, _):
            new = step(state, model_args=(shared,))
            draw = Block(new.z, -new.potential_energy, new.energy, new.accept_prob, new.num_steps, new.diverging)
            return new, draw

        return jax.lax.scan(one, state, length=tuning.block)

    batch = jax.vmap(advance, in_axes=(None, 0))
    return spread(batch, devices_for(states.z.shape[0]))(problem, states)


def _potential(problem: Problem):
    return lambda z: -problem.log_posterior(z)


def _kernel(tuning: Tuning, at: ParamInfo, key: Array):
    """A fresh state at a point whose potential is known, and the transition."""
    initialise, step = hmc(potential_fn_gen=_potential, algo="NUTS")
    no_fixed_length: Any = None
    state = initialise(
        at,
        tuning.warmup,
        dense_mass=True,
        target_accept_prob=tuning.target_accept,
        trajectory_length=no_fixed_length,
        max_tree_depth=tuning.max_tree_depth,
        model_args=(None,),
        rng_key=key,
    )
    return state, step

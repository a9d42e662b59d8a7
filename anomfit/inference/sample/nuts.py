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
from anomfit.inference.sample.straight import Straight, from_normal, to_normal
from anomfit.problem import Problem

FIRST_STEP = 0.1  # in prior widths: what the warmup starts from


@dataclass(frozen=True)
class Tuning:
    """Warmup steps, aimed acceptance, largest trees (2^depth gradients a draw), draws a block and between jumps.

    The trees of the warmup are kept shorter: before the mass matrix is known, long ones cost much and teach little. So
    are all trees of chains that also jump (see `jumps`), in learned coordinates.
    """

    warmup: int = 500
    target_accept: float = 0.9
    max_tree_depth: int = 10
    warmup_tree_depth: int = 6
    jumping_tree_depth: int = 2
    block: int = 20
    between_jumps: int = 1

    def __post_init__(self):
        for name in ("warmup", "max_tree_depth", "warmup_tree_depth", "jumping_tree_depth", "block", "between_jumps"):
            if getattr(self, name) < 1:
                raise reject(name, getattr(self, name), "give a whole number above 0")
        if self.block % self.between_jumps:
            raise reject("between_jumps", self.between_jumps, f"give a divisor of the block, {self.block}")
        if not 0.0 < self.target_accept < 1.0:
            raise reject("target_accept", self.target_accept, "give a number between 0 and 1, such as 0.9")

    def stretch(self, coordinates: Straight | None) -> int:
        """Draws that one call computes: up to the next jump where there are jumps, else a block."""
        return self.block if coordinates is None else self.between_jumps


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
    w: Float[Array, "chain coordinates"],
    energy: Float[Array, " chain"],
    gradient: Float[Array, "chain coordinates"],
    keys: Array,
    tuning: Tuning,
    covariance: Float[Array, "coordinates coordinates"] | None = None,
) -> HMCState:
    """States of chains at the sampler's coordinates `w` with known -log density and gradient; one key a chain.

    covariance: of the posterior in these coordinates, as far as known: the first inverse mass matrix.
    """

    def start(w, energy, gradient, key):
        return _kernel(tuning, ParamInfo(w, energy, gradient), key, covariance)[0]

    return jax.vmap(start)(w, energy, gradient, keys)


@jax.jit
def energies(problem: Problem, coordinates: Straight | None, z, twice_nll, slopes):
    """The sampler's coordinates at normal ones `z` (chain, coordinates), -log density there and its gradient.

    From -2 ln L and its gradient in scaled coordinates, so that no other program has to be compiled.
    """

    def one(z, twice_nll, slope):
        w = from_normal(coordinates, z)
        pull_back = jax.vjp(lambda x: _scaled_point(problem, to_normal(coordinates, x)[0]), w)[1]
        prior, prior_slope = jax.value_and_grad(lambda x: -log_prior(problem, coordinates, x))(w)
        return w, 0.5 * twice_nll + prior, pull_back(0.5 * slope)[0] + prior_slope

    return jax.vmap(one)(z, twice_nll, slopes)


@partial(jax.jit, static_argnames=("tuning",))
def advance_chains(problem: Problem, coordinates: Straight | None, states: HMCState, tuning: Tuning):
    """Every chain `tuning.stretch(coordinates)` transitions further; the draws in normal coordinates (HMCState, Block).

    The mass matrix and step adapt while the warmup lasts.
    """

    def advance(shared, state):
        at = ParamInfo(state.z, state.potential_energy, state.z_grad)
        _, step = _kernel(tuning, at, state.rng_key, jumping=coordinates is not None)

        def one(state, _):
            new = step(state, model_args=shared)
            z, log_jacobian = to_normal(shared[1], new.z)
            log_posterior = -new.potential_energy - log_jacobian
            draw = Block(z, log_posterior, new.energy, new.accept_prob, new.num_steps, new.diverging)
            return new, draw

        return jax.lax.scan(one, state, length=tuning.stretch(coordinates))

    batch = jax.vmap(advance, in_axes=(None, 0))
    return spread(batch, devices_for(states.z.shape[0]))((problem, coordinates), states)


def _scaled_point(problem: Problem, z):
    return from_values(problem, problem.from_normal(z)[0])


def log_prior(problem: Problem, coordinates: Straight | None, w):
    """Log density less ln L (which holds the penalties of pulls), in the sampler's coordinates."""
    z, log_jacobian = to_normal(coordinates, w)
    return problem.from_normal(z)[1] - 0.5 * jnp.sum(z[: len(problem.free)] ** 2) + log_jacobian


def _potential(problem: Problem, coordinates: Straight | None):
    def energy(w):
        z, log_jacobian = to_normal(coordinates, w)
        return -problem.log_posterior(z) - log_jacobian

    return energy


def _kernel(tuning: Tuning, at: ParamInfo, key: Array, covariance=None, jumping: bool = False):
    """A fresh state at a point whose potential is known, and the transition."""
    initialise, step = hmc(potential_fn_gen=_potential, algo="NUTS")
    no_fixed_length: Any = None
    deepest = min(tuning.max_tree_depth, tuning.jumping_tree_depth if jumping else tuning.max_tree_depth)
    depths: Any = (min(tuning.warmup_tree_depth, deepest), deepest)  # warmup, sampling
    state = initialise(
        at,
        tuning.warmup,
        dense_mass=True,
        target_accept_prob=tuning.target_accept,
        trajectory_length=no_fixed_length,
        max_tree_depth=depths,
        step_size=FIRST_STEP,
        inverse_mass_matrix=covariance,
        model_args=(None, None),
        rng_key=key,
    )
    return state, step

"""Cross sections at one energy and interactions in a beam, before any decay: by target, for any exchange."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jaxtyping import Array, ArrayLike, Float

from anomfit.beams.flux import Beam
from anomfit.capabilities import Upscatters, productions
from anomfit.parameters import Point
from anomfit.physics.exchange import Exchange, d_sigma_d_q_squared
from anomfit.physics.kinematics import momentum_transfer_limits, threshold_energy
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.reaction import RadiatedReaction, summed
from anomfit.physics.targets import Target, stack_targets
from anomfit.rates.radiated_events import scalars_made

ENERGIES = 192
MANY_ENERGIES = 320  # 2e-5 of the integral for light vectors in the Booster beam, whose flux has kinks
STATES = ("coherent", "incoherent")  # what is left of the target: a nucleus as it was, or a struck nucleon


def cross_section(
    exchange: Exchange, e_nu: ArrayLike, target: Target, nodes: int = 64, seen: Callable | None = None
) -> Float[Array, ""]:
    """d sigma/dQ^2 integrated for one target and energy (GeV), cm^2; 0 below the threshold.

    seen: the share of the recoils that counts, of Q^2 (GeV^2); None for all of them.
    """
    e_nu = jnp.asarray(e_nu)
    low, high = momentum_transfer_limits(e_nu, exchange.m_N, target.mass)
    low = jnp.maximum(low, 0.0)  # where nothing is open the limits are below it, and no logarithm may be asked of them
    light = exchange.lightest**2
    u, w = unit_legendre(nodes)
    is_open = high > low
    stretch = jnp.log(jnp.where(is_open, (high + light) / (low + light), 2.0))
    q_squared = (low + light) * jnp.exp(stretch * u) - light
    density = d_sigma_d_q_squared(exchange, e_nu, q_squared[:, None], stack_targets((target,)))[:, 0]
    share = 1.0 if seen is None else seen(q_squared)
    return jnp.where(is_open, jnp.sum(w * stretch * (q_squared + light) * density * share), 0.0)


def interactions(
    exchange: Exchange, beam: Beam, energies: int = ENERGIES, nodes: int = 64
) -> Float[Array, "component beams"]:
    """Interactions in the exposures of the beams, components of `Beam.counts`: nothing of decays or of a detector."""
    u, w = unit_legendre(energies)

    def on(target: Target):
        start = jnp.minimum(threshold_energy(exchange.m_N, target.mass), beam.highest_energy)
        span = beam.highest_energy - start
        energy = start + span * jnp.asarray(u**2)  # the opening of the phase space becomes smooth
        section = jax.vmap(lambda e: cross_section(exchange, e, target, nodes))(energy)
        return jnp.einsum("e,eb->b", section * w * 2.0 * u * span, beam.flux_at(energy))

    by_target = jnp.stack([on(target) for target in beam.scatterers])
    return jnp.asarray(beam.counts()) @ by_target * beam.exposure


def interactions_by_state(
    model: Upscatters, point: Point, nuisances: Point, beam: Beam
) -> dict[str, Float[Array, "beams"]]:
    """Heavy neutrinos that a model makes in a beam's detector, by state of the target; none from its surroundings.

    Those that are made together with a scalar are among them.
    """
    each = [interactions(exchange, beam, MANY_ENERGIES) for exchange in productions(model, point, nuisances)]
    reactions = model.reactions(point, nuisances)
    each += [scalars_made(one, beam) for one in reactions if isinstance(one, RadiatedReaction)]
    found = summed(each)
    return {state: found[i] for i, state in enumerate(STATES)}

"""nu + target -> N + target, N -> X + boson, boson -> pair: the events of one beam on fixed quadrature nodes.

Production nodes are (E_N, cos theta_N) in the lab, common to every target and beam. The decay is isotropic in N's rest
frame where the couplings conserve parity (N's spin leaves no trace once X's is summed over); otherwise its asymmetry
acts on the polarisation that the exchange gives, target by target. For antineutrinos both polarisation and asymmetry
change sign: their product, all that enters, is the same.
"""

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from anomfit.beams.flux import Beam
from anomfit.errors import reject
from anomfit.physics import kinematics
from anomfit.physics.aligned_pairs import quadrupole_in_flight
from anomfit.physics.exchange import Exchange, Flown, d_sigma_d_q_squared, polarised_d_sigma_d_q_squared
from anomfit.physics.extremes import largest, smallest
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.quadrature import interpolation, unit_legendre
from anomfit.physics.reaction import AnyReaction, Channel, OneReaction, RadiatedReaction, Reaction, SpreadReaction
from anomfit.physics.targets import stack_targets
from anomfit.physics.two_body import two_body_energy, two_body_momentum
from anomfit.rates.radiated_events import radiated_events
from anomfit.rates.radiated_setup import NODES as OF_RADIATED
from anomfit.rates.radiated_setup import RadiatedNodes

FEW = 12  # parents at which flights are looked up, of all that decay


class PairSpin(NamedTuple):
    """How a parent's polarisation steers its pairs: an azimuth phi, counted from the beam's side, has the rate

    rate + along cos_star + across sin_star cos(phi); (cos_star, sin_star): the pair's direction in the parent's rest
    frame to the parent's flight; along, across: the rate times asymmetry of the decay times polarisation.
    """

    along: Float[Array, "energies directions component beam"]
    across: Float[Array, "energies directions component beam"]
    cos_star: Float[Array, "parents decays"]
    sin_star: Float[Array, "parents decays"]


class ParentFlight(NamedTuple):
    """Mean flights (m) of the parents before they decay, and of a few between which `onto` interpolates to all."""

    each: Float[Array, "parents"]
    few: Float[Array, "few"]
    onto: Float[Array, "parents few"]


class PairEvents(NamedTuple):
    """Weighted collimated pairs (e+e- or gamma gamma) made by a beam in a target, on fixed nodes.

    Parents are made at some energies (axis `energies`) under some angles to the beam (axis `directions`). Each of a few
    parents (axis `parents`), between which `onto` interpolates to the energies, sends pairs off at an angle to itself
    (axis `decays`), with uniform azimuth unless `spin` says otherwise. A pair made directly is its own parent: it has
    one decay with cos_decay = 1. A pair decays after its parent's flight and one of decay_length_per_momentum x
    momentum of its own (None: where the parent does), isotropically in its rest frame unless `alignment` says
    otherwise: then with the density 1 + alignment P_2(cos), cos to its flight.

    Where `all_pair_events` gathers pairs of several masses, what belongs to a decay has an axis `pairs` in front, and
    `mass` and `decay_length_per_momentum` have the shape (pairs, 1, 1).
    """

    rate: Float[Array, "energies directions component beam"]  # interactions, quadrature weights included
    cos_parent: Float[Array, "energies directions"]  # parent's direction to the beam
    onto: Float[Array, "energies parents"]
    share: Float[Array, "parents decays"]  # branching ratio times quadrature weight
    energy: Float[Array, "parents decays"]  # GeV, of the pair
    cos_decay: Float[Array, "parents decays"]  # pair's direction to its parent's
    made: Float[Array, "component beam"]  # all pairs made; the nodes above leave out energies that are never seen
    mass: Float[Array, ""]  # GeV, of the pair
    decay_length_per_momentum: Float[Array, ""] | None  # m/GeV: c tau / mass of what decays to the pair
    spin: PairSpin | None = None
    alignment: Float[Array, "parents decays"] | None = None
    parent_flight: ParentFlight | None = None  # None where the parents decay at once


@dataclass(frozen=True)
class Nodes:
    """Numbers of quadrature nodes, static; the azimuth of the boson about N is exact.

    energy: production energies, enough to follow the flux's kinks; angle: of N; parent: energies of N at which its
    decay is worked out, interpolated to the production energies; polar: energies of the boson, for each channel.
    lowest, highest: GeV, pair energies outside of which the experiment sees nothing; nodes are not spent there.
    path: m, along which a second pair would be noticed: such events are no events with one pair. made: production
    energies for `PairEvents.made`, which goes up to the flux's end, where heavy N have a threshold of their own.
    spread: parent and polar of a `SpreadReaction` through a virtual boson, whose many masses wash out what a pair of
    one mass needs nodes for.
    hard: GeV above N's threshold from where on production energies become sparse. transfer: GeV, of momentum, as many
    directions lie below as above, or the lightest mediator's mass if that is less. radiated: of a scalar that is
    radiated off the mediator, and has no parent.
    """

    energy: int = 192
    angle: int = 22
    parent: int = 64
    polar: int = 32
    lowest: float = 0.1
    highest: float = 2.1
    path: float = 5.0
    made: int = 192
    hard: float = 3.0
    transfer: float = math.inf
    spread: tuple[int, int] = (28, 14)
    radiated: RadiatedNodes = OF_RADIATED

    def __post_init__(self):
        for name in ("energy", "angle", "parent", "polar", "made"):
            if getattr(self, name) < 2:
                raise reject(f"nodes.{name}", getattr(self, name), "give at least 2")
        if not 0.0 < self.lowest < self.highest:
            raise reject("nodes.lowest", self.lowest, "give 0 < lowest < highest")


def pair_events(reaction: OneReaction, beam: Beam, nodes: Nodes) -> PairEvents:
    """The pairs of a reaction in a beam; `nodes` are the numbers of quadrature nodes, static."""
    if isinstance(reaction, RadiatedReaction):
        return _made_directly(reaction, beam, nodes)
    m_N, boson = reaction.production.m_N, reaction.pair.mass
    channels = [rest_frame(m_N, boson, channel) for channel in reaction.channels]
    if reaction.among is not None and reaction.pair.flight is None:
        nodes = replace(nodes, parent=nodes.spread[0], polar=nodes.spread[1])
    span = seen_range(nodes, beam, reaction)
    rate, cos_N, _ = production(beam, nodes, span, reaction.production)
    u_parent, _ = unit_legendre(nodes.parent)
    e_parent, p_parent, _ = parent_energy(u_parent, span, m_N, nodes.hard)
    rule = unit_legendre(nodes.polar)
    each = [decays(nodes, rule, e_parent, p_parent, m_N, channel) for channel in channels]
    share, energy, cos_decay, cos_star = (jnp.concatenate(part, axis=-1) for part in zip(*each, strict=True))
    at_once = reaction.prompt and reaction.pair.flight is None
    return PairEvents(
        rate=rate,
        cos_parent=cos_N,
        onto=jnp.asarray(interpolation(nodes.parent, nodes.energy)),
        share=share,
        energy=energy,
        cos_decay=cos_decay,
        made=all_made(beam, nodes, reaction.production) * reaction.visible,
        mass=boson,
        decay_length_per_momentum=jnp.zeros(()) if at_once else reaction.pair.flight,
        spin=_spin(reaction, beam, nodes, span, cos_star),
        alignment=_alignment(reaction, channels, e_parent, energy),
        parent_flight=None if reaction.prompt else _flights(reaction, nodes, span, p_parent),
    )


def all_pair_events(reaction: AnyReaction, beam: Beam, nodes: Nodes) -> PairEvents:
    """The pairs of a reaction in a beam, of all its masses side by side: they share how their parents are made.

    A reaction with one mass has an axis `pairs` of length 1. The asymmetry of decays to pairs of several masses, which
    depends on the mass, stands in `PairSpin.cos_star` and `sin_star`.
    """
    events = (
        _side_by_side(reaction, beam, nodes) if isinstance(reaction, SpreadReaction) else _alone(reaction, beam, nodes)
    )
    flight = events.decay_length_per_momentum
    return events._replace(
        made=jnp.sum(events.made, axis=0),
        mass=events.mass[:, None, None],
        decay_length_per_momentum=flight if flight is None or flight.ndim == 0 else flight[:, None, None],
    )


def _alone(reaction: OneReaction, beam: Beam, nodes: Nodes) -> PairEvents:
    events = pair_events(reaction, beam, nodes)
    spin = events.spin
    return events._replace(
        **{name: getattr(events, name)[None] for name in ("share", "energy", "cos_decay", "made", "mass")},
        spin=None if spin is None else spin._replace(cos_star=spin.cos_star[None], sin_star=spin.sin_star[None]),
        alignment=None if events.alignment is None else events.alignment[None],
    )


def _side_by_side(reaction: SpreadReaction, beam: Beam, nodes: Nodes) -> PairEvents:
    asymmetry = reaction.pairs.asymmetry
    steer = None if asymmetry is None else 1.0  # the same for all, so that production stays shared

    def of_one(one):
        return pair_events(replace(reaction.of(one), asymmetry=steer), beam, nodes)

    axes = PairEvents(
        **dict.fromkeys(PairEvents._fields, 0)
        | dict.fromkeys(("rate", "cos_parent", "onto", "parent_flight"))
        | {
            "spin": None if asymmetry is None else PairSpin(None, None, 0, 0),  # type: ignore[arg-type]
            "decay_length_per_momentum": None if reaction.pairs.flight is None else 0,
            "alignment": None if reaction.pairs.alignment is None else 0,
        }
    )
    events = jax.vmap(of_one, out_axes=axes)(reaction.pairs)  # type: ignore[arg-type]
    if asymmetry is None or events.spin is None:
        return events
    cos_star, sin_star = (asymmetry[:, None, None] * part for part in events.spin[2:])
    return events._replace(spin=events.spin._replace(cos_star=cos_star, sin_star=sin_star))


def _made_directly(reaction: RadiatedReaction, beam: Beam, nodes: Nodes) -> PairEvents:
    found = radiated_events(reaction, beam, nodes.lowest, nodes.highest, nodes.radiated)
    energy = found.energy[:, None]
    ones = jnp.ones_like(energy)
    return PairEvents(
        rate=found.rate,
        cos_parent=found.cosine,
        onto=found.onto,
        share=ones * reaction.branching,
        energy=energy,
        cos_decay=ones,
        made=found.made * reaction.visible,
        mass=reaction.pair.mass,
        decay_length_per_momentum=jnp.zeros(()) if reaction.pair.flight is None else reaction.pair.flight,
    )


def _flights(reaction: Reaction, nodes: Nodes, span, p_parent) -> ParentFlight:
    few = min(FEW, nodes.parent)
    _, momentum, _ = parent_energy(unit_legendre(few)[0], span, reaction.production.m_N, nodes.hard)
    onto = jnp.asarray(interpolation(few, nodes.parent))
    return ParentFlight(reaction.flight * p_parent, reaction.flight * momentum, onto)


class Parents(NamedTuple):
    """N of every energy that a beam makes, on nodes between which rates have been spread (weights may be negative).

    rate: interactions; along: the same times the polarisation along the flight; None where that was not asked for.
    """

    energy: Float[Array, "parents"]
    momentum: Float[Array, "parents"]
    rate: Float[Array, "parents component beam"]
    along: Float[Array, "parents component beam"] | None


def all_parents(exchange: Exchange, beam: Beam, nodes: Nodes, is_polarised: bool) -> Parents:
    """All N that are made: `nodes.made` energies and `nodes.angle` directions, handed on to `nodes.parent` energies."""
    whole, span = replace(nodes, energy=nodes.made), (exchange.m_N, beam.highest_energy)
    e_N, p_N, cos_N, weight = _production_nodes(beam, whole, span, exchange)
    onto = jnp.asarray(interpolation(nodes.parent, nodes.made))

    def gathered(rate):
        return jnp.einsum("ep,edcb->pcb", onto, rate * weight[..., None, None])

    energy, momentum, _ = parent_energy(unit_legendre(nodes.parent)[0], span, exchange.m_N, nodes.hard)
    along = gathered(polarised_rates(beam, e_N, p_N, cos_N, exchange)[0]) if is_polarised else None
    return Parents(energy, momentum, gathered(production_rate(beam, e_N, p_N, cos_N, exchange)), along)


def production_rate(
    beam: Beam,
    e_N: Float[Array, "..."],
    p_N: Float[Array, "..."],
    cos_theta: Float[Array, "..."],
    exchange: Exchange,
) -> Float[Array, "... component beams"]:
    """Interactions per GeV of E_N and unit of cos theta_N in the exposures of the beams; components of `Beam.counts`.

    Uses dE_nu dQ^2 = 2 M E_nu p_N / (M - E_N + p_N cos theta) dE_N dcos theta.
    """

    def alone(e_nu, q_squared, flown, targets):
        return (d_sigma_d_q_squared(exchange, e_nu, q_squared, targets),)

    return _rates(beam, e_N, p_N, cos_theta, exchange, alone)[0]


def polarised_rates(
    beam: Beam, e_N: Float[Array, "..."], p_N: Float[Array, "..."], cos_theta: Float[Array, "..."], exchange: Exchange
) -> tuple[Float[Array, "... component beams"], ...]:
    """`production_rate` times the polarisation of N along its flight, and across it, positive towards the beam."""

    def steered(e_nu, q_squared, flown, targets):
        return polarised_d_sigma_d_q_squared(exchange, e_nu, q_squared, flown, targets)

    return _rates(beam, e_N, p_N, cos_theta, exchange, steered)


def _rates(beam: Beam, e_N, p_N, cos_theta, exchange: Exchange, cross_sections):
    """What `cross_sections`, a function of (E_nu, Q^2, flown, targets), gives as rates."""
    targets = stack_targets(beam.scatterers)
    e_N, p_N, cos_theta = e_N[..., None], p_N[..., None], cos_theta[..., None]
    e_nu, recoil = kinematics.neutrino_energy(e_N, p_N, cos_theta, exchange.m_N, targets.mass)
    is_open = (e_nu > 0.0) & (e_nu < beam.highest_energy) & (p_N > 0.0)  # N too heavy for the beam stands still
    energy = jnp.where(is_open, e_nu, 1.0)
    q_squared = jnp.where(is_open, 2.0 * targets.mass * (energy - e_N), 1.0)
    flux = beam.flux_at(jnp.where(is_open, e_nu, 0.0))
    found = []
    for cross_section in cross_sections(energy, q_squared, Flown(e_N, p_N, cos_theta), targets):
        density = cross_section * 2.0 * targets.mass * energy * p_N / recoil
        by_target = jnp.where(is_open, density, 0.0)[..., None] * flux
        found.append(jnp.einsum("...tb,ct->...cb", by_target, beam.counts()) * beam.exposure)
    return tuple(found)


def _spin(reaction: Reaction, beam: Beam, nodes: Nodes, span, cos_star) -> PairSpin | None:
    """The steering of decays at rest-frame cosines `cos_star` by the polarisation of N on the production nodes."""
    if reaction.asymmetry is None:
        return None
    exchange = reaction.production
    e_N, p_N, cos_N, weight = _production_nodes(beam, nodes, span, exchange)
    steered = polarised_rates(beam, e_N, p_N, cos_N, exchange)
    along, across = (jnp.asarray(reaction.asymmetry) * rate * weight[..., None, None] for rate in steered)
    return PairSpin(along, across, cos_star, safe_sqrt((1.0 - cos_star) * (1.0 + cos_star)))


def _alignment(reaction: Reaction, channels, e_N, energy):
    """That of the leptons with the pair's flight, (parents, decays): a turn from N's rest frame to the laboratory."""
    if reaction.pair.alignment is None:
        return None
    parts = jnp.split(energy, len(channels), axis=-1)
    m_N, boson = reaction.production.m_N, reaction.pair.mass
    turned = [
        quadrupole_in_flight(e_N[:, None], m_N, part, boson, rest.e_star)
        for part, rest in zip(parts, channels, strict=True)
    ]
    return reaction.pair.alignment * jnp.concatenate(turned, axis=-1)


class AtRest(NamedTuple):
    """A channel in N's rest frame, energy and momentum of the boson; harmless (at rest) where it is closed."""

    channel: Channel
    is_open: Bool[Array, ""]
    e_star: Float[Array, ""]
    p_star: Float[Array, ""]


def rest_frame(m_N, boson, channel: Channel) -> AtRest:
    """The decay of N at rest to the channel's daughter and a boson of this mass (GeV)."""
    is_open = m_N > boson + channel.daughter_mass
    energy = jnp.where(is_open, two_body_energy(m_N, boson, channel.daughter_mass), boson)
    return AtRest(channel, is_open, energy, two_body_momentum(m_N, boson, channel.daughter_mass))


def seen_range(nodes: Nodes, beam: Beam, reaction: Reaction):
    """Energies of N between which some boson has an energy that can be seen: rapidities of N and the boson add up.

    Those of all pairs of a spread reaction, of which this is one, so that all share what is made.
    """
    m_N = reaction.production.m_N
    if reaction.among is None:
        mass = reaction.pair.mass
        daughters = jnp.stack([channel.daughter_mass for channel in reaction.channels])
    else:
        mass, daughters = reaction.among.mass, reaction.among.daughter_mass
    is_open = m_N > mass + daughters

    def rapidity(energy):
        x = energy / mass
        return jnp.log(jnp.maximum(x, 1.0) + safe_sqrt(x**2 - 1.0))

    own = jnp.arcsinh(two_body_momentum(m_N, mass, daughters) / mass)
    first = m_N * jnp.cosh(jnp.maximum(rapidity(nodes.lowest) - own, 0.0))
    last = m_N * jnp.cosh(jnp.minimum(rapidity(nodes.highest) + own, 20.0))
    start = smallest(jnp.where(is_open, first, jnp.inf))
    end = largest(jnp.where(is_open, last, 0.0))
    some = jnp.any(is_open)
    top = jnp.where(some, jnp.minimum(end, beam.highest_energy), beam.highest_energy)
    return jnp.minimum(jnp.where(some, start, m_N), beam.highest_energy), top


def production(beam: Beam, nodes: Nodes, span, exchange: Exchange):
    """Weighted rates and cosines on the nodes in (E_N, cos theta_N) over a range of energies, and N's momenta."""
    e_N, p_N, cos_N, weight = _production_nodes(beam, nodes, span, exchange)
    return production_rate(beam, e_N, p_N, cos_N, exchange) * weight[..., None, None], cos_N, p_N[:, 0]


def all_made(beam: Beam, nodes: Nodes, exchange: Exchange) -> Float[Array, "component beam"]:
    """All N that are made, up to the flux's end."""
    whole = replace(nodes, energy=nodes.made)
    return jnp.sum(production(beam, whole, (exchange.m_N, beam.highest_energy), exchange)[0], axis=(0, 1))


def _production_nodes(beam: Beam, nodes: Nodes, span, exchange: Exchange):
    """E_N, p_N, cos theta_N and weight of the nodes, (energies, directions) each or broadcasting to it."""
    u, w = unit_legendre(nodes.energy)
    e_N, p_N, slope = parent_energy(u, span, exchange.m_N, nodes.hard)
    soft = jnp.minimum(exchange.lightest, nodes.transfer)
    cos_N, w_angle = _angle_nodes(beam, nodes.angle, e_N, p_N, exchange.m_N, soft)
    return e_N[:, None], p_N[:, None], cos_N, (w * slope)[:, None] * w_angle


def parent_energy(u, span, m_N, hard: float):
    """E_N, p_N and dE_N/du for u in (0, 1): logarithmic, compressed in the flux's tail.

    ln[(1 + K/s)/(1 + K/t)] is linear in u, K = E_N - start, s = 0.4 GeV, t = `hard`. What the decay gives is smooth in
    K at N's threshold too; the root of K in the production there costs the rule less than 1e-5.
    """
    soft = 0.4
    start, end = span
    top = jnp.maximum(end - start, 1e-3)
    stretch = jnp.log((1.0 + top / soft) / (1.0 + top / hard))
    grown = jnp.exp(stretch * u)
    above = (grown - 1.0) / (1.0 / soft - grown / hard)
    slope = stretch / (1.0 / (soft + above) - 1.0 / (hard + above))
    e_N = start + above
    return e_N, safe_sqrt((e_N - m_N) * (e_N + m_N)), slope


def _angle_nodes(beam: Beam, n: int, e_N, p_N, m_N, m_light):
    """Nodes in cos theta_N, logarithmic in 1 - cos theta above the angle where the lightest mediator's pole is felt."""
    u, w = unit_legendre(n)
    p_N = jnp.where(p_N > 0.0, p_N, 1.0)  # where N stands still, which nothing makes, any nodes do
    lightest = min(target.mass for target in beam.scatterers)
    recoil = (2.0 * lightest * e_N - m_N**2) / (2.0 * beam.highest_energy)
    lowest = jnp.maximum((recoil + e_N - lightest) / p_N, -1.0)
    span = (1.0 - jnp.minimum(lowest, 1.0))[:, None]
    pole = (m_light**2 + 0.25 * m_N**4 / e_N**2) / (2.0 * e_N * p_N)
    scale = jnp.clip(pole, 1e-7, 1.0)[:, None]
    stretch = jnp.log1p(span / scale)
    one_minus_cos = scale * jnp.expm1(stretch * u)
    return 1.0 - one_minus_cos, w * stretch * (one_minus_cos + scale)


def decays(nodes: Nodes, rule, e_N, p_N, m_N, rest: AtRest):
    """Weights, lab energy and cosine to N's flight of the boson in one channel, and its cosine in the rest frame: nodes
    in the logarithm of its energy, over what can be seen, of a `rule` on (0, 1).

    The energy is flat between gamma (E* - beta p*) and gamma (E* + beta p*). A closed channel (branching ratio 0)
    becomes a harmless narrow box.
    """
    u, w = rule
    centre = e_N * rest.e_star / m_N
    half = jnp.maximum(p_N * rest.p_star / m_N, 1e-9 * centre)
    low = jnp.clip(centre - half, nodes.lowest, nodes.highest)
    high = jnp.clip(centre + half, nodes.lowest, nodes.highest)
    span = jnp.log1p((high - low) / low)[:, None]
    energy = low[:, None] * jnp.exp(span * u)
    share = rest.channel.branching * w * span * energy / (2.0 * half[:, None])
    share = share * rest.channel.alone(e_N[:, None] - energy, nodes.path)
    cos_star = jnp.clip((energy - centre[:, None]) / half[:, None], -1.0, 1.0)
    along = (p_N[:, None] * rest.e_star + e_N[:, None] * rest.p_star * cos_star) / m_N
    across_squared = rest.p_star**2 * (1.0 - cos_star) * (1.0 + cos_star)
    return share, energy, along / jnp.sqrt(along**2 + across_squared), cos_star

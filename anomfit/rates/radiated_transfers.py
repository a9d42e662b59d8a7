"""nu + target -> N + target + scalar: integrals over Q^2 behind each place of the scalar, with their slopes.

The azimuth of the recoil is exact (`physics.radiated_scalar`). What form factors, binding and the threshold of a
nucleon that must be knocked out leave of the rate depends on Q^2 alone (and on that threshold), target by target.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax.scipy.special import erf
from jaxtyping import Array, Float

from anomfit.physics.boson_strahlung import BosonStrahlung, nucleon_structures
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.radiated_scalar import Amplitude, at_transfer, transfers
from anomfit.physics.series import chebyshev_places, chebyshev_series, evaluate_series
from anomfit.physics.targets import FormFactors, Target, allowed_fraction, of_nucleus, stack_targets
from anomfit.rates.radiated_setup import Group, Setup, is_bound, recoiling

END = 30.0  # in units of a nucleus's own Q^2, from where on its squared form factor is below 1e-8
SERIES = 24  # terms of the form factor of a nucleus
TOP = END / (END + 2.0)  # of the coordinate in which it is a series


class Behind(NamedTuple):
    """What an integral over Q^2 depends on, for each place and each energy of the neutrino behind it.

    first, part and last are those of `radiated_scalar.place_of`: where the recoil starts to be enough, if one is asked
    for, from where on it is, and the end.
    """

    of: Amplitude
    first: Float[Array, "neutrino places"]
    part: Float[Array, "neutrino places"]
    last: Float[Array, "neutrino places"]
    scale: Float[Array, "neutrino places"]  # on which nodes in Q^2 lie
    knock_out: Float[Array, "neutrino places"]


class Integrand(NamedTuple):
    """What is integrated over Q^2, a product of two functions: of `Behind.of` and Q^2, and, for each target on a new
    first axis, of Q^2 and `Behind.knock_out`; on the latter it depends if the target is bound.
    """

    density: Callable[[Amplitude, Array], Array]
    left: Callable[[Array, Array], Array]
    is_bound: bool
    targets: int


Ends = Callable[[Behind], tuple[Array, Array, Array]]  # where a panel of nodes starts and ends, and their scale
Nodes = tuple[Float[Array, "transfer"], Float[Array, "transfer"]]  # places between 0 and 1, and weights


def over_transfers(setup: Setup, group: Group, forms: FormFactors, at: Behind, moved: Behind | None = None):
    """(Integral over Q^2 for each target on a new first axis, its slopes): along directions, the first axis of `moved`.

    Node after node, and for slopes one energy of the neutrino after the other: what is in work stays small.
    """
    one = jnp.ones(())
    process = BosonStrahlung(one, one, one, one, one, one, forms, setup.isoscalar, setup.coherent)
    group = recoiling(process, group)
    of, panels = _integrand(setup, process, group), _panels(setup, group)

    def of_panel(block, number: int, ends: Ends):
        at, moved = block
        u, w = unit_legendre(number)
        nodes = (jnp.asarray(u), jnp.asarray(w))
        found = (_values(of, at, ends, nodes), None) if moved is None else _with_slopes(of, at, moved, ends, nodes)
        start, end, _ = ends(at)
        return jax.tree.map(lambda x: jnp.where(start > end, x, 0.0), found)  # exactly 0 where nothing is left

    def of_block(block):
        return jax.tree.map(lambda *parts: sum(parts), *(of_panel(block, *panel) for panel in panels))

    if moved is None:
        return of_block((at, None))
    found = jax.lax.map(of_block, (at, jax.tree.map(lambda x: jnp.moveaxis(x, 1, 0), moved)))
    return jax.tree.map(lambda x: jnp.moveaxis(x, 0, -2), found)


def _panels(setup: Setup, group: Group) -> list[tuple[int, Ends]]:
    """Numbers of nodes and ends: above the threshold of a recoil, and across it."""
    number = setup.nodes.transfer if group.is_nucleus else setup.nodes.of_nucleon
    panels: list[tuple[int, Ends]] = [(number, lambda at: (at.part, at.last, at.scale))]
    if is_bound(setup, group):
        panels.append((setup.nodes.transfer, lambda at: (at.first, at.part, at.scale)))
    return panels


def _on_way(u, first, last, scale):
    """Q^2 of a node and its slope in the node."""
    return transfers(first, last, scale, u)


def _values(of: Integrand, at: Behind, ends: Ends, nodes: Nodes) -> Float[Array, "targets *shape"]:
    def add(total, node):
        u, w = node
        q_squared, slope = _on_way(u, *ends(at))
        return total + of.density(at.of, q_squared) * (w * slope) * of.left(q_squared, at.knock_out), None

    return jax.lax.scan(add, jnp.zeros((of.targets, *at.part.shape)), nodes)[0]


class AtNodes(NamedTuple):
    """Nodes of Q^2 on the first axis, with what directions share: values of both factors and slopes of their product
    with the slope of Q^2 in the node.
    """

    value: Float[Array, "transfer *shape"]  # the density
    product: Float[Array, "transfer *shape"]  # times the slope of Q^2 in the node
    in_of: Amplitude
    in_q: Float[Array, "transfer *shape"]
    kept: Float[Array, "transfer targets *shape"]  # what is left
    in_kept: Float[Array, "transfer targets *shape"]
    in_threshold: Float[Array, "transfer targets *shape"] | None  # only of bound targets


def _with_slopes(of: Integrand, at: Behind, moved: Behind, ends: Ends, nodes: Nodes):
    """Integrals, and slopes along directions on a new first axis, in loops one after the other: in a single one the
    compiler computes what directions share again for each.
    """
    u, w = nodes
    found = jax.lax.map(lambda node: _at_node(of, at, ends, node), u)
    q_moved, value_moved = _along_directions(at, moved, ends, u, found)

    def add(sums, node):
        w, product, kept, in_kept, in_threshold, q_moved, value_moved = node
        step = value_moved[:, None] * kept + in_kept * q_moved[:, None]
        if in_threshold is not None:
            step = step + in_threshold * moved.knock_out[:, None]
        return (sums[0] + w * product * kept, sums[1] + w * step), None

    shape = (of.targets, *at.part.shape)
    zero = jnp.zeros(shape), jnp.zeros((len(moved.part), *shape))
    each = (w, found.product, found.kept, found.in_kept, found.in_threshold, q_moved, value_moved)
    return jax.lax.scan(add, zero, each)[0]


def _at_node(of: Integrand, at: Behind, ends: Ends, u) -> AtNodes:
    q_squared, slope = _on_way(u, *ends(at))
    value, back = jax.vjp(of.density, at.of, q_squared)
    in_of, in_q = back(slope)
    kept, kept_in_q = jax.jvp(lambda q: of.left(q, at.knock_out), (q_squared,), (jnp.ones_like(q_squared),))
    kept_in_threshold = None
    if of.is_bound:
        of_threshold = jax.jvp(lambda e: of.left(q_squared, e), (at.knock_out,), (jnp.ones_like(q_squared),))
        kept_in_threshold = value * slope * of_threshold[1]
    return AtNodes(value, value * slope, in_of, in_q, kept, value * slope * kept_in_q, kept_in_threshold)


def _along_directions(at: Behind, moved: Behind, ends: Ends, u, found: AtNodes):
    """Slopes along directions, (transfer, directions, ...): of Q^2 at nodes, and of `AtNodes.product`."""

    def along(node):
        u, value, in_of, in_q = node

        def towards(*steps):
            return jax.jvp(partial(_on_way, u), ends(at), steps)[1]

        q_moved, slope_moved = jax.vmap(towards)(*ends(moved))
        pairs = zip(jax.tree.leaves(in_of), jax.tree.leaves(moved.of), strict=True)
        return q_moved, sum((own * step for own, step in pairs), in_q * q_moved + value * slope_moved)

    return jax.lax.map(along, (u, found.value, found.in_of, found.in_q))


def _integrand(setup: Setup, process: BosonStrahlung, group: Group) -> Integrand:
    of_spin_0 = group.is_nucleus and process.coherent == "nucleus"

    def density(of, q_squared):
        structures = (1.0, None) if of_spin_0 else nucleon_structures(process, q_squared, group.mass)
        return at_transfer(of, q_squared, *structures)

    return Integrand(density, _what_is_left(setup, process, group), is_bound(setup, group), len(group.targets))


def _what_is_left(setup: Setup, process: BosonStrahlung, group: Group):
    """A function of Q^2 and `Variables.knock_out`, for each target on a new first axis: what the form factor of a
    nucleus, or binding and the threshold of a nucleon that must be knocked out, leave of the rate on a point, or on a
    free nucleon.
    """
    if group.is_nucleus:
        series = [_nuclear_series(process, target, group.own) for target in group.targets]

        def of_nuclei(q_squared, _):
            x = jnp.minimum(q_squared / (q_squared + 2.0 * group.own), TOP)
            return jnp.stack([evaluate_series(one, (2.0 / TOP) * x - 1.0) ** 2 for one in series])

        return of_nuclei

    def of_nucleons(q_squared, knock_out):
        each = [
            allowed_fraction(0, q_squared, stack_targets((target,)), process.form_factors) for target in group.targets
        ]
        left = jnp.stack([jnp.broadcast_to(one, q_squared.shape) for one in each])
        if not is_bound(setup, group):
            return left
        recoil = q_squared / (2.0 * group.mass)
        return left * 0.5 * (1.0 + erf((recoil - knock_out) / (np.sqrt(2.0) * setup.width)))

    return of_nucleons


def _nuclear_series(process: BosonStrahlung, target: Target, own: float) -> Float[Array, "terms"]:
    """A F of a nucleus up to END in Q^2/(Q^2 + 2 own); its square is W1 of `boson_strahlung.structures`."""
    x = 0.5 * TOP * (chebyshev_places(SERIES) + 1.0)
    factor = of_nucleus(jnp.asarray(2.0 * own * x / (1.0 - x)), target.name, process.form_factors)
    return chebyshev_series((target.protons + target.neutrons) * factor)

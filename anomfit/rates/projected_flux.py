"""What multiplies a cross section at few energies of the neutrino, between which it is smooth, as fluxes are not.

Above the energy at which a process opens, a cross section is a polynomial in a coordinate. What multiplies its values
at the nodes are integrals of the flux that depend on that energy alone. They are worked out for a table of such
energies, which belongs to the beam: no parameter of a model is in it, and points of a batch share it.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.physics.quadrature import interpolation, unit_legendre

SOFT = 0.4  # GeV: above a start, nodes in energy are linear below and logarithmic beyond


class ProjectedFlux(NamedTuple):
    """Cubics between energies at which a process may open, even in log(1 + energy/SOFT) up to `end` (GeV)."""

    cells: Float[Array, "cells powers nodes beams"]
    end: Float[Array, ""]


def stretched(u, top):
    """Energies from 0 to `top` and their slopes at u in (0, 1): logarithmic above SOFT."""
    stretch = jnp.log1p(top / SOFT)
    grown = SOFT * jnp.exp(stretch * u)
    return grown - SOFT, stretch * grown


def project(flux_at: Callable, end: Float[Array, ""], coarse: int, fine: int, cells: int) -> ProjectedFlux:
    """That of a flux that ends at `end`: `coarse` nodes of the cross section, `fine` ones of the flux."""
    u, w = unit_legendre(fine)

    def at(place):
        start, _ = stretched(place, end)
        excess, slope = stretched(u**2, (end - start)[:, None])
        flux = flux_at(start[:, None] + excess) * (2.0 * u * w * slope)[..., None]
        return jnp.einsum("sfb,fn->snb", flux, interpolation(coarse, fine))

    places = jnp.asarray(np.arange(cells + 1) / cells)
    values, slopes = jax.jvp(at, (places,), (jnp.full(cells + 1, 1.0 / cells),))
    rise = values[1:] - values[:-1]
    first, last = slopes[:-1], slopes[1:]
    powers = (values[:-1], first, 3.0 * rise - 2.0 * first - last, first + last - 2.0 * rise)
    return ProjectedFlux(jnp.stack(powers, axis=1), end)


def weights_above(table: ProjectedFlux, start: Float[Array, "..."]) -> Float[Array, "beams nodes ..."]:
    """What multiplies the cross section at the nodes above `start` (GeV), which is below the end."""
    cells = table.cells.shape[0]
    place = cells * jnp.log1p(start / SOFT) / jnp.log1p(table.end / SOFT)
    index = jnp.clip(jnp.floor(place).astype(jnp.int32), 0, cells - 1)
    t = (place - index)[..., None, None]
    c0, c1, c2, c3 = jnp.moveaxis(table.cells[index], -3, 0)
    return jnp.moveaxis(c0 + t * (c1 + t * (c2 + t * c3)), (-1, -2), (0, 1))

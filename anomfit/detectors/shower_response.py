"""P(bin | true visible energy, true angle) of one electromagnetic shower, as a table that no model parameter enters.

The table holds coefficients: Chebyshev in ln E (axis `energies`), Legendre in cos theta (axis `waves`). In that basis
the azimuth about a parent's direction and the smearing of the direction are exact products (addition theorem; a
Gaussian on the sphere multiplies wave l by exp(-l(l+1) sigma^2/2)), so that a prediction is a few matrix products. It
is computed once with NumPy from the resolution and the bins, whose energy edges may depend on the measured angle, as
those of E_nu^QE do.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float
from scipy.special import eval_legendre, ndtr, roots_legendre

from anomfit.detectors.flight_tables import with_arrivals
from anomfit.detectors.pairs import Seen
from anomfit.detectors.resolution import Resolution
from anomfit.detectors.shower_energies import energy_basis, see_energies, to_coefficients
from anomfit.physics.kinematics import safe_sqrt
from anomfit.physics.polynomials import legendre, legendre_slopes
from anomfit.rates.pair_events import PairEvents


@dataclass(frozen=True)
class Binning:
    """Bins of measured energy and angle: bin k takes energies between low and high[k](cos) where cos is in its range.

    cos_edges: increasing, splits the angular integration; energy_edges(cos) gives (low, high), each (bins,), in GeV for
    a measured cos theta; an empty interval (high <= low) keeps the bin out of that angle.
    """

    bins: int
    cos_edges: tuple[float, ...]
    energy_edges: Callable[[float], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class ShowerResponse:
    """The table: coefficients by (energies, waves, bins), a pytree leaf."""

    table: Float[Array, "energies waves bins"]


jax.tree_util.register_dataclass(ShowerResponse, data_fields=["table"], meta_fields=[])


def build_response(binning: Binning, resolution: Resolution, energies: int, waves: int) -> ShowerResponse:
    """The table for these bins; `energies` x `waves` coefficients; benchmarks/convergence.py gives
    the error.
    """
    energy = see_energies(energies)
    sigma_energy = np.asarray(resolution.sigma_energy(jnp.asarray(energy)))
    sigma_theta = np.asarray(resolution.sigma_theta(jnp.asarray(energy)))
    angular = np.zeros((energies, waves, binning.bins))
    wave = np.arange(waves)
    for cosine, weight in _angle_nodes(binning.cos_edges):
        low, high = binning.energy_edges(cosine)
        inside = ndtr((high - energy[:, None]) / sigma_energy[:, None]) - ndtr(
            (low - energy[:, None]) / sigma_energy[:, None]
        )
        inside = np.where(high > low, inside, 0.0)
        angular += weight * ((wave + 0.5) * eval_legendre(wave, cosine))[None, :, None] * inside[:, None, :]
    angular *= np.exp(-0.5 * wave * (wave + 1) * sigma_theta[:, None] ** 2)[:, :, None]
    return ShowerResponse(jnp.asarray(np.einsum("ie,elk->ilk", to_coefficients(energies), angular)))


def expected(response: ShowerResponse, events: PairEvents, seen: Seen) -> Float[Array, "component beam bins"]:
    """Events in each bin; `seen` holds what is seen of pairs of the energies `see_energies`.

    Where `seen.arrives` says how many pairs of each component decay in sight, its `split` takes the place of component.

    Pairs are projected on the basis, turned into visible showers by the acceptance at the table's energies, and
    contracted with the table: the order in which the cost hardly depends on the number of bins.
    """
    return of_all_leptons(partial(_counts, response), events, seen)


def of_all_leptons(counts: Callable[[PairEvents, Seen], Array], events: PairEvents, seen: Seen) -> Array:
    """`counts` of the events, which are what isotropic leptons leave, plus that of their alignment."""
    # the barrier keeps XLA from computing the cheap upstream arrays again inside every product of `counts`; what is
    # made stays outside, or a likelihood, which does not need it, would compute it
    events = events._replace(made=jnp.zeros(()))
    events, seen = jax.lax.optimization_barrier((events, seen))
    if events.alignment is None:
        return counts(events, seen)
    assert seen.quadrupole is not None  # where pairs are aligned, what is seen of them says so
    aligned = events._replace(share=events.share * events.alignment)
    return counts(events, seen) + counts(aligned, seen._replace(weight=seen.quadrupole))


def _counts(response: ShowerResponse, events: PairEvents, seen: Seen) -> Float[Array, "component beam bins"]:
    """Events in each bin from shares and weights alone."""
    n, waves, _ = response.table.shape
    of_pair, of_shower = energy_basis(events.energy, n), energy_basis(seen.energy, n)
    # number of pairs around each of the table's energies, by wave: what multiplies the acceptance there
    made = [(legendre, events.rate, events.share)]
    if events.spin is not None:
        spin = events.spin
        made += [(legendre, spin.along, events.share * spin.cos_star)]
        made += [(associated, spin.across, events.share * spin.sin_star)]
    parts = [_by_wave(basis, waves, events, rates, share, of_pair, seen.arrives) for basis, rates, share in made]
    pairs = sum(parts[1:], start=parts[0])
    components, beams = pairs.shape[1:3]
    pairs = pairs.reshape(waves, components * beams, n)
    wave = np.arange(waves)
    tilted = pairs * jnp.exp(-0.25 * (wave * (wave + 1))[:, None, None] * seen.tilt)
    visible = jnp.einsum("ew,eiw->ei", seen.weight, of_shower)
    counts = jnp.einsum("lxi,ilk->xk", tilted @ visible, response.table)
    return counts.reshape(components, beams, -1)


def _by_wave(basis, waves: int, events: PairEvents, rates, share, of_pair, arrives):
    """Pairs that arrive by wave, split (or component), beam and the table's energies; the azimuth is integrated."""
    rates, arrives = with_arrivals(events, rates, arrives)
    components, beams = rates.shape[2:]
    made = jnp.einsum("elt,etx->elx", basis(events.cos_parent, waves), rates.reshape(*rates.shape[:2], -1))
    made = jnp.einsum("ep,elx->plx", events.onto, made)
    decays = jnp.einsum("pld,pid->pli", basis(events.cos_decay, waves) * share[:, None, :], of_pair)
    if arrives is not None and events.parent_flight is not None:
        onto = events.parent_flight.onto[:, None, :, None]
        pairs = jnp.einsum("plqx,pli->lqxi", made[:, :, None, :] * onto, decays) @ to_coefficients(len(of_pair[0]))
        pairs = pairs.reshape(*pairs.shape[:2], components, beams, -1)
        return jnp.einsum("lqcbe,scqe->lsbe", pairs, arrives)
    pairs = jnp.einsum("plx,pli->lxi", made, decays) @ to_coefficients(len(of_pair[0]))
    pairs = pairs.reshape(waves, components, beams, -1)
    return pairs if arrives is None else jnp.einsum("lcbe,sce->lsbe", pairs, arrives)


def _angle_nodes(cos_edges):
    """Gauss-Legendre nodes and weights in the measured cos theta, 24 in each interval, denser than any response
    needs.
    """
    per_interval = max(24, 240 // (len(cos_edges) - 1))
    x, w = roots_legendre(per_interval)
    for low, high in pairwise(cos_edges):
        yield from zip(0.5 * (low + high) + 0.5 * (high - low) * x, 0.5 * (high - low) * w, strict=True)


def associated(x, n: int):
    """sqrt(1 - x^2) P_l'(x) / sqrt(l (l + 1)), laid out as `legendre`; the product at two angles is what the azimuth's
    cosine leaves of P_l (addition theorem).
    """
    l = np.arange(n)
    norm = np.where(l > 0, 1.0 / np.sqrt(np.maximum(l * (l + 1), 1)), 0.0)[:, None]
    return norm * safe_sqrt((1.0 - x) * (1.0 + x))[..., None, :] * legendre_slopes(legendre(x, n))

"""Pairs in LSND and KARMEN in (E_nu, Q^2) with explicit boxes of h' energies: NumPy and SciPy, a second opinion.

Uses the amplitude and kinematics of oracles.upscattering; the flux's knots, the response and the box are its own.
"""

import numpy as np
from scipy.special import ndtr

from anomfit.data import load_record
from anomfit.physics.constants import M_C12, M_MU, M_N, M_P
from oracles.upscattering import BOUND, Physics, cross_section, transfer_limits

NEUTRON = ((M_N, 6.0, 0, 1, BOUND), True)
TARGETS = {
    "neutron": (NEUTRON,),
    "proton": (((M_P, 6.0, 1, 0, BOUND), True), ((M_P, 2.0, 1, 0), False)),
    "coherent": (((M_C12, 1.0, 6, 6), False),),
}
KNOCK_OUT_WIDTH = 0.001
GRID = np.linspace(1e-4, 0.2601, 5201)  # GeV, steps of 50 keV


def in_flight_knots(flavours=("numu",)):
    """Energies in GeV and the flux at them in 1/cm^2/GeV, the pixel floor replaced by an exponential."""
    table = load_record("lsnd/dif_flux").columns
    energy = 1e-3 * table["E_nu_MeV"]
    total = np.zeros_like(energy)
    for name in flavours:
        flux = 1e3 * table[name].copy()
        floor = np.array([f"{name}_pixel" in words.split("+") for words in table["flag"]])
        last = np.flatnonzero(~floor)[-10:]
        slope, height = np.polyfit(energy[last], np.log(flux[last]), 1)
        flux[floor] = np.exp(height + slope * energy[floor])
        total += flux
    return np.array([energy[0] - 1e-3, *energy, energy[-1] + 1e-3]), np.array([0.0, *total, 0.0])


def in_flight_flux(flavours=("numu",)):
    knots, height = in_flight_knots(flavours)
    return lambda e: np.interp(e, knots, height), knots


def at_rest_flux(integral):
    """anti-nu_mu of muons at rest, panels of 1 MeV."""
    end = 0.5 * M_MU
    shape = lambda e: 64.0 / M_MU**4 * e**2 * (0.75 * M_MU - e)  # noqa: E731
    return lambda e: integral * np.where(e < end, shape(e), 0.0), np.linspace(1e-3, end, 53)


def gauss(edges, n):
    """Nodes and weights on panels between the edges (last axis), flattened."""
    x, w = np.polynomial.legendre.leggauss(n)
    low, high = np.asarray(edges)[..., :-1, None], np.asarray(edges)[..., 1:, None]
    nodes = 0.5 * (low + high) + 0.5 * (high - low) * x
    weights = np.broadcast_to(0.5 * (high - low) * w, nodes.shape)
    return nodes.reshape(*nodes.shape[:-2], -1), weights.reshape(*nodes.shape[:-2], -1)


def parents(target, is_bound, given: Physics, flux, knots, molecules, knock_out):
    """(E_N, cos theta_N, rate) of N on nodes, flat arrays; rate in events."""
    mass, number, *_ = target
    m = given.m_N2
    threshold = m + m * m / (2.0 * mass)
    if knots[-1] <= threshold:
        return np.zeros(0), np.zeros(0), np.zeros(0)
    above = knots[knots > threshold * (1 + 1e-9)]
    first = threshold + (above[0] - threshold) * np.linspace(0.0, 1.0, 7) ** 2
    e_nu, w_nu = gauss(np.concatenate([first, above[1:]]), 3)
    low, high = transfer_limits(e_nu, m, mass)
    scale = 2.0 * mass
    cuts = [np.clip(scale * (knock_out + k * KNOCK_OUT_WIDTH), low, high) for k in (-6, -3, -1.5, 0, 1.5, 3, 6)]
    inner = [low * (high / low) ** f for f in (0.25, 0.5, 0.75)]
    edges = np.sort(np.stack([low, *cuts, *inner, high], axis=-1), axis=-1)
    log_q, w_q = gauss(np.log(edges), 8)
    q2 = np.exp(log_q)
    energy = e_nu[:, None]
    recoil = q2 / scale
    freed = ndtr((recoil - knock_out) / KNOCK_OUT_WIDTH) if is_bound else 1.0
    rate = cross_section(energy, q2, target, given) * q2 * w_q * w_nu[:, None] * flux(energy) * freed
    e_N = energy - recoil
    p_N = np.sqrt(np.maximum(e_N**2 - m**2, 1e-30))
    cosine = (2.0 * energy * e_N - m**2 - q2) / (2.0 * energy * p_N)
    return e_N.ravel(), cosine.ravel(), (rate * number * molecules).ravel()


def decay(given: Physics, channel):
    """E*, p* of h' with N_1 (channel 0) or a light neutrino (1)."""
    m, mh, daughter = given.m_N2, given.m_hprime, (given.m_N1, 0.0)[channel]
    e_star = (m**2 + mh**2 - daughter**2) / (2 * m)
    return e_star, np.sqrt(max(e_star**2 - mh**2, 0.0))


def counts(component, given: Physics, source, molecules, response, knock_out=0.008):
    """Pairs by bin of a response on GRID, (energies, bins), prompt decays."""
    flux, knots = source
    grid, values = GRID, response
    running = np.concatenate(
        [np.zeros((1, values.shape[1])), np.cumsum(0.5 * (values[1:] + values[:-1]) * np.diff(grid)[:, None], axis=0)]
    )
    total = np.zeros(values.shape[1])
    for target, is_bound in TARGETS[component]:
        e_N, _, rate = parents(target, is_bound, given, flux, knots, molecules, knock_out)
        p_N = np.sqrt(np.maximum(e_N**2 - given.m_N2**2, 0.0))
        for channel, branching in enumerate(given.branching):
            if branching == 0.0 or e_N.size == 0:
                continue
            e_star, p_star = decay(given, channel)
            centre, half = e_N * e_star / given.m_N2, p_N * p_star / given.m_N2
            half = np.maximum(half, 1e-5 * centre)
            for k in range(total.size):
                inside = np.interp(centre + half, grid, running[:, k]) - np.interp(centre - half, grid, running[:, k])
                total[k] += branching * np.sum(rate * inside / (2.0 * half))
    return total


def lsnd_energy(low, high):
    """Response in bins of measured energy, GeV; sigma = 0.467 sqrt(E MeV) MeV."""

    sigma = 1e-3 * 0.467 * np.sqrt(1e3 * GRID)[:, None]
    return ndtr((high - GRID[:, None]) / sigma) - ndtr((low - GRID[:, None]) / sigma)


def lsnd_l_over_e(low, high):
    """Response in bins of L/E (m/MeV) by throwing L on a fine grid and adding up measured energies."""
    length = np.linspace(25.85, 34.15, 201)
    share = 1.0 / length**2
    share[[0, -1]] *= 0.5
    share /= share.sum()
    energy = 1e3 * GRID[:, None]
    sigma = 0.467 * np.sqrt(energy)
    total = np.zeros((energy.size, len(low)))
    for path, weight in zip(length, share, strict=True):
        top = np.minimum(path / np.asarray(low) - 1.8, 60.0)
        bottom = np.maximum(path / np.asarray(high) - 1.8, 20.0)
        part = ndtr((top - energy) / sigma) - ndtr((bottom - energy) / sigma)
        total += weight * np.where(top > bottom, part, 0.0)
    return total

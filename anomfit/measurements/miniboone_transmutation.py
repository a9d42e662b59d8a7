"""MiniBooNE's events if every nu_mu became a nu_e: as released, in E_nu^QE, and spread over E_vis and cos(theta).

The release knows true energy and E_nu^QE alone. At a given E_nu^QE the angle fixes E_vis (the experiment's formula);
the angle is drawn from quasi-elastic scattering on a free nucleon. So E_nu^QE is the release's, the rest approximate:
no Fermi motion, no Pauli blocking (which thins out the forward end), no smearing of the angle, one sign of neutrino.
"""

from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.data import load_record
from anomfit.detectors.miniboone import quasi_elastic_edge
from anomfit.measurements.miniboone_plane_tables import Rectangles
from anomfit.physics.quasi_elastic import d_sigma_d_cos

Mode = Literal["neutrino", "antineutrino"]

RECORDS = {"neutrino": "miniboone/fullosc_nu", "antineutrino": "miniboone/fullosc_nubar"}
SPECTRA = {"neutrino": "miniboone/nu_enuqe_2020", "antineutrino": "miniboone/nubar_enuqe_2018"}
ANGLES, PIECES = 400, 24  # of the spread: angles, and energies inside a bin of E_nu^QE


@dataclass(frozen=True)
class TransmutationSample:
    """Events for full nu_mu -> nu_e transmutation: true energy (GeV) and flight length (m) against bins."""

    energy: Float[Array, "true"]
    length: Float[Array, "true"]
    events: Float[Array, "true bins"]


jax.tree_util.register_dataclass(TransmutationSample, data_fields=["energy", "length", "events"], meta_fields=[])


def released(mode: Mode) -> TransmutationSample:
    """In the bins of E_nu^QE."""
    columns = load_record(RECORDS[mode]).columns
    energy = 0.5e-3 * (columns["Etrue_lo_MeV"] + columns["Etrue_hi_MeV"])
    bins = sum(name.startswith("reco_") for name in columns)
    events = np.stack([columns[f"reco_{i}"] for i in range(1, bins + 1)], axis=-1)
    return TransmutationSample(jnp.asarray(energy), jnp.asarray(columns["L_mean_m"]), jnp.asarray(events))


def in_plane(
    mode: Mode, bins: Rectangles, window: tuple[float, float] | None, open_below: bool = True
) -> TransmutationSample:
    """In bins of E_vis and cos(theta), of the events with E_nu^QE (GeV) inside `window`.

    open_below: the lowest edge of the energies counts as open, as that of the published distributions.
    """
    if open_below:
        bins = bins._replace(low=np.where(bins.low == bins.low.min(), -np.inf, bins.low))
    sample = released(mode)
    spectrum = load_record(SPECTRA[mode]).columns
    edges = 1e-3 * np.append(spectrum["E_lo_MeV"], spectrum["E_hi_MeV"][-1])
    cosine = -1.0 + (np.arange(ANGLES) + 0.5) * (2.0 / ANGLES)
    angles = d_sigma_d_cos(np.asarray(sample.energy)[:, None], cosine, mode)
    angles /= angles.sum(axis=1, keepdims=True)
    events = np.zeros((len(sample.energy), len(bins.low)))
    for k, (low, high) in enumerate(pairwise(edges)):
        if window is None or (window[0] <= low and high <= window[1]):
            found = _bins_at(bins, low + (high - low) * (np.arange(PIECES) + 0.5) / PIECES, cosine)
            events += np.asarray(sample.events)[:, k, None] * (angles @ found)
    return TransmutationSample(sample.energy, sample.length, jnp.asarray(events))


def _bins_at(bins: Rectangles, e_nu_qe: np.ndarray, cosine: np.ndarray) -> np.ndarray:
    """Share of these E_nu^QE that falls into each bin at each angle: (angles, bins)."""
    visible = quasi_elastic_edge(e_nu_qe, cosine[:, None])[..., None]
    inside = (bins.low <= visible) & (visible < bins.high)
    here = (bins.cos_low <= cosine[:, None]) & (cosine[:, None] < bins.cos_high)
    return np.mean(inside, axis=1) * here

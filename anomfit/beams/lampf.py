"""The neutrinos of the LAMPF beam stop at LSND: decay in flight (one table for the whole exposure) and at rest."""

from dataclasses import dataclass, replace
from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams.flux import Beam, make_beam
from anomfit.data import load_record
from anomfit.errors import reject
from anomfit.physics.constants import M_C12, M_N, M_P
from anomfit.physics.muon_decay_at_rest import ENDPOINT, muon_antineutrino_spectrum
from anomfit.physics.targets import Target

# one molecule CH2, its nucleons one by one: those of carbon must be knocked out, the free protons not
SCATTERERS = (
    Target("neutron", M_N, 6.0, 0, 1, (("C12", 6.0),)),
    Target("bound proton", M_P, 6.0, 1, 0, (("C12", 6.0),)),
    Target("free proton", M_P, 2.0, 1, 0),
    Target("C12", M_C12, 1.0, 6, 6),
)
FLAVOURS = {"numu+numubar": ("numu", "numubar"), "numu-only": ("numu",)}
TAIL = 10  # last good points, through which the continuation over the pixel floor is fitted


@dataclass(frozen=True)
class StoppedMuonBeam:
    """anti-nu_mu of mu+ at rest: `flux` 1/cm^2 in all; exposure: molecules, one entry. The shape is analytic."""

    flux: Float[Array, ""]
    exposure: Float[Array, "1"]
    composition: tuple[Target, ...]

    highest_energy = ENDPOINT

    def flux_at(self, energy: Float[Array, "..."]) -> Float[Array, "... 1"]:
        """Flux in 1/cm^2/GeV at `energy` in GeV."""
        return (self.flux * muon_antineutrino_spectrum(energy))[..., None]


jax.tree_util.register_dataclass(StoppedMuonBeam, data_fields=["flux", "exposure"], meta_fields=["composition"])


@lru_cache
def in_flight_beam(flavours: str = "numu+numubar") -> Beam:
    """Decay in flight, 28896 C on CH2 of the fiducial volume (exposure: molecules; the flux is that of all protons)."""
    if flavours not in FLAVOURS:
        raise reject("flavours", flavours, f"use one of {', '.join(FLAVOURS)}")
    columns = load_record("lsnd/dif_flux").columns
    energy = 1e-3 * columns["E_nu_MeV"]
    kept = [_continued(energy, columns[name], columns["flag"], name) for name in FLAVOURS[flavours]]
    density = 1e3 * np.sum(kept, axis=0)
    molecules = load_record("lsnd/experiment").values["carbon_nuclei"]
    return make_beam([(energy - 5e-4, energy + 5e-4, density)], [molecules], SCATTERERS)


@lru_cache
def at_rest_beam() -> StoppedMuonBeam:
    """mu+ decay at rest, same exposure."""
    flux = load_record("lsnd/dar_flux").values["integral_numubar"]
    molecules = load_record("lsnd/experiment").values["carbon_nuclei"]
    return StoppedMuonBeam(jnp.asarray(flux), jnp.asarray([molecules]), SCATTERERS)


@lru_cache
def karmen_in_flight_beam(flavours: str = "numu+numubar") -> Beam:
    """The upper bound on decay in flight at KARMEN: its share of decay at rest, with LSND's (harder) shape.

    LSND's flux with an exposure that makes up for the difference, so that a fit to both computes the rates once.
    """
    karmen = load_record("karmen/experiment").values
    own = load_record("lsnd/dif_flux").values["integral_numu"]
    scale = karmen["in_flight_share"] * karmen_at_rest_flux() / own
    return replace(in_flight_beam(flavours), exposure=jnp.asarray([karmen["carbon_nuclei"] * scale]))


@lru_cache
def karmen_at_rest_beam() -> StoppedMuonBeam:
    """mu+ decay at rest at KARMEN, likewise: LSND's flux, the difference in the exposure."""
    scale = karmen_at_rest_flux() / load_record("lsnd/dar_flux").values["integral_numubar"]
    molecules = load_record("karmen/experiment").values["carbon_nuclei"]
    return replace(at_rest_beam(), exposure=jnp.asarray([molecules * scale]))


def karmen_at_rest_flux() -> float:
    """anti-nu_mu through the centre of KARMEN, 1/cm^2."""
    values = load_record("karmen/experiment").values
    return values["numubar_produced"] / (4.0 * np.pi * (1e2 * values["distance"]) ** 2)


def _continued(energy: np.ndarray, flux: np.ndarray, flag: np.ndarray, name: str) -> np.ndarray:
    """The flux with an exponential through the last good points in place of the figure's pixel floor."""
    good = np.array([f"{name}_pixel" not in words.split("+") for words in flag])
    last = np.flatnonzero(good)[-TAIL:]
    slope, height = np.polyfit(energy[last], np.log(flux[last]), 1)
    return np.where(good, flux, np.exp(height + slope * energy))

"""What LSND's projections share: chain, nuisances, options, and counts by component after the electron's efficiency."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams.lampf import at_rest_beam, in_flight_beam
from anomfit.capabilities import Upscatters, over_reactions
from anomfit.data import load_record
from anomfit.detectors import lsnd as detector
from anomfit.detectors.energy_table import EnergyTable
from anomfit.errors import reject
from anomfit.measurements.recoil_pairs import COMPONENTS, RecoilPairChain, pair_counts
from anomfit.parameters import Nuisance, Point
from anomfit.physics import inverse_beta_decay
from anomfit.physics.muon_decay_at_rest import ENDPOINT, muon_antineutrino_spectrum
from anomfit.physics.quadrature import unit_legendre
from anomfit.rates.recoil_events import RecoilNodes

TARGETS = {
    "all": "neutrons and protons one by one, carbon coherently; only neutrons give a correlated photon",
    "neutron": "neutrons of carbon alone, as arXiv:2010.06159",
}
NODES = RecoilNodes(parent=(40, 16), recoil=8)  # of decays in flight and at rest; tests compare with other rules
APPEARANCE_ENERGIES, APPEARANCE_LENGTHS, APPEARANCE_ANGLES = 160, 32, 6


@dataclass(frozen=True)
class AppearanceSample:
    """Events for full transmutation at nodes of true energy (GeV) and distance (m), by bin."""

    energy: Float[Array, "nodes"]
    length: Float[Array, "nodes"]
    events: Float[Array, "nodes bins"]


jax.tree_util.register_dataclass(AppearanceSample, data_fields=["energy", "length", "events"], meta_fields=[])


def lsnd_chain(table: EnergyTable, pair: str, flavours: str) -> RecoilPairChain:
    """Both sources of LSND on CH2 for this response; pair and flavours as the loaders take them."""
    return RecoilPairChain(
        sources=(in_flight_beam(flavours), at_rest_beam()),
        table=table,
        ring=pair,
        nodes=NODES,
        spheres=detector.fiducial_spheres(),
    )


def check_targets(targets: str) -> tuple[str, ...]:
    """The components that count; one of TARGETS, another is refused."""
    if targets not in TARGETS:
        raise reject("targets", targets, f"use one of {', '.join(TARGETS)}")
    return COMPONENTS if targets == "all" else COMPONENTS[:1]


def stated_choices(pair: str, targets: str, flavours: str) -> dict[str, str]:
    """Options in force, and what of the input was recalled, digitised or inferred; unknown options are refused."""
    check_targets(targets)
    knock_out = knock_out_nuisance()
    return {
        "pair": f"{pair}: {detector.RINGS[detector.check_ring(pair)]}",
        "targets": f"{targets}: {TARGETS[targets]}",
        "beam flavours": flavours,
        "flux in flight": "digitised by a third party, scale inferred: 20 %; one shape for both target periods",
        "electron efficiency": "0.42 +- 0.03, recalled from memory, flat in energy",
        "photon efficiency": "recalled from memory; R_gamma > 10 found in a second place",
        "knock-out": f"{1e3 * knock_out.mean:g} MeV: {knock_out.description}",
        "shielding": "neutrinos alone: N_2 and h' made outside of the oil are not counted (docs/lsnd.md)",
    }


def lsnd_nuisances() -> tuple[Nuisance, ...]:
    """Flux, electron efficiency, photon efficiency, knock-out energy: those of every projection."""
    return (
        Nuisance(
            "lsnd_flux",
            r"\phi_{\mathrm{LSND}}",
            0.0,
            1.0,
            "normalisation of the flux in standard deviations: 20 % in flight, 7 % at rest",
        ),
        Nuisance(
            "lsnd_efficiency",
            r"\epsilon_e",
            1.0,
            load_record("lsnd/experiment").values["electron_efficiency_error"],
            "scale of the electron efficiency, 0.42 +- 0.03 (recalled)",
        ),
        Nuisance(
            "lsnd_photon",
            r"\epsilon_\gamma",
            1.0,
            load_record("lsnd/r_gamma").values["photon_efficiency_error"],
            "scale of the correlated photon's efficiency, 0.39 +- 0.03 for R_gamma > 10",
        ),
        knock_out_nuisance(),
    )


def knock_out_nuisance() -> Nuisance:
    """Least kinetic energy (GeV) of a nucleon that leaves carbon: our estimate, between that of arXiv:2010.06159 and
    the neutron's separation energy.
    """
    values = load_record("lsnd/experiment").values
    return Nuisance(
        "neutron_knock_out",
        r"T_n^{\min}\,[\mathrm{GeV}]",
        values["knock_out"],
        values["knock_out_error"],
        "least kinetic energy of a nucleon knocked out of carbon, estimated by us: 13 +- 5 MeV between the 8 MeV of "
        "arXiv:2010.06159 and the neutron's separation energy of 18.7 MeV",
        (values["knock_out_lowest"], values["knock_out_highest"]),
    )


def background_nuisance() -> Nuisance:
    """Scale of the background of neutrinos: the error of the R_gamma > 10 row."""
    table = load_record("lsnd/l_over_e_rgt10").values
    error = table["neutrino_background_error"] / table["neutrino_background"]
    return Nuisance("lsnd_background", r"B_\nu", 1.0, error, f"scale of the neutrino background, {error:.1%}")


def flux_scales(nuisances: Point):
    """Factors of the fluxes in flight and at rest."""
    pull = nuisances.get("lsnd_flux", 0.0)
    errors = [load_record(f"lsnd/{name}").values["normalisation_error"] for name in ("dif_flux", "dar_flux")]
    return 1.0 + jnp.asarray(errors) * pull


def pairs_by_component(model: Upscatters, point: Point, nuisances: Point, chain: RecoilPairChain, kept: Sequence[str]):
    """(counts by component, totals made by component) with the flux's nuisance; without any efficiency of electrons."""
    knock_out = knock_out_nuisance().value_in(nuisances)
    counts, made = over_reactions(model, point, nuisances, lambda one: pair_counts(one, chain, knock_out))
    scales = flux_scales(nuisances)
    counts, made = jnp.einsum("s,scb->cb", scales, counts), scales @ made
    chosen = [COMPONENTS.index(name) for name in kept]
    return {COMPONENTS[i]: counts[i] for i in chosen}, {COMPONENTS[i]: made[i] for i in chosen}


def tagged(counts: Mapping[str, Float[Array, "bins"]], with_neutron, without) -> dict[str, Float[Array, "bins"]]:
    """Counts times the probability of the sample's photon cut, for events with and without a neutron."""
    return {name: part * (with_neutron if name == "neutron" else without) for name, part in counts.items()}


def appearance_angles() -> tuple[np.ndarray, np.ndarray]:
    """Nodes in the positron's cosine to the beam, and weights over [-1, 1]."""
    return np.polynomial.legendre.leggauss(APPEARANCE_ANGLES)


def appearance_nodes(lengths: tuple[np.ndarray, np.ndarray], flux: float, protons: float):
    """anti-nu_mu of mu+ at rest turned into anti-nu_e, on free protons: NumPy arrays by (energy, distance, angle).

    (E_nu, L, positron energy, events): events is the number of inverse beta decays, weights included. flux: 1/cm^2.
    """
    u, w = unit_legendre(APPEARANCE_ENERGIES)
    low = inverse_beta_decay.THRESHOLD
    e_nu = low + (ENDPOINT - low) * u
    rate = np.asarray(muon_antineutrino_spectrum(jnp.asarray(e_nu))) * (ENDPOINT - low) * w
    rate = rate * flux * protons * inverse_beta_decay.cross_section(e_nu)
    cosine, share = appearance_angles()
    lean = 0.5 * share * (1.0 + 3.0 * inverse_beta_decay.mean_cosine(e_nu)[:, None] * cosine)
    positron = inverse_beta_decay.positron_energy(e_nu[:, None], cosine)
    length, near = lengths
    events = rate[:, None, None] * near[None, :, None] * lean[:, None, :]
    shape = events.shape
    return (
        np.broadcast_to(e_nu[:, None, None], shape),
        np.broadcast_to(length[None, :, None], shape),
        np.broadcast_to(positron[:, None, :], shape),
        events,
    )


def appearance_sample(e_nu, length, events, response) -> AppearanceSample:
    """The sample with the angles summed; response: (energy, distance, angle, bins)."""
    by_bin = np.sum(events[..., None] * response, axis=2)
    flat = (by_bin.shape[0] * by_bin.shape[1], by_bin.shape[2])
    return AppearanceSample(
        jnp.asarray(e_nu[..., 0].reshape(-1)),
        jnp.asarray(length[..., 0].reshape(-1)),
        jnp.asarray(by_bin.reshape(flat)),
    )


def lsnd_appearance_nodes():
    """`appearance_nodes` for LSND."""
    values = load_record("lsnd/experiment").values
    flux = load_record("lsnd/dar_flux").values["integral_numubar"]
    lengths = detector.inverse_square(values["nearest"], values["farthest"], APPEARANCE_LENGTHS)
    return appearance_nodes(lengths, flux, values["free_protons"])

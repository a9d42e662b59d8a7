"""COHERENT on argon and caesium iodide: what a heavy neutrino made on whole nuclei adds to recoils of stopped pions'
neutrinos.

The neutrinos end at 52.8 MeV: a heavier N is closed, and counts 0 exactly. N with a radiated scalar is left out: its
pair would be seen, and it is closed where both together are heavier.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache, partial

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float
from scipy.stats import gamma

from anomfit.beams import Target
from anomfit.capabilities import Upscatters
from anomfit.constraints.base import Constraint, Outcome, about_record, against_upper_limit
from anomfit.constraints.made_neutrinos import made_alone
from anomfit.data import Record, load_record
from anomfit.parameters import Point
from anomfit.physics.constants import G_F, GEV2_TO_CM2, M_MU
from anomfit.physics.exchange import Exchange
from anomfit.physics.kinematics import threshold_energy
from anomfit.physics.meson_constants import M_CHARGED_PION
from anomfit.physics.muon_decay_at_rest import ENDPOINT, muon_antineutrino_spectrum
from anomfit.physics.nuclear_form_factors import measured
from anomfit.physics.nuclei import nucleus
from anomfit.physics.quadrature import unit_legendre
from anomfit.rates.interactions import cross_section
from anomfit.statistics.limits import Z_90

KEV = 1e-6  # GeV
MEV_PER_KEV = 1e-3
PROMPT = 0.5 * (M_CHARGED_PION**2 - M_MU**2) / M_CHARGED_PION  # GeV, nu_mu of pi+ at rest
UNIT = 1e-39  # cm^2
FLAVOURS = 3.0  # nu_mu, nu_e and anti-nu_mu of a stopped pi+
SIN2_THETA_W = 0.2387  # at low Q^2, PDG 2024
NUCLEI: Mapping[str, tuple[str, ...]] = {"argon": ("Ar40",), "csi": ("Cs133", "I127")}  # as many of each
RECOILS = np.linspace(0.0, 50.0, 101)  # keV, of caesium and iodine; theirs end at 47 keV
NODES = 32  # of the recoil's integral

Efficiency = tuple[Float[np.ndarray, "recoils"], Float[np.ndarray, "recoils"]]  # recoil energy (GeV), share selected


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    record = load_record("accelerators/coherent")
    argon, csi = record.parts["argon"], record.parts["csi"]
    table = load_record("accelerators/coherent_argon_efficiency").columns
    released = KEV * table["recoil_keV"], table["efficiency"]
    return (
        _row(argon, "coherent-argon", "argon", "2017-2018", released),
        _row(csi, "coherent-csi", "csi", "2015-2019", efficiency_of_csi(csi.values)),
    )


def _row(record: Record, name: str, target: str, era: str, efficiency: Efficiency) -> Constraint:
    about = about_record(
        record,
        name=name,
        quantity="cross section a nucleus that new exchanges add, averaged over the flux",
        unit="1e-39 cm^2",
        kind="upper limit",
        era=era,
        assumption="nu_mu and anti-nu_mu make a heavy neutrino up to 53 MeV; its recoils alone count, with the "
        "released efficiency over that of the Standard Model's; no radiated scalars",
        accepts=(Upscatters,),
    )
    values = record.values
    recoil, share = efficiency
    data = {
        "limit": np.asarray(values["value"] + Z_90 * values["sigma"] - values["standard_model"]),
        "recoil": recoil,
        "efficiency": share,
        "share_seen": np.asarray(_share_seen(NUCLEI[target], efficiency)),
    }
    return Constraint(data, about, partial(_added, NUCLEI[target]))


def _added(nuclei: tuple[str, ...], model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    total = jnp.zeros(())
    for made in made_alone(model, point, nuisances):
        total = total + made.unseen * selected_section(made.exchange, nuclei, data)
    return against_upper_limit(total / (UNIT * data["share_seen"]), data["limit"])


def selected_section(exchange: Exchange, nuclei: tuple[str, ...], data: Mapping[str, ArrayLike]) -> Float[Array, ""]:
    """Cross section (cm^2) of the exchange, mean of the nuclei and over the flux, of recoils that are selected.

    data: "recoil", energies (GeV), and the "efficiency" there.
    """
    total = jnp.zeros(())
    for name in nuclei:
        own = nucleus(name)
        target = Target(own.name, own.mass, 1.0, own.protons, own.neutrons)

        def seen(q_squared, mass=own.mass):
            return jnp.interp(q_squared / (2.0 * mass), data["recoil"], data["efficiency"])

        def section(e_nu, target=target, seen=seen):
            return cross_section(exchange, e_nu, target, NODES, seen)

        total = total + averaged_over_stopped_pions(section, threshold_energy(exchange.m_N, own.mass)) / len(nuclei)
    return total


def averaged_over_stopped_pions(cross_section: Callable, lowest, nodes: int = 24) -> Float[Array, ""]:
    """Mean over nu_mu, nu_e, anti-nu_mu of a stopped pi+; `cross_section` of the energy (GeV), 0 up to `lowest` and for
    nu_e.
    """
    u, w = unit_legendre(nodes)
    span = ENDPOINT - jnp.minimum(lowest, ENDPOINT)
    energy = ENDPOINT - span * jnp.asarray(1.0 - u)
    late = span * jnp.sum(w * muon_antineutrino_spectrum(energy) * jax.vmap(cross_section)(energy))
    return (cross_section(PROMPT) + late) / FLAVOURS


# -- what is seen -----------------------------------------------------------------------------------------------------


def efficiency_of_csi(values: Mapping[str, float]) -> Efficiency:
    """Recoil energies (GeV) and the share of them that is selected.

    COHERENT, arXiv:2110.07730, release: a recoil makes light like an electron of a lower energy (a polynomial), the
    photoelectrons of which follow a gamma distribution; the selection knows photoelectrons alone.
    """
    recoil = MEV_PER_KEV * RECOILS
    powers = [values[f"light_{k}"] * recoil**k for k in (1, 2, 3, 4)]
    light = np.sum(powers, axis=0) / MEV_PER_KEV  # electron-equivalent keV
    mean = values["light_yield"] * light[:, None]
    shape = 1.0 + values["width"] * light[:, None]
    photoelectrons = np.arange(0.25, 150.0, 0.5)
    density = gamma.pdf(photoelectrons, shape, scale=np.maximum(mean, 1e-9) / shape)
    a, b, c, d = (values[f"efficiency_{letter}"] for letter in "abcd")
    selected = np.maximum(a / (1.0 + np.exp(-b * (photoelectrons - c))) + d, 0.0)
    return KEV * RECOILS, np.where(RECOILS > 0.0, 0.5 * density @ selected, 0.0)


def _share_seen(nuclei: tuple[str, ...], efficiency: Efficiency) -> float:
    """Share of the Standard Model's recoils that is selected, mean of the nuclei."""
    shares = [standard_model(name, efficiency) / standard_model(name) for name in nuclei]
    return float(np.mean(shares))


def standard_model(name: str, efficiency: Efficiency | None = None, nodes: int = 200) -> float:
    """Coherent cross section (cm^2) of the Standard Model, selected recoils alone, averaged over the flux.

    G_F^2 M Q_w^2/(4 pi) (1 - M T/(2 E^2)) F^2 with the measured charge radius for protons and neutrons.
    """
    own = nucleus(name)
    weak = own.neutrons - (1.0 - 4.0 * SIN2_THETA_W) * own.protons
    u, w = unit_legendre(nodes)
    with jax.ensure_compile_time_eval():
        energies = np.append(ENDPOINT * u, PROMPT)
        most = 2.0 * energies**2 / (own.mass + 2.0 * energies)
        recoil = most[:, None] * u
        form = np.asarray(measured(jnp.asarray(2.0 * own.mass * recoil), own.charge_radius))
        rate = (1.0 - own.mass * recoil / (2.0 * energies[:, None] ** 2)) * form**2
        seen = 1.0 if efficiency is None else np.interp(recoil, *efficiency)
        strength = GEV2_TO_CM2 * G_F**2 * own.mass * weak**2 / (4.0 * np.pi)
        sections = strength * most * ((rate * seen) @ w)
        nu_mu_bar = np.asarray(muon_antineutrino_spectrum(jnp.asarray(ENDPOINT * u)))
    nu_e = 12.0 * u**2 * (1.0 - u) / ENDPOINT
    late = ENDPOINT * float(w @ ((nu_mu_bar + nu_e) * sections[:-1]))
    return (float(sections[-1]) + late) / FLAVOURS

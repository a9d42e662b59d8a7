"""COHERENT on caesium iodide: what a heavy neutrino made on whole nuclei adds to recoils of stopped pions' neutrinos.

The neutrinos end at 52.8 MeV: a heavier N is closed, and counts 0 exactly. N with a radiated scalar is left out: its
pair would be seen, and it is closed where both together are heavier.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np

from anomfit.beams import Target
from anomfit.capabilities import Upscatters
from anomfit.constraints.base import About, Constraint, Outcome, against_upper_limit
from anomfit.constraints.low_energy import FLAVOURS, PROMPT, UNIT, averaged_over_stopped_pions
from anomfit.constraints.made_neutrinos import made_alone
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.constants import G_F, GEV2_TO_CM2
from anomfit.physics.kinematics import threshold_energy
from anomfit.physics.muon_decay_at_rest import ENDPOINT, muon_antineutrino_spectrum
from anomfit.physics.nuclear_form_factors import measured
from anomfit.physics.nuclei import nucleus
from anomfit.physics.quadrature import unit_legendre
from anomfit.rates.interactions import cross_section
from anomfit.statistics.limits import Z_90

NUCLEI = ("Cs133", "I127")
SIN2_THETA_W = 0.2387  # at low Q^2, PDG 2024


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (_csi(),)


def _csi() -> Constraint:
    record = load_record("accelerators/single_photons").parts["coherent_csi"]
    values = record.values
    about = About(
        name="coherent-csi",
        title=record.title,
        quantity="cross section, mean of caesium and iodine, that new exchanges add, averaged over the flux",
        unit="1e-39 cm^2",
        kind="recalled",
        era="2015-2019",
        source=record.source,
        assumption="recoils alone count, above 8 keV, as if distributed as the Standard Model's; no radiated scalars",
        references=record.references,
        accepts=(Upscatters,),
    )
    data = {
        "limit": np.asarray(values["value"] + Z_90 * values["sigma"] - values["standard_model"]),
        "threshold": np.asarray(values["threshold"]),
        "share_seen": np.asarray(_share_seen(values["threshold"])),
    }
    return Constraint(data, about, _on_csi)


def _on_csi(model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    """What is added above the threshold, as if it were distributed as the Standard Model's."""
    total = jnp.zeros(())
    for name in NUCLEI:
        own = nucleus(name)
        target = Target(own.name, own.mass, 1.0, own.protons, own.neutrons)
        least = 2.0 * own.mass * data["threshold"]
        for made in made_alone(model, point, nuisances):
            exchange, lowest = made.exchange, threshold_energy(made.exchange.m_N, own.mass)
            section = _section(exchange, target, least)
            total = total + 0.5 * made.unseen * averaged_over_stopped_pions(section, lowest)
    return against_upper_limit(total / (UNIT * data["share_seen"]), data["limit"])


def _section(exchange, target: Target, least):
    return lambda e_nu: cross_section(exchange, e_nu, target, least=least)


def _share_seen(threshold: float, nodes: int = 200) -> float:
    """Share of the Standard Model's recoils above a threshold (GeV), mean of the nuclei."""
    shares = [standard_model(name, threshold, nodes) / standard_model(name, 0.0, nodes) for name in NUCLEI]
    return float(np.mean(shares))


def standard_model(name: str, threshold: float = 0.0, nodes: int = 200) -> float:
    """Coherent cross section (cm^2) of the Standard Model above a recoil energy (GeV), averaged over the flux.

    G_F^2 M Q_w^2/(4 pi) (1 - M T/(2 E^2)) F^2 with the measured charge radius for protons and neutrons.
    """
    own = nucleus(name)
    weak = own.neutrons - (1.0 - 4.0 * SIN2_THETA_W) * own.protons
    u, w = unit_legendre(nodes)
    with jax.ensure_compile_time_eval():

        def section(energy: float) -> float:
            most = 2.0 * energy**2 / (own.mass + 2.0 * energy)
            if most <= threshold:
                return 0.0
            recoil = threshold + (most - threshold) * u
            form = np.asarray(measured(jnp.asarray(2.0 * own.mass * recoil), own.charge_radius))
            rate = (1.0 - own.mass * recoil / (2.0 * energy**2)) * form**2
            return GEV2_TO_CM2 * G_F**2 * own.mass * weak**2 / (4.0 * np.pi) * float(w @ rate) * (most - threshold)

        energies = ENDPOINT * u
        nu_mu_bar = np.asarray(muon_antineutrino_spectrum(jnp.asarray(energies)))
        share = energies / ENDPOINT
        nu_e = 12.0 * share**2 * (1.0 - share) / ENDPOINT
        sections = np.array([section(float(energy)) for energy in energies])
        late = ENDPOINT * float(w @ ((nu_mu_bar + nu_e) * sections))
    return (section(PROMPT) + late) / FLAVOURS

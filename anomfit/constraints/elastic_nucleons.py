"""Neutral-current elastic scattering in MiniBooNE: what nu N -> nu_4 N adds to d sigma/dQ^2 on the nucleons of oil.

A heavy neutrino that shows nothing leaves a nucleon alone, as the Z does. Scalars that come with it, and decays of it
to pairs, would be seen as light of electrons: those events are no neutral-current elastic ones.
"""

from functools import lru_cache

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.beams import Beam
from anomfit.beams.booster import miniboone_beam
from anomfit.capabilities import Upscatters
from anomfit.constraints.base import About, Constraint, Outcome, against_upper_limit
from anomfit.constraints.made_neutrinos import made_alone
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics.constants import GEV2_TO_CM2
from anomfit.physics.exchange import Exchange, d_sigma_d_q_squared
from anomfit.physics.neutral_current_elastic import d_sigma_d_q_squared as standard_model
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.targets import FormFactors, allowed_fraction, stack_targets
from anomfit.statistics.limits import Z_90

UNIT = 1e-39  # cm^2
ENERGIES, TRANSFERS = 64, 32
BOUND = FormFactors("dipole", "measured", 1.0, "fermi-gas")  # what Pauli's principle leaves, for the Standard Model


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return (_miniboone(),)


def _miniboone() -> Constraint:
    record = load_record("accelerators/numu_nc_elastic")
    table = record.columns
    edges = np.append(table["Q2_lo_GeV2"], table["Q2_hi_GeV2"][-1])
    width = np.diff(edges)
    measured, error = (float(width @ table[name]) for name in ("d_sigma_dQ2_cm2_GeV2", "error_cm2_GeV2"))
    beam = miniboone_beam("numu-only", "neutrino")
    expected = float(width @ standard_model_in_bins(beam, edges, record.values["axial_mass"]))
    about = About(
        name="miniboone-nc-elastic",
        title=record.title,
        quantity="cross section per nucleon that heavy neutrinos add, Q^2 of 0.10 to 1.66 GeV^2",
        unit="1e-39 cm^2",
        kind="upper limit",
        era="2002-2010",
        source="MiniBooNE, arXiv:1007.4730, as NUISANCE carries it",
        assumption=(
            "all bins as one number, errors fully correlated; the Standard Model with the axial mass of deuterium on a "
            "Fermi gas, nothing of final states; what shows a pair does not count"
        ),
        references=record.references,
        accepts=(Upscatters,),
        samples=("MiniBooNE neutral-current elastic",),
    )
    limit = np.asarray((measured - expected + Z_90 * error) / UNIT)
    data = {"limit": limit, "edges": edges[[0, -1]], "beam": beam}
    return Constraint(data, about, _added, integral=True)


def _added(model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    low, high = data["edges"][0], data["edges"][1]
    u, w = unit_legendre(TRANSFERS)
    q_squared = low + (high - low) * jnp.asarray(u)
    found = jnp.zeros(())
    for made in made_alone(model, point, nuisances):
        density = flux_averaged(made.exchange, data["beam"], q_squared)
        found = found + made.unseen * (high - low) * jnp.sum(w * density)
    return against_upper_limit(found / UNIT, data["limit"])


def flux_averaged(exchange: Exchange, beam: Beam, q_squared: Float[Array, " n"]) -> Float[Array, " n"]:
    """d sigma/dQ^2 (cm^2/GeV^2) per nucleon of the molecule at Q^2 (GeV^2), averaged over the first beam's flux."""
    targets = stack_targets(tuple(target for target in beam.composition if not target.is_nucleus))
    u, w = unit_legendre(ENERGIES)

    def at(q2: Float[Array, ""]):
        start = jnp.minimum(least_energy(q2, exchange.m_N, targets.mass), beam.highest_energy)
        span = beam.highest_energy - start
        energy = start + span * jnp.asarray(u**2)[:, None]
        section = d_sigma_d_q_squared(exchange, energy, jnp.broadcast_to(q2, energy.shape), targets)
        over_flux = jnp.sum(section * beam.flux_at(energy)[..., 0] * (2.0 * u * w)[:, None] * span, axis=0)
        return over_flux @ targets.number / np.sum(targets.number)

    return jax.vmap(at)(q_squared) / _whole_flux(beam)


def least_energy(q_squared, m_N, m_target):
    """Neutrino energy (GeV) from which nu + target -> N + target has this Q^2 (GeV^2) among its own.

    (1 + m_N^2/Q^2) (T + sqrt(T^2 + Q^2))/2 with the recoil T = Q^2/(2M): the N that flies back in the frame of the
    momentum transfer.
    """
    recoil = q_squared / (2.0 * m_target)
    return 0.5 * (1.0 + m_N**2 / q_squared) * (recoil + jnp.sqrt(recoil**2 + q_squared))


def standard_model_in_bins(
    beam: Beam, edges: Float[np.ndarray, " n+1"], m_axial: float, incoming: str = "neutrino", nodes: int = 4
) -> Float[np.ndarray, " n"]:
    """Mean of d sigma/dQ^2 (cm^2/GeV^2) by the Z in each bin, per nucleon of the molecule, averaged over the flux."""
    targets = stack_targets(tuple(target for target in beam.composition if not target.is_nucleus))
    u, w = unit_legendre(nodes)
    place = edges[:-1, None] + np.diff(edges)[:, None] * u
    x, weight = unit_legendre(400)
    found = np.zeros(place.shape)
    with jax.ensure_compile_time_eval():
        top = float(beam.highest_energy)
        energy = top * x
        flux = np.asarray(beam.flux_at(jnp.asarray(energy)))[:, 0]
        for i, name in enumerate(targets.name):
            left = np.asarray(allowed_fraction(i, jnp.asarray(place), targets, BOUND))
            section = standard_model(name, energy[:, None, None], place, incoming, m_axial)
            own = np.einsum("e,eqn->qn", weight * flux * top, section) * left
            found += targets.number[i] / np.sum(targets.number) * own
        whole = float(_whole_flux(beam))
    return GEV2_TO_CM2 * (found @ w) / whole


def _whole_flux(beam: Beam) -> Float[Array, ""]:
    """The first beam's flux, all energies together, 1/cm^2/POT."""
    return beam.step * jnp.sum(beam.flux[:, 0])

"""Pairs that look like one photon in NOMAD, and pairs that begin in the argon gas of ND280, however they are made.

A pair comes from a heavy neutrino made alone, or from a scalar that is radiated with it.
"""

from functools import lru_cache, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.beams import Beam, make_beam
from anomfit.beams.molecules import compound, molecules
from anomfit.capabilities import Upscatters
from anomfit.constraints.base import About, Constraint, Outcome, against_upper_limit
from anomfit.constraints.made_neutrinos import over_decays, over_radiated, radiated_section
from anomfit.data import load_record
from anomfit.parameters import Point
from anomfit.physics import charged_current
from anomfit.physics.boson_strahlung import Nodes, Radiation, threshold_energy
from anomfit.physics.quadrature import unit_legendre
from anomfit.physics.reaction import RadiatedReaction, Reaction
from anomfit.rates.interactions import cross_section, interactions

SHORTEST = 1e-9  # m: a flight that is as good as none
CARBON = compound({"C12": 1.0})
RADIATED = Nodes(12, 16, 6)
ARGON_MASS, ENERGIES = 39.948, 32  # g/mol
MEAN_ENERGY, DEPTH = 1.0, 0.9  # GeV, of what flies; m, of a chamber: round numbers


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return _nomad(), _gas()


# -- NOMAD ------------------------------------------------------------------------------------------------------------


def _nomad() -> Constraint:
    record = load_record("accelerators/single_photons").parts["nomad"]
    about = About(
        name="nomad-single-photon",
        title=record.title,
        quantity="pairs per charged-current event on carbon",
        unit="1",
        kind="argument",
        era="1995-1998",
        source=record.source,
        assumption="at the mean energy of the flux; a pair passes as a photon of a coherent pi0, whatever its angle",
        references=record.references,
        accepts=(Upscatters,),
    )
    energy = record.values["energy"]
    muons = float(charged_current.cross_section(np.asarray(energy), "C12"))
    data = {name: np.asarray(record.values[name]) for name in ("energy", "limit", "length")}
    return Constraint({**data, "muons": np.asarray(muons)}, about, _photons)


def _photons(model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    """Cross section on a carbon atom for pairs that begin within the target, over the charged current's."""
    energy, length = data["energy"], data["length"]

    def of_radiated(one: RadiatedReaction):
        section = sum(t.count * radiated_section(one.production, energy, t.alone, RADIATED) for t in CARBON)
        return one.visible * _begins(one.pair.flight, energy, length) * section

    def of_alone(one: Reaction):
        section = sum(t.count * cross_section(one.production, energy, t.alone) for t in CARBON)
        return one.visible * _begins(None if one.prompt else one.flight, energy, length) * section

    found = over_radiated(model, point, nuisances, of_radiated) + over_decays(model, point, nuisances, of_alone)
    return against_upper_limit(found / data["muons"], data["limit"])


def _begins(flight: ArrayLike | None, energy: ArrayLike, length: ArrayLike) -> Float[Array, ""]:
    """Share of what flies `flight` (c tau/m, m/GeV; None: at once) at this energy (GeV) that decays within a length."""
    if flight is None:
        return jnp.ones(())
    return -jnp.expm1(-jnp.asarray(length) / jnp.maximum(flight * jnp.asarray(energy), SHORTEST))


# -- ND280 ------------------------------------------------------------------------------------------------------------


def _gas() -> Constraint:
    record = load_record("accelerators/single_photons").parts["nd280_gas"]
    values = record.values
    about = About(
        name="nd280-gas",
        title=record.title,
        quantity="pairs that begin in the gas",
        unit="events",
        kind="no public data",
        era="2010-2017",
        source=record.source,
        assumption="both beams, every pair counts; those that fly into the gas from elsewhere are nd280-fgd1's",
        references=record.references,
        accepts=(Upscatters,),
    )
    atoms = molecules(values["mass"], ARGON_MASS)
    tables, exposures = [], []
    for flux, exposure in (("nd280_fhc", "pot_nu"), ("nd280_rhc", "pot_nubar")):
        columns = load_record(f"accelerators/flux_{flux}").columns
        tables.append((columns["E_lo_GeV"], columns["E_hi_GeV"], columns["numu"] + columns["numubar"]))
        exposures.append(values[exposure] * atoms)
    beam = make_beam(tables, exposures, compound({"Ar40": 1.0}))
    data: dict[str, Any] = {"beam": beam, "length": np.asarray(DEPTH)}
    return Constraint(data, about, _begun, integral=True)


def _begun(model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    beam, length = data["beam"], data["length"]

    def of_radiated(one: RadiatedReaction):
        return one.visible * _begins(one.pair.flight, MEAN_ENERGY, length) * _radiated(one.production, beam)

    def of_alone(one: Reaction):
        made = jnp.sum(interactions(one.production, beam))
        return one.visible * _begins(None if one.prompt else one.flight, MEAN_ENERGY, length) * made

    total = over_radiated(model, point, nuisances, of_radiated) + over_decays(model, point, nuisances, of_alone)
    return Outcome(total, jnp.asarray(jnp.inf), jnp.zeros_like(total))


def _radiated(process: Radiation, beam: Beam) -> Float[Array, ""]:
    """Scalars radiated in the exposures, all targets."""
    u, w = unit_legendre(ENERGIES)
    total = jnp.zeros(())
    for target in beam.composition:
        start = threshold_energy(process.m_N, process.bare.m_scalar, target.mass)
        start = jnp.minimum(start, beam.highest_energy)
        span = beam.highest_energy - start
        energy = start + span * jnp.asarray(u**3)
        section = jax.vmap(partial(radiated_section, process, target=target.alone, nodes=RADIATED))(energy)
        total = total + target.count * jnp.sum((section * 3.0 * u**2 * w * span) @ beam.flux_at(energy) * beam.exposure)
    return total

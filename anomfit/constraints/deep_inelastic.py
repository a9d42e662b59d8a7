"""Deep-inelastic scattering by a light vector: heavy neutrinos made off quarks, at CDHS and in IceCube.

The quarks are struck one by one (`anomfit.physics.deep_inelastic`). Events with a radiated scalar as well are left out:
they are fewer by the square of a coupling over 4 pi.
"""

from functools import lru_cache, partial

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.capabilities import HasLightVectors, Upscatters
from anomfit.constraints.base import (
    About,
    Constraint,
    Kind,
    Outcome,
    about_record,
    against_measurement,
    against_upper_limit,
    measured_number,
)
from anomfit.constraints.made_neutrinos import made_alone
from anomfit.data import Record, load_record
from anomfit.parameters import Point
from anomfit.physics.deep_inelastic import cross_section, quark_charges
from anomfit.physics.vector_exchange import VectorExchange

PICOBARN = 1e-36  # cm^2
SCALARS = "a scalar's exchange falls as 1/energy^2 against the neutral current: nothing of it is left at these energies"


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of this family."""
    return _cdhs(), _icecube()


def added(model: Upscatters, point: Point, nuisances: Point, e_nu: ArrayLike, least: float = 0.0) -> Float[Array, ""]:
    """Cross section (cm^2 per nucleon) of nu -> N off quarks at an energy, with that much hadronic energy (GeV)."""
    found = jnp.zeros(())
    for made in made_alone(model, point, nuisances):
        exchange = made.exchange
        if isinstance(exchange, VectorExchange):
            neutron = jnp.zeros_like(exchange.charge_p) if exchange.charge_n is None else exchange.charge_n
            charges = quark_charges(exchange.charge_p, neutron)
            each = zip(exchange.mass, exchange.g, *charges, strict=True)  # several vectors: without their interference
            found = found + sum(cross_section(e_nu, m, g, c_u, c_d, least) for m, g, c_u, c_d in each)
    return found


def _about(record: Record, name: str, quantity: str, kind: Kind, era: str, words: str, without: float = 0.0) -> About:
    return about_record(
        record,
        name=name,
        quantity=quantity,
        unit="1",
        kind=kind,
        era=era,
        assumption=words,
        references=(*record.references, "arXiv:hep-ph/9712415"),
        accepts=((Upscatters, HasLightVectors),),
        other_spins=SCALARS,
        without=without,
    )


def _cdhs() -> Constraint:
    record = load_record("accelerators/neutrino_dis").parts["cdhs"]
    words = "quarks one by one at the mean energy, hadrons above 10 GeV; pairs of the heavy neutrino go unnoticed"
    about = _about(
        record,
        "neutral-current-quarks",
        "heavy neutrinos off quarks over the neutral current",
        "upper limit",
        "1984",
        words,
    )
    data = {name: np.asarray(record.values[name]) for name in ("energy", "slope", "limit")}
    return Constraint(data, about, partial(_neutral_current, record.values["hadrons"]))


def _neutral_current(least: float, model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    found = added(model, point, nuisances, data["energy"], least)
    return against_upper_limit(found / (data["slope"] * data["energy"]), data["limit"])


def _icecube() -> Constraint:
    record = load_record("accelerators/neutrino_dis")
    part = record.parts["icecube"]
    energy = part.values["energy"]
    words = (
        "quarks one by one at 50 TeV; a neutrino that becomes a heavy one is lost in the Earth; the published central "
        "value is 1.3 times the Standard Model's"
    )
    about = _about(part, "icecube-absorption", "cross section over the Standard Model", "measured", "2010", words, 1.0)
    table = record.columns
    both = sum(np.interp(energy, table["E_GeV"], table[f"{beam}_{current}_pb"]) for beam, current in _CHANNELS)
    numbers = measured_number(*(part.values[name] for name in ("value", "sigma_minus", "sigma_plus")))
    data = {**numbers, "energy": np.asarray(energy), "standard_model": np.asarray(0.5 * PICOBARN * both)}
    return Constraint(data, about, _absorbed)


_CHANNELS = [(beam, current) for beam in ("nu", "nubar") for current in ("cc", "nc")]


def _absorbed(model: Upscatters, point: Point, nuisances: Point, data) -> Outcome:
    ratio = added(model, point, nuisances, data["energy"]) / data["standard_model"]
    return against_measurement(1.0 + ratio, data)

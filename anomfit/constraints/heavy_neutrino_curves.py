"""Published limits on the mixing of heavy neutrinos, by name, and how a model's states compare with one of them."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from anomfit.capabilities import MixesElectronNeutrinos, MixesMuonNeutrinos
from anomfit.constraints.base import NOT_IN_TABLE, Outcome
from anomfit.data import Record, load_record
from anomfit.statistics.limits import FARTHEST, decades_above, is_covered, log_limit

MIXES = {
    "muon": {"accepts": (MixesMuonNeutrinos,), "other_spins": "its heavy neutrinos do not mix with nu_mu"},
    "electron": {
        "accepts": (MixesElectronNeutrinos,),
        "other_spins": "its heavy neutrinos do not mix with nu_e: no electron comes with them, no nucleus decays",
    },
}
"""What a constraint on the mixing with a flavour accepts, and why it is silent about others."""

TABLE = "kaon/heavy_neutrino_mixing"
NO_REACH = 1e-12
HARMLESS = -0.2  # decades: what lies farther below a curve changes no likelihood


def mixing_curve(name: str, lightest: float = 0.0) -> dict[str, np.ndarray]:
    """Masses (GeV), ascending, from `lightest` on, and the limit `low` on a squared mixing."""
    columns = load_record(TABLE).columns
    rows = (columns["curve"] == name) & (columns["m_GeV"] >= lightest)
    return {"m": columns["m_GeV"][rows], "low": columns["limit"][rows]}


def search(name: str) -> Record:
    """What is known of a search: source, geometry."""
    return load_record(TABLE).parts[name]


def numbers_of(record: Record) -> dict[str, np.ndarray]:
    """Its values as leaves."""
    return {name: np.asarray(value) for name, value in record.values.items()}


def nearest_state(mass: Float[Array, " states"], mixing, reach, data) -> Outcome:
    """Squared mixings, of which a search sees the share `reach`, against a curve (`m`, `low`).

    One state speaks for all, since lines at different masses do not help each other: the nearest or the farthest above
    the curve, of those that have one unless another, just beyond its ends, is as good as excluded. The limit is the
    curve over `reach`, infinite without reach.
    """
    decades = jax.vmap(lambda m, value: decades_above(m, value, data["m"], data["low"]))(mass, mixing * reach)
    covered = is_covered(mass, data["m"])
    chosen = jnp.argmax(jnp.where(covered | (decades > HARMLESS), decades, decades - 4.0 * FARTHEST))
    sees = reach[chosen] > NO_REACH
    limit = 10.0 ** log_limit(mass[chosen], data["m"], data["low"]) / jnp.where(sees, reach[chosen], 1.0)
    known = jnp.where(covered[chosen], limit, NOT_IN_TABLE)
    return Outcome(mixing[chosen], jnp.where(sees, known, jnp.inf), 10.0 ** decades[chosen])

"""What KOTO sees of K_L -> pi0 X, X invisible: events for a branching ratio, by mass of X and era."""

from collections.abc import Mapping
from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, ArrayLike, Float

from anomfit.data import load_record
from anomfit.physics.meson_constants import M_NEUTRAL_KAON, M_NEUTRAL_PION

EVENTS_AT_LIMIT = float(np.log(10.0))
"""Expected events that 90 % of repetitions would show one of, 2.30: a 90 % CL limit without candidates."""

FIRST_ERA = "2015"


@lru_cache
def koto_sensitivity(era: str) -> Mapping[str, np.ndarray]:
    """Masses (GeV) and events per unit branching ratio of an era of data/koto/eras.

    The curve of 2015 (limit without candidates, so 2.30 over the events) times the ratio of the sensitivities to
    K_L -> pi0 nu nubar: the acceptance is taken to depend on the mass as it did. 0 from the end of phase space on. At
    the pi0 mass 2021 comes out as 1.7e-9 where the publication has 1.6e-9.
    """
    curve, eras = load_record("koto/kl_pi0_X_2015").columns, load_record("koto/eras").parts
    gain = eras[FIRST_ERA].values["ses"] / eras[era].values["ses"]
    masses = np.append(curve["m_X_GeV"], M_NEUTRAL_KAON - M_NEUTRAL_PION)
    return {"m": masses, "events": np.append(gain * EVENTS_AT_LIMIT / curve["limit"], 0.0)}


def events_per_rate(sensitivity: Mapping[str, ArrayLike], m: ArrayLike) -> Float[Array, "..."]:
    """Expected events over the branching ratio at mass m (GeV), linear between the curve's points."""
    return jnp.interp(jnp.asarray(m), jnp.asarray(sensitivity["m"]), jnp.asarray(sensitivity["events"]))

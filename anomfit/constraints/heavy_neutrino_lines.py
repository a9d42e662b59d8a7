"""Lines of a heavy neutrino N in pi, K -> l N, which a search misses where it sees N decay and vetoes the event.

One of them is no limit: the largest excess that NA62 found in K+ -> e+ N.
"""

from functools import lru_cache, partial
from typing import Literal, NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Float

from anomfit.capabilities import MixesElectronNeutrinos, MixesHeavyNeutrinos, MixesMuonNeutrinos
from anomfit.constraints.base import About, Constraint, Outcome
from anomfit.constraints.heavy_neutrino_curves import MIXES, mixing_curve, nearest_state, numbers_of, search
from anomfit.parameters import Point
from anomfit.physics.constants import M_E, M_MU
from anomfit.physics.heavy_neutrino_decays import meson_to_lepton_neutrino
from anomfit.physics.heavy_neutrinos import HeavyNeutrinos, momentum_in_flight, seen_inside
from anomfit.physics.meson_constants import M_CHARGED_KAON, M_CHARGED_PION
from anomfit.physics.two_body import two_body_energy

UNSEEN_DECAYS = 0.005
"""Part of the decays inside a detector that its vetoes miss: the inefficiency for photons of arXiv:2007.11813, appendix
B.k. It says that theirs is larger, and that limits weaken 200 times or more; a larger one weakens them less."""

PARENTS = {"K": M_CHARGED_KAON, "pi": M_CHARGED_PION}
LEPTONS = {"electron": M_E, "muon": M_MU}


@lru_cache
def constraints() -> tuple[Constraint, ...]:
    """All of them."""
    return (*map(_peak, _PEAKS), _hint())


class _Peak(NamedTuple):
    curve: str
    name: str
    parent: Literal["K", "pi"]
    lepton: Literal["electron", "muon"]
    era: str


_PEAKS = (
    _Peak("PSI_1987_muon", "line-psi-muon", "pi", "muon", "1987"),
    _Peak("PIENU_2019_muon_high", "line-pienu-muon", "pi", "muon", "2009-2012"),
    _Peak("PIENU_2019_muon_low", "line-pienu-slow-muon", "pi", "muon", "2009-2012"),
    _Peak("KEK_1982_muon", "line-kek-muon", "K", "muon", "1982"),
    _Peak("E949_2015_muon", "line-e949-muon", "K", "muon", "2002"),
    _Peak("NA62_2021_muon", "line-na62-muon", "K", "muon", "2016-2018"),
    _Peak("TRIUMF_1992_electron", "line-triumf-electron", "pi", "electron", "1992"),
    _Peak("PIENU_2017_electron", "line-pienu-electron", "pi", "electron", "2009-2012"),
    _Peak("NA62_pion_2025_electron", "line-na62-pion-electron", "pi", "electron", "2017-2024"),
    _Peak("KEK_1981_electron", "line-kek-electron", "K", "electron", "1981"),
    _Peak("NA62_2020_electron", "line-na62-electron", "K", "electron", "2016-2018"),
)


def _peak(row: _Peak) -> Constraint:
    record = search(row.curve)
    vetoes = record.values["size"] > 0.0
    size = f"within {record.values['size']:g} m"
    vetoed = f"visible decays {size} are vetoed but for {UNSEEN_DECAYS:.1%}, invisible ones are not"
    words = vetoed if vetoes else "what N decays to does not matter: no veto is known"
    about = About(
        name=row.name,
        title=record.title,
        quantity=f"|U_{row.lepton} j|^2 of the nearest N",
        unit="1",
        kind="curve",
        era=row.era,
        source=record.source,
        assumption=words,
        references=record.references,
        ceiling=1.0,
        **MIXES[row.lepton],
    )
    return Constraint({**mixing_curve(row.curve), **numbers_of(record)}, about, partial(_line, row.parent, row.lepton))


def _line(parent: str, lepton: str, model: MixesHeavyNeutrinos, point: Point, nuisances: Point, data) -> Outcome:
    states = model.heavy_neutrinos(point)
    reach = not_vetoed(states, parent, lepton, data) * made_beyond(states.size, parent, lepton, data["m"][-1])
    return nearest_state(states.size, states.mixing(lepton), reach, data)


def _hint() -> Constraint:
    record, line = search("NA62_2020_hint"), search("NA62_2020_electron")
    ratio = record.values["electron_ratio"]
    about = About(
        name="na62-electron-hint",
        title=record.title,
        quantity="|U_e j|^2 of N at 346 MeV that leave a line",
        unit="1",
        kind="hint",
        era="2016-2018",
        source=record.source,
        assumption=(
            f"a model without nu_e has U_e = {ratio:g} U_mu, as for BP-D in appendix A of arXiv:2007.11813; vetoes "
            "as for line-na62-electron, a line of the width of the published limit's step"
        ),
        references=record.references,
        ceiling=1.0,
        accepts=(MixesElectronNeutrinos, MixesMuonNeutrinos),
        other_spins="its heavy neutrinos mix with no electron and no muon",
    )
    return Constraint({**numbers_of(line), **numbers_of(record)}, about, _at_hint)


def _at_hint(model: MixesHeavyNeutrinos, point: Point, nuisances: Point, data) -> Outcome:
    """What leaves a line at the excess over the mixing that the excess asks for; 1 is as much as was seen."""
    states = model.heavy_neutrinos(point)
    has_electrons = "electron" in states.flavours
    mixing = states.mixing("electron") if has_electrons else data["electron_ratio"] ** 2 * states.mixing("muon")
    near = jnp.exp(-0.5 * ((states.size - data["mass"]) / data["width"]) ** 2)
    seen = jnp.sum(mixing * near * not_vetoed(states, "K", "electron", data))
    return Outcome(seen, jnp.asarray(data["mixing"]), seen / data["mixing"])


def made_beyond(mass, parent: str, lepton: str, last) -> Float[Array, " states"]:
    """Rate of parent -> lepton N beyond the last mass of a curve over that at its end: 0 where the decay is closed."""
    m_parent, m_lepton = PARENTS[parent], LEPTONS[lepton]
    beyond = meson_to_lepton_neutrino(m_parent, m_lepton, jnp.maximum(mass, last))
    return jnp.minimum(beyond / meson_to_lepton_neutrino(m_parent, m_lepton, last), 1.0)


def not_vetoed(states: HeavyNeutrinos, parent: str, lepton: str, data) -> Float[Array, " states"]:
    """Share of each N in parent -> lepton N that leaves a line: escaped, decayed to nothing visible, or overlooked.

    parent: "K" or "pi"; lepton: "electron" or "muon"; data: `momentum` of the parent (GeV) and `size` (m) of what is
    behind its decay: N flies with its mean energy.
    """
    m_parent = PARENTS[parent]
    energy = two_body_energy(m_parent, states.size, LEPTONS[lepton])
    momentum = momentum_in_flight(energy, states.size, m_parent, data["momentum"])
    return 1.0 - (1.0 - UNSEEN_DECAYS) * seen_inside(states, data["size"], momentum)

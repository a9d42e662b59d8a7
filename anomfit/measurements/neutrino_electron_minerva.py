"""MINERvA's neutrino-electron candidates in dE/dx: 127 and 1021 below 4.5 MeV/1.7 cm, and the sideband above.

A pair loses energy as two particles: it is distributed as the showers of pi0 are, 90 % of it in the sideband. The
flux's scale acts on neutrino-electron scattering and on pairs, the background's on signal region and sideband.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from anomfit.beams import Beam, make_beam
from anomfit.beams.molecules import CH, molecules
from anomfit.data import load_record
from anomfit.detectors.assumed_surroundings import births_nuisance, surroundings_words
from anomfit.detectors.assumed_surroundings import check_choice as check_surroundings
from anomfit.detectors.forward_pairs import ForwardNodes
from anomfit.detectors.neutrino_electron import forward_table, in_rock, minerva_cuts, surroundings_of
from anomfit.measurements.described import Described
from anomfit.measurements.entries import Entry
from anomfit.measurements.neutrino_electron import (
    BINNINGS,
    RADIATED,
    SPREAD,
    TARGETS,
    NeutrinoElectron,
    PairSample,
    check_choice,
    hit,
    kept_targets,
    merge,
    scale,
)
from anomfit.parameters import Nuisance
from anomfit.rates.pair_events import Nodes

NAME, DETECTOR = "minerva-nue", "minerva"
ERAS = {"both": ("le", "me"), "le": ("le",), "me": ("me",)}
TITLES = {"le": "low-energy beam (3.43e20 POT)", "me": "medium-energy beam (1.16e21 POT)"}
BACKGROUNDS = {"sideband": None, "50": 0.5, "100": 1.0}
STATED_BACKGROUNDS = {
    "sideband": "30 % in the low-energy beam, 40 % in the medium-energy one, as arXiv:1812.08768",
    "50": "50 %, the alternative of arXiv:1812.08768",
    "100": "100 %, its cautious alternative",
}
REFERENCES = ("arXiv:1512.07699", "arXiv:1906.00111", "arXiv:1607.00704", "arXiv:1812.08768", "barlow-beeston-1993")
# tests compare with another rule
# angle: 22 left the dark seesaw of heavy N and Z' 8 % off
NODES = Nodes(
    energy=192, angle=32, parent=40, polar=24, lowest=0.4, highest=50.0, path=1.0, spread=SPREAD, radiated=RADIATED
)
FORWARD = ForwardNodes(angle=48, energy=20)  # of the table
GROUPS = {"regions": ((0, 5), (5, 16)), "spectrum": tuple((i, i + 1) for i in range(16))}
CANDIDATES = 5  # published bins below the cut on dE/dx


@dataclass(frozen=True)
class _Era:
    low: Float[np.ndarray, "bins"]
    high: Float[np.ndarray, "bins"]
    counts: Float[np.ndarray, "bins"]
    background: Float[np.ndarray, "bins"]
    scattering: Float[np.ndarray, "bins"]
    pairs: Float[np.ndarray, "bins"]  # share of pairs
    errors: Mapping[str, float]


def _read(era: str) -> _Era:
    """Events by published bin; candidates and background below the cut add up to what is published."""
    record = load_record("accelerators/minerva_nue_dedx")
    columns, published = record.columns, record.parts[era].values
    chosen, other = columns["beam"] == era.upper(), columns["beam"] == "ME"
    width = columns["dEdx_hi"] - columns["dEdx_lo"]
    read = {name: (columns[name] * width)[chosen] for name in ("data", "background", "total")}
    scattering = np.maximum(np.nan_to_num(read["total"] - read["background"]), 0.0)
    pi0 = (columns["pi0"] * width)[other]
    return _Era(
        columns["dEdx_lo"][chosen],
        columns["dEdx_hi"][chosen],
        _to_published(read["data"], published["observed"]),
        _to_published(read["background"], published["background"]),
        scattering,
        pi0 / np.sum(pi0),
        published,
    )


def _to_published(read: np.ndarray, total: float) -> np.ndarray:
    factor = np.where(np.arange(len(read)) < CANDIDATES, total / np.sum(read[:CANDIDATES]), 1.0)
    return read * factor


@lru_cache
def minerva_beam(era: str, targets: str = "coherent") -> Beam:
    """nu_mu and anti-nu_mu of the era on the fiducial scintillator."""
    values = load_record("accelerators/pair_searches").parts[f"minerva_{era}"].values
    columns = load_record(f"accelerators/flux_minerva_{era}").columns
    number = molecules(values["mass"], values["molar_mass"])
    table = (columns["E_lo_GeV"], columns["E_hi_GeV"], columns["numu"] + columns["numubar"])
    return make_beam([table], [values["pot"] * number], hit(targets, CH))


def _scales(era: str, read: _Era, background: str) -> tuple[Nuisance, Nuisance]:
    chosen = BACKGROUNDS[background] or read.errors["background_error"]
    beam = TITLES[era].partition(" (")[0]
    return (
        scale(f"minerva_flux_{era}", r"\phi_{\mathrm{" + era.upper() + "}}", read.errors["flux_error"], f"the {beam}"),
        scale(f"minerva_background_{era}", r"B_{\mathrm{" + era.upper() + "}}", chosen, f"the background, {beam}"),
    )


def load_minerva(
    era: str,
    bins: str = "regions",
    background: str = "sideband",
    targets: str = "coherent",
    surroundings: str = "earth",
) -> NeutrinoElectron:
    """Era "both", "le" or "me"; bins, background, targets: see BINNINGS, STATED_BACKGROUNDS, TARGETS.

    surroundings: "earth" or "none"; a nucleon struck in rock is not seen, so that its pairs count with any targets.
    """
    is_around = check_surroundings(surroundings) == "earth"
    stated = {
        "bins": check_choice("bins", bins, BINNINGS),
        "background": check_choice("background", background, STATED_BACKGROUNDS),
        "targets": check_choice("targets", targets, TARGETS),
        "pairs": "E above 0.8 GeV, E theta^2 < 3.2e-3 GeV rad^2 at 7.3 mrad (recalled), leptons of 30 MeV within 8 deg",
        "dE/dx of pairs": "that of showers of pi0 in the medium-energy sample, 90 % above 4.5 MeV/1.7 cm",
        "surroundings": surroundings_words(surroundings),
        "data": "digitised by a third party; below 4.5 MeV/1.7 cm scaled to the published 127 and 1021 candidates",
    }
    eras = ERAS[era]
    read = [_read(one) for one in eras]
    scales = [_scales(one, numbers, background) for one, numbers in zip(eras, read, strict=True)]
    groups = GROUPS[bins]
    return NeutrinoElectron(
        counts=jnp.asarray(np.concatenate([merge(groups, numbers.counts) for numbers in read])),
        parts=jnp.asarray(_parts(read, groups)),
        reading_error=jnp.zeros(len(groups) * len(eras)),
        samples_of_pairs=tuple(map(partial(_sample, groups, targets, is_around), eras, read, scales)),
        scales=tuple(nuisance for pair in scales for nuisance in pair),
        kept=kept_targets(targets),
        described=Described(
            era,
            title(era),
            tuple(stated.items()),
            tuple(_labels(eras, read, groups)),
            REFERENCES,
            " ".join(f"minerva-{one}" for one in eras),
        ),
        name=NAME,
        nuisances=(
            *(nuisance for pair in scales for nuisance in pair),
            *((births_nuisance(DETECTOR, r"D_{\mathrm{M}}"),) if is_around else ()),
        ),
    )


def _parts(read: Sequence[_Era], groups) -> np.ndarray:
    """Scattering and background of each era in turn, in the bins of all."""
    blocks = [np.stack([merge(groups, part) for part in (one.scattering, one.background)]) for one in read]
    rows = np.zeros((2 * len(read), len(groups) * len(read)))
    for i, block in enumerate(blocks):
        rows[2 * i : 2 * i + 2, i * len(groups) : (i + 1) * len(groups)] = block
    return rows


def _sample(groups, targets: str, is_around: bool, era: str, read: _Era, scales: tuple[Nuisance, Nuisance]):
    edge = load_record("accelerators/minerva_nue_dedx").parts["cuts"].values["E_theta_squared"]
    beam, cuts = minerva_beam(era, targets), minerva_cuts(era)
    molar_mass = load_record("accelerators/pair_searches").parts[f"minerva_{era}"].values["molar_mass"]
    return PairSample(
        beam=in_rock(DETECTOR, beam, molar_mass) if is_around else beam,
        edges=jnp.asarray([edge]),
        onto=jnp.asarray(merge(groups, read.pairs))[None, :],
        cuts=cuts,
        nodes=NODES,
        forward=forward_table((edge,), cuts, (NODES.lowest, NODES.highest), FORWARD),
        scales=scales[:1],
        detector=DETECTOR,
        around=surroundings_of(DETECTOR, cuts),
    )


def _labels(eras, read: Sequence[_Era], groups):
    for era, one in zip(eras, read, strict=True):
        for first, end in groups:
            low, high = float(one.low[first]), float(one.high[end - 1])
            yield f"MINERvA {era.upper()}, dE/dx", low, high, "MeV/1.7 cm"


def title(era: str) -> str:
    """One line for listings."""
    return f"MINERvA neutrino-electron candidates, dE/dx, {TITLES.get(era, 'low- and medium-energy beam')}"


ENTRIES: Mapping[str, Entry] = {
    era: Entry(partial(load_minerva, era), title(era), "third-party", REFERENCES) for era in ERAS
}

"""CHARM-II's neutrino-electron candidates of both beams in E theta^2: scattering below 7 MeV, a flat background, pairs.

Pairs are spread over signal region (below 28 MeV) and sideband by the angles at which they fly. The background has a
scale in each region, since the sideband alone would not say how it continues.
"""

from collections.abc import Mapping
from functools import lru_cache

import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from anomfit.beams import Beam, make_beam
from anomfit.beams.molecules import GLASS, molecules
from anomfit.data import load_record
from anomfit.detectors.assumed_surroundings import births_nuisance, surroundings_words
from anomfit.detectors.assumed_surroundings import check_choice as check_surroundings
from anomfit.detectors.forward_pairs import ForwardNodes
from anomfit.detectors.neutrino_electron import charm2_cuts, forward_table, in_rock, surroundings_of
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

NAME, ERA, DETECTOR = "charm2-nue", "both", "charm2"
TITLE = "CHARM-II neutrino-electron candidates, E theta^2, neutrino and antineutrino beam"
BEAMS = {"nu": r"\nu", "nubar": r"\bar\nu"}
BACKGROUNDS = {
    "3": "3 % in signal region and sideband each, as arXiv:1812.08768",
    "10": "10 % in each, its cautious alternative",
}
REFERENCES = ("charm2-1994", "charm2-1993", "arXiv:1812.08768", "barlow-beeston-1993")
# tests compare with another rule
NODES = Nodes(
    energy=192, angle=32, parent=48, polar=16, lowest=0.9, highest=40.0, path=2.0, spread=SPREAD, radiated=RADIATED
)
# of the table: an edge is as sharp as a tenth of its angle; with 48 and 24 pairs of one mass were off by twice what
# is allowed
FORWARD = ForwardNodes(angle=68, energy=28)
PAIRED = ((6, 8), (8, 10), (10, 12), (12, 14), (14, 16))
GROUPS = {  # of published bins; below 10 MeV the distribution of the angle's error would have to be exact
    "regions": ((0, 10), (10, 15)),
    "spectrum": ((0, 6), *PAIRED),
}
SIGNAL_REGION = 10  # published bins below 28 MeV; the sideband's end, 60 MeV, is nearest to the end of the fifteenth
SCATTERING = 5  # published bins with scattering, below 7 MeV; beyond, the read total is the read background's noise


@lru_cache
def charm2_beam(targets: str = "coherent") -> Beam:
    """Neutrino and antineutrino beam, nu_mu and anti-nu_mu of each, on the fiducial glass."""
    values = load_record("accelerators/pair_searches").parts["charm2"].values
    number = molecules(values["mass"], values["molar_mass"])
    columns = [load_record(f"accelerators/flux_charm2_{beam}").columns for beam in BEAMS]
    tables = [(c["E_lo_GeV"], c["E_hi_GeV"], c["numu"] + c["numubar"]) for c in columns]
    return make_beam(tables, [values[f"pot_{beam}"] * number for beam in BEAMS], hit(targets, GLASS))


def _read(beam: str) -> dict[str, Float[np.ndarray, "bins"]]:
    """Events by published bin: data, background, scattering of the published total, error of reading.

    Read data and background leave another excess than is published; the difference is taken for independent errors of
    the same relative size in the bins of the signal region.
    """
    record = load_record("accelerators/charm2_nue_etheta2")
    columns, total = record.columns, record.parts[beam].values["signal"]
    chosen = columns["beam"] == beam
    width = columns["Eth2_hi"] - columns["Eth2_lo"]
    data, background, fitted = ((columns[name] * width)[chosen] for name in ("data", "background", "total"))
    excess = np.where(np.arange(len(data)) < SCATTERING, fitted - background, 0.0)
    first = slice(0, SIGNAL_REGION)
    missed = abs(np.sum(data[first] - background[first]) - total)
    return {
        "data": data,
        "background": background,
        "scattering": excess * total / np.sum(excess),
        "reading": missed * data / np.sqrt(np.sum(data[first] ** 2)),
        "upper": columns["Eth2_hi"][chosen],
    }


def load_charm2(
    bins: str = "regions", background: str = "3", targets: str = "coherent", surroundings: str = "earth"
) -> NeutrinoElectron:
    """Both beams; bins, background, targets: see BINNINGS, BACKGROUNDS, TARGETS; surroundings: "earth" or "none"."""
    is_around = check_surroundings(surroundings) == "earth"
    beam, cuts = charm2_beam(targets), charm2_cuts()
    molar_mass = load_record("accelerators/pair_searches").parts[DETECTOR].values["molar_mass"]
    stated = {
        "bins": check_choice("bins", bins, BINNINGS),
        "background": check_choice("background", background, BACKGROUNDS),
        "targets": check_choice("targets", targets, TARGETS),
        "pairs": "3 to 24 GeV, leptons of 30 MeV within 4 deg; angle (27/E^2 + 14)/sqrt(E) + 1 mrad, our reading",
        "scattering": "published totals, 2677 +- 82 and 2752 +- 88, with the shape of the digitised fit",
        "surroundings": surroundings_words(surroundings),
        "data": "digitised by a third party; excess off by 2 and 7 %, taken as the error of reading",
    }
    groups, read = GROUPS[bins], {beam: _read(beam) for beam in BEAMS}
    scales = {beam: _scales(beam, background) for beam in BEAMS}
    upper = read["nu"]["upper"]
    edges = np.array([upper[end - 1] for _, end in groups])
    fluxes, parts = zip(*scales.values(), strict=True)
    of_parts = tuple(nuisance for three in parts for nuisance in three)
    return NeutrinoElectron(
        counts=jnp.asarray(np.concatenate([merge(groups, one["data"]) for one in read.values()])),
        parts=jnp.asarray(_parts(list(read.values()), groups)),
        reading_error=jnp.asarray(
            np.concatenate([np.sqrt(merge(groups, one["reading"] ** 2)) for one in read.values()])
        ),
        samples_of_pairs=(
            PairSample(
                beam=in_rock(DETECTOR, beam, molar_mass) if is_around else beam,
                edges=jnp.asarray(1e-3 * edges),
                onto=jnp.eye(len(groups)),
                cuts=cuts,
                nodes=NODES,
                forward=forward_table(tuple((1e-3 * edges).tolist()), cuts, (NODES.lowest, NODES.highest), FORWARD),
                scales=fluxes,
                detector=DETECTOR,
                around=surroundings_of(DETECTOR, cuts),
            ),
        ),
        scales=of_parts,
        kept=kept_targets(targets),
        described=Described(ERA, TITLE, tuple(stated.items()), tuple(_labels(edges)), REFERENCES, sample="charm2"),
        name=NAME,
        nuisances=(*fluxes, *of_parts, *((births_nuisance(DETECTOR, r"D_{\mathrm{C}}"),) if is_around else ())),
    )


def _scales(beam: str, background: str) -> tuple[Nuisance, tuple[Nuisance, Nuisance, Nuisance]]:
    """Flux, for pairs alone; scattering and the background below and above 28 MeV."""
    values, symbol = load_record("accelerators/charm2_nue_etheta2").parts[beam].values, BEAMS[beam]
    error = 0.01 * float(background)
    return (
        scale(f"charm2_flux_{beam}", rf"\phi_{{{symbol}}}", values["flux_error"], f"the {beam} flux"),
        (
            scale(
                f"charm2_scattering_{beam}",
                rf"N_{{{symbol}e}}",
                values["signal_error"] / values["signal"],
                f"neutrino-electron scattering in the {beam} beam",
            ),
            scale(f"charm2_background_{beam}", rf"B_{{{symbol}}}", error, f"the background below 28 MeV, {beam} beam"),
            scale(f"charm2_sideband_{beam}", rf"S_{{{symbol}}}", error, f"the background above 28 MeV, {beam} beam"),
        ),
    )


def _parts(read: list[dict[str, np.ndarray]], groups) -> np.ndarray:
    """Scattering and the background in either region, of each beam in turn, in the bins of all."""
    n = len(groups)
    rows = np.zeros((3 * len(read), n * len(read)))
    for i, one in enumerate(read):
        forward = np.arange(len(one["background"])) < SIGNAL_REGION
        parts = (one["scattering"], one["background"] * forward, one["background"] * ~forward)
        for j, part in enumerate(parts):
            rows[3 * i + j, i * n : (i + 1) * n] = merge(groups, part)
    return rows


def _labels(edges: np.ndarray):
    lower = [0.0, *edges[:-1].tolist()]
    for words in ("neutrino beam", "antineutrino beam"):
        for low, high in zip(lower, edges.tolist(), strict=True):
            yield f"CHARM-II {words}, E theta^2", low, high, "MeV rad^2"


ENTRIES: Mapping[str, Entry] = {ERA: Entry(load_charm2, TITLE, "third-party", REFERENCES)}

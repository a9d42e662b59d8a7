"""MiniBooNE's tables in visible energy and angle; those of the plane merged until every bin has background."""

from typing import NamedTuple

import numpy as np

from anomfit.data import load_record

FEWEST = 10.0  # expected background events in a bin of the plane


class Rectangles(NamedTuple):
    """Edges of bins in E_vis (GeV) and cos(theta), one entry a bin."""

    low: np.ndarray
    high: np.ndarray
    cos_low: np.ndarray
    cos_high: np.ndarray


class Table(NamedTuple):
    """A binned distribution: events, background, its Monte Carlo error, its part from NC pi0 and Delta -> N gamma."""

    bins: Rectangles
    counts: np.ndarray
    background: np.ndarray
    mc_error: np.ndarray
    photons: np.ndarray


def read_table(record: str) -> Table:
    """The table in this record; the plane merged to `FEWEST` expected background events a bin."""
    columns = load_record(record).columns
    whole = np.ones_like(columns["data"])
    has_energy, has_angle = "Evis_lo_MeV" in columns, "cos_lo" in columns
    bins = Rectangles(
        low=1e-3 * columns["Evis_lo_MeV"] if has_energy else 0.0 * whole,
        high=1e-3 * columns["Evis_hi_MeV"] if has_energy else np.inf * whole,
        cos_low=columns["cos_lo"] if has_angle else -whole,
        cos_high=columns["cos_hi"] if has_angle else whole,
    )
    mc_error = columns.get("bkg_mcstat", 0.0 * whole)  # the digitised histograms come without
    background = columns["bkg_total"]
    if has_energy and has_angle:
        rows = len(np.unique(bins.low))
        photons = _plane_photons(background.reshape(rows, -1)).reshape(-1)
        return merge(Table(bins, columns["data"], background, mc_error, photons))
    return Table(bins, columns["data"], background, mc_error, columns["bkg_pi0"] + columns["bkg_delta"])


def merge(table: Table, fewest: float = FEWEST) -> Table:
    """Rectangles with at least `fewest` background events: rows joined where one holds fewer, then angles in each row.

    Angles are joined from the forward end, where a signal is; what is left over joins its neighbour.
    """
    energy_edges = np.unique(table.bins.low)
    by_row = [np.flatnonzero(table.bins.low == low) for low in energy_edges]
    rows = _join([table.background[row].sum() for row in by_row], fewest)
    groups = []
    for row in rows:
        cells = np.concatenate([by_row[i] for i in row])
        cosines = np.unique(table.bins.cos_low[cells])[::-1]
        columns = [cells[table.bins.cos_low[cells] == c] for c in cosines]
        joined = _join([table.background[column].sum() for column in columns], fewest)
        groups += [np.concatenate([columns[i] for i in some]) for some in joined]
    return Table(
        Rectangles(
            *(
                np.array([reduce(edge[g]) for g in groups])
                for edge, reduce in zip(table.bins, (np.min, np.max, np.min, np.max), strict=True)
            )
        ),
        counts=np.array([table.counts[g].sum() for g in groups]),
        background=np.array([table.background[g].sum() for g in groups]),
        mc_error=np.array([np.sqrt(np.sum(table.mc_error[g] ** 2)) for g in groups]),
        photons=np.array([table.photons[g].sum() for g in groups]),
    )


def _join(contents: list[float], fewest: float) -> list[list[int]]:
    """Neighbours joined in order until each group holds `fewest`; a last, smaller group joins the one before."""
    groups: list[list[int]] = [[]]
    for i in range(len(contents)):
        groups[-1].append(i)
        if sum(contents[j] for j in groups[-1]) >= fewest:
            groups.append([])
    last = groups.pop()
    if last and groups:
        groups[-1] += last
    return groups or [last]


def _plane_photons(background: np.ndarray) -> np.ndarray:
    """NC pi0 and Delta in the plane (rows E_vis, columns cos theta), of which only the projections have components.

    The table without interaction of all three, kind x energy x angle, that has the published projections and totals:
    iterative proportional fitting, Deming and Stephan, Ann. Math. Stat. 11 (1940) 427.
    """
    projections = [load_record(f"miniboone/{name}").columns for name in ("nu_evis_2020", "nu_costheta_2020")]
    by_energy, by_angle = (
        np.stack([c["bkg_pi0"] + c["bkg_delta"], c["bkg_total"] - c["bkg_pi0"] - c["bkg_delta"]]) for c in projections
    )
    kinds = np.stack([background, background])
    for _ in range(200):
        kinds = kinds * _ratio(by_energy, kinds.sum(axis=2))[:, :, None]
        kinds = kinds * _ratio(by_angle, kinds.sum(axis=1))[:, None, :]
        kinds = kinds * _ratio(background, kinds.sum(axis=0))
    return kinds[0]


def _ratio(wanted: np.ndarray, found: np.ndarray) -> np.ndarray:
    return np.divide(wanted, found, out=np.zeros_like(found), where=found > 0.0)

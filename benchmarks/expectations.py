"""Heavy neutrinos and pairs at the points of the dark seesaw in detectors without data, and PS-191's pairs by distance.

    python benchmarks/expectations.py --write docs/expectations.md [--detector sbnd:neutrino ...]

Rows are put one by one into the tables of the page; other rows stay. A detector is compiled once, for all four points.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from marked_tables import put_row

from anomfit.beams.ps191 import ps191_beam
from anomfit.cards.building import point_values
from anomfit.catalogue import find_measurement, find_model, measurement_listing
from anomfit.measurements.expectations import entries
from anomfit.measurements.ps191 import MM
from anomfit.prediction import predict
from anomfit.rates.interactions import STATES

POINTS = ("BP-A", "BP-B", "BP-C", "BP-D")
KINDS = {"N_4": 1, "N_5": 2, "N_6": 3}  # as an expectation numbers them
DETECTORS = (
    "| detector and point | N_4 made | N_5 made | N_6 made | of all, coherent | one pair inside | two pairs inside |"
)
PS191 = (
    "| point | below 8.8 mm | below 16 mm | at any distance | of those below 16 mm, struck nucleons "
    "| below 16 mm, over quasi-elastic events |"
)


def reports(name: str):
    """Predictions of the four points."""
    model = find_model("dark-seesaw")
    chosen = next(iter(model.parametrisations.values()))
    points = [point_values(model, chosen, point) for point in POINTS]
    return predict(model, find_measurement(name), chosen, points)


def detector_rows(name: str) -> dict[str, list[str]]:
    """Cells by point."""
    rows = {}
    for point, report in zip(POINTS, reports(name), strict=True):
        made = {
            kind: sum(report.interactions[f"heavy neutrino {i}, {state}"] for state in STATES)
            for kind, i in KINDS.items()
        }
        coherent = report.interactions[STATES[0]] / sum(report.interactions[state] for state in STATES)
        cells = [number(value) for value in made.values()] + [f"{coherent:.0%}"]
        rows[point] = [*cells, *(number(value) for value in report.total)]
    return rows


def ps191_rows() -> dict[str, list[str]]:
    """Per cent of muon-like events, by point."""
    measurement = find_measurement("ps191:distance")
    ends = np.array(measurement.edges[1:]) / MM
    fewer = float(ps191_beam("quasi-elastic").exposure[0] / ps191_beam().exposure[0])
    rows = {}
    for point, report in zip(POINTS, reports("ps191:distance"), strict=True):
        near = {end: sum(np.array(report.total)[ends <= end + 1e-9]) for end in (8.8, 16.0)}
        struck = sum(np.array(report.signal[STATES[1]])[ends <= 16.0 + 1e-9])
        anywhere = sum(report.before_efficiency.values())
        shares = [near[8.8], near[16.0], anywhere]
        cells = [f"{value:.3g} %" for value in shares]
        rows[point] = [*cells, f"{struck / max(near[16.0], 1e-300):.0%}", f"{fewer * near[16.0]:.3g} %"]
    return rows


def number(value: float) -> str:
    """Three digits; 0 for less than a thousandth of an event."""
    if value < 1e-3:
        return "0"
    return f"{value:.3g}" if value < 1e3 else f"{float(f'{value:.3g}'):.0f}"


def main() -> None:
    """Print rows, and put them into a page."""
    known = [f"{row.name}:{row.era}" for row in measurement_listing() if row.name in entries()]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--write", type=Path, metavar="PAGE.md")
    parser.add_argument("--detector", action="append", choices=[*known, "ps191"])
    given = parser.parse_args()
    for name in given.detector or ["ps191", *known]:
        start = time.perf_counter()
        table, header, rows = (
            ("ps191", PS191, ps191_rows()) if name == "ps191" else ("detectors", DETECTORS, detector_rows(name))
        )
        for point, cells in rows.items():
            key = point if name == "ps191" else f"{name}, {point}"
            print(key, *cells, sep=" | ", flush=True)
            if given.write is not None:
                put_row(given.write, table, header, key, cells)
        print(f"  {time.perf_counter() - start:.0f} s", flush=True)


if __name__ == "__main__":
    main()

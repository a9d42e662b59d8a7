"""A profiled plane: processor time, gradients a cell, blank cells, and cells against MINUIT one by one.

    python benchmarks/plane.py [--card two-higgs-doublet-miniboone] [--x m_N2] [--y m_hprime] [--grid 60x60]
                               [--cells 20] [--seed 1] [--out FOLDER] [--tables]

MINUIT has the exact likelihood, derivatives by its own differences, plain bounded parameters (logarithms where the
prior is one), and starts at the cell's point, at one beside it, and at the points of `--starts` other cells at most
`NEAR` cells away, moved to this one; the lowest counts. With `--out` the
plane is kept, and gone on with if it is there. With `--tables` a table of kernels helps (docs/tables.md), whose making
is not counted; the comparison is always exact. The status is 0 if no cell is blank and all agree within 0.02.
"""

import argparse
import os
import sys
import time
from pathlib import Path

WITHIN = 0.02
ASIDE = 0.3  # of a normal deviate in ln(value) or in a pull
NEAR = 6  # cells


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", default="two-higgs-doublet-miniboone")
    parser.add_argument("--x", default="m_N2")
    parser.add_argument("--y", default="m_hprime")
    parser.add_argument("--grid", default="60x60")
    parser.add_argument("--cells", type=int, default=20)
    parser.add_argument("--starts", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1, help="of the cells and starts of the comparison")
    parser.add_argument("--out")
    parser.add_argument("--tables", action="store_true")
    arguments = parser.parse_args()
    import numpy as np

    import anomfit
    from anomfit.cards import load_card, problem_from_card

    if arguments.tables:
        from anomfit.inference.devices import prepare_devices

        prepare_devices(4096)
        anomfit.tabulated(problem_from_card(load_card(arguments.card)), say=print)
    wall, used = time.monotonic(), time.process_time()
    seen: list[str] = []

    def progress(stage: str, done: int, total: int) -> None:
        if stage not in seen:
            seen.append(stage)
            spent = f"{time.monotonic() - wall:.0f} s, {time.process_time() - used:.0f} s of processor time"
            print(f"after {spent}: {stage}", flush=True)

    resume = arguments.out is not None and (Path(arguments.out) / "plane.json").exists()
    plane = anomfit.plane(
        arguments.card,
        arguments.x,
        arguments.y,
        arguments.grid,
        method="profile",
        folder=arguments.out,
        resume=resume,
        constraints=False,
        progress=progress,
        tables=arguments.tables,
    )
    spent = f"{time.monotonic() - wall:.0f} s, {time.process_time() - used:.0f} s of processor time"
    table, (names, counts) = plane.table, np.unique(plane.table["status"], return_counts=True)
    print(f"{len(table['cell'])} cells in {spent} ({os.cpu_count()} cores); lowest -2 ln L = {plane.lowest:.4f}")
    print(", ".join(f"{n} {name}" for name, n in zip(names, counts)), flush=True)
    print(
        f"gradients a cell: mean {table['gradients'].mean():.1f}, 90 % below {np.quantile(table['gradients'], 0.9):.0f}"
    )
    if arguments.out:
        plane.save(arguments.out)
    problem = problem_from_card(load_card(arguments.card))
    chance = np.random.default_rng(arguments.seed)
    possible = np.flatnonzero(table["status"] != "outside")
    chosen = np.sort(chance.choice(possible, min(arguments.cells, len(possible)), replace=False))
    away = [compared(problem, plane, int(k), arguments.starts, chance) for k in chosen]
    worst = max(map(abs, away), default=0.0)
    print(
        f"{sum(abs(x) < WITHIN for x in away)} of {len(away)} cells within {WITHIN} of MINUIT; the furthest {worst:.3f}"
    )
    blank = np.isin(table["status"], ("not converged", "undefined")).sum()
    sys.exit(0 if not blank and worst < WITHIN else 1)


def compared(problem, plane, k: int, starts: int, chance) -> float:
    """-2 ln L of a cell less that of MINUIT."""
    import jax
    import numpy as np
    from iminuit import Minuit

    log, upper = {p.name for p in problem.free if p.is_log}, problem.parametrisation.upper
    held = {axis.name: float(plane.table[axis.name][k]) for axis in plane.axes}
    moving = [name for name in problem.names if name not in held]
    fixed = {name: float(value) for name, value in problem.fixed.items()}
    program = jax.jit(lambda given, point: -2.0 * given.log_likelihood(point)) if not PROGRAM else PROGRAM[0]
    PROGRAM[:] = [program]

    def function(*x):
        point = held | {n: float(np.exp(v)) if n in log else float(v) for n, v in zip(moving, x, strict=True)}
        beyond = sum(max(0.0, float(np.log(point[n] / max(float(b(fixed | point)), 1e-9)))) for n, b in upper.items())
        return float(program(problem, point)) + 1e5 * beyond**2  # an open decay is a range of the prior

    def start(named) -> list[float]:
        return [float(np.log(named[name])) if name in log else float(named[name]) for name in moving]

    own = start({name: plane.table[name][k] for name in problem.names})
    beside = [v + ASIDE * chance.standard_normal() for v in own]
    lowest, calls = np.inf, 0
    for at in (own, beside, *(start(named) for named in moved(problem, plane, k, starts, chance))):
        fitter = Minuit(function, *at, name=moving)
        for p in problem.free:
            if p.name in moving:
                fitter.limits[p.name] = tuple(np.log([p.low, p.high])) if p.is_log else (p.low, p.high)
        fitter.errordef, fitter.tol, fitter.strategy = Minuit.LEAST_SQUARES, 0.1, 1
        fitter.migrad(ncall=1500)
        lowest, calls = min(lowest, float(fitter.fval)), calls + fitter.nfcn
    found = float(plane.table["twice_nll"][k])
    words = ", ".join(f"{name} = {value:.4g}" for name, value in held.items())
    print(f"cell {k} ({words}): {found:.4f}, MINUIT {lowest:.4f} ({calls} calls), {found - lowest:+.4f}", flush=True)
    return found - lowest


def moved(problem, plane, k: int, wanted: int, chance) -> list[dict[str, float]]:
    """Points of other cells near to cell k, at the same fractions of their ranges, which it opens itself."""
    import numpy as np

    from anomfit.inference.cells.around import AroundPlane
    from anomfit.inference.coordinates import to_scaled

    nx, ny = (axis.cells for axis in plane.axes)
    i, j = np.arange(nx * ny) % nx, np.arange(nx * ny) // nx
    near = (abs(i - i[k]) <= NEAR) & (abs(j - j[k]) <= NEAR) & (plane.table["status"] != "outside")
    near[k] = False
    others = chance.choice(np.flatnonzero(near), min(wanted, int(near.sum())), replace=False)
    around = AroundPlane(problem, tuple(problem.names.index(axis.name) for axis in plane.axes))
    found = []
    for other in others:
        at = to_scaled(problem, {name: float(plane.table[name][other]) for name in problem.names})
        here, there = (np.array([[axis.scaled[n] for axis, n in zip(plane.axes, (i[c], j[c]))]]) for c in (k, other))
        s = around.scaled(around.fractions(np.asarray(at)[None], there), here)
        found.append({name: float(value[0]) for name, value in around.named(s).items()})
    return found


PROGRAM: list = []

if __name__ == "__main__":
    main()

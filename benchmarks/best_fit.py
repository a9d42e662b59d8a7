"""The best fit against MINUIT on its own: other starts, derivatives by its own differences, plain bounded parameters.

    python benchmarks/best_fit.py [--card two-higgs-doublet] [--starts 12] [--seed 11] [--out best_fit.json]

Also the time to the best fit, and how many of MINUIT's starts get as low.
"""

import argparse
import json
import os
import time


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", default="two-higgs-doublet")
    parser.add_argument("--starts", type=int, default=12)
    parser.add_argument("--seed", type=int, default=11, help="of MINUIT's starts; the fit takes the card's")
    parser.add_argument("--out")
    arguments = parser.parse_args()
    import jax

    from anomfit.cards import load_card, problem_from_card
    from anomfit.inference.devices import prepare_devices
    from anomfit.inference.fit.minimise import FitSettings, minimise

    prepare_devices(4)
    card = load_card(arguments.card)
    problem = problem_from_card(card)
    fit = minimise(problem, jax.random.key(card.fit.seed), FitSettings(card.fit.screened, card.fit.starts))
    print(f"anomfit: -2 ln L = {fit.twice_nll:.5f} after {fit.seconds:.0f} s", flush=True)
    log_likelihood = jax.jit(lambda given, point: given.log_likelihood(point))
    starts = list(other_starts(problem, arguments.seed, arguments.starts))
    ends = [by_minuit(problem, start, lambda point: -2.0 * float(log_likelihood(problem, point))) for start in starts]
    best = min(end["twice_nll"] for end in ends)
    report = {
        "card": arguments.card,
        "anomfit": {"twice_nll": fit.twice_nll, "seconds": fit.seconds, "values": fit.point},
        "minuit": ends,
        "difference": fit.twice_nll - best,
        "as_low": sum(end["twice_nll"] < fit.twice_nll + 1e-3 for end in ends),
    }
    print(
        f"MINUIT's best: {best:.5f}, ours is {report['difference']:+.1e} away; {report['as_low']} of {len(ends)} as low"
    )
    if arguments.out:
        with open(arguments.out + ".part", "w") as file:
            json.dump(report, file, indent=1)
        os.replace(arguments.out + ".part", arguments.out)


def other_starts(problem, seed: int, wanted: int):
    """The best of 64 points a start, drawn from the prior with another seed: parameters and pulls by name."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from anomfit.inference.compiled import forward

    u = jax.random.uniform(jax.random.key(seed), (64 * wanted, len(problem.free)), dtype=float)
    table = {name: np.asarray(x) for name, x in jax.vmap(lambda row: problem.from_cube(row)[0])(jnp.asarray(u)).items()}
    values = forward(problem, table).twice_nll.reshape(wanted, 64)
    for i, row in enumerate(np.argmin(values, axis=1)):
        yield {name: float(table[name][64 * i + row]) if name in table else 0.0 for name in problem.names}


def by_minuit(problem, start: dict[str, float], function) -> dict:
    """Where SIMPLEX and MIGRAD end: logarithms where the prior is one, ranges as limits, no gradient of ours."""
    import numpy as np
    from iminuit import Minuit

    log = {p.name for p in problem.free if p.is_log}
    limits = {p.name: (p.low, p.high) for p in problem.free}
    upper = problem.parametrisation.upper

    def outward(x):
        return {name: float(np.exp(value)) if name in log else float(value) for name, value in zip(problem.names, x)}

    def twice_nll(*x):
        point = outward(x)
        fixed = {name: float(value) for name, value in problem.fixed.items()}
        beyond = sum(max(0.0, np.log(point[n] / max(bound({**fixed, **point}), 1e-9))) for n, bound in upper.items())
        return function(point) + 1e3 * beyond  # an open decay is a range of the prior

    x = [np.log(start[name]) if name in log else start[name] for name in problem.names]
    fitter = Minuit(twice_nll, *x, name=problem.names)
    for name in limits:
        fitter.limits[name] = np.log(limits[name]) if name in log else limits[name]
    fitter.errordef, fitter.tol, fitter.strategy = Minuit.LEAST_SQUARES, 0.01, 1
    began = time.perf_counter()
    fitter.simplex(ncall=400)
    fitter.migrad(ncall=3000, iterate=3)
    seconds = time.perf_counter() - began
    print(f"MINUIT: {fitter.fval:.5f} after {fitter.nfcn} calls, {seconds:.0f} s", flush=True)
    return {"twice_nll": fitter.fval, "calls": fitter.nfcn, "seconds": seconds, "values": outward(fitter.values)}


if __name__ == "__main__":
    main()

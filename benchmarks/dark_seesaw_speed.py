"""Time of MiniBooNE's prediction for three heavy neutrinos with pairs of any mass, against a generator's time.

    python benchmarks/dark_seesaw_speed.py [--reference darknews.json] [--points 64]

Points around BP-A to BP-D of arXiv:2007.11813 in masses and vertices, in batches on all cores: E_nu^QE of both horn
modes after selection, with angles and births in dirt, and its gradient in all parameters. --reference: the file of
`benchmarks/darknews.py reference`, for the processor time of DarkNews for one state that is made in one horn mode,
events before selection, without adaptation: the fastest run of each point, their median. Three states are taken to take
it three times as long. Run both with nothing beside them; ratios are those of one machine.
"""

import argparse
import json
import os
import time
from pathlib import Path

os.environ.setdefault("XLA_FLAGS", f"--xla_force_host_platform_device_count={len(os.sched_getaffinity(0))}")

import jax
import jax.numpy as jnp
import numpy as np

import anomfit
from anomfit.catalogue import find_measurement
from anomfit.models.dark_photon import DarkPhoton
from anomfit.models.dark_seesaw import dark_seesaw

SCATTER = 0.05  # of the logarithms of all numbers about the published points


def main() -> None:
    """Print milliseconds a point, and ratios to the generator."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--reference", type=Path)
    parser.add_argument("--points", type=int, default=64)
    arguments = parser.parse_args()
    model, measurement = DarkPhoton(zprime_flies=False), find_measurement("miniboone")
    points = around_the_benchmarks(arguments.points)

    def spectrum(at):
        return measurement.predict(model, at, {}).total

    def with_slopes(at):
        return jax.value_and_grad(lambda x: jnp.sum(jnp.sqrt(1.0 + spectrum(x))))(at)

    theirs = darknews_seconds(arguments.reference)
    for words, function in (("spectrum", spectrum), ("value and gradient of a sum over bins", with_slopes)):
        program = jax.jit(anomfit.batched(function, 4))
        began = time.perf_counter()
        jax.block_until_ready(program(points))
        first = time.perf_counter() - began
        wall, processor = timed(lambda program=program: jax.block_until_ready(program(points)))
        each, busy = 1e3 * wall / arguments.points, 1e3 * processor / arguments.points
        print(f"{words}: {each:.1f} ms a point, {busy:.1f} ms of processor time; first call {first:.0f} s")
        if theirs:
            generator = 3.0 * 1e3 * theirs
            ratio = f"{generator / busy:.0f} times as much"
            print(f"    DarkNews for three states: {generator:.0f} ms of processor time, {ratio}")


def around_the_benchmarks(number: int) -> dict[str, jnp.ndarray]:
    """Points in masses and vertices, an axis of them; vertices that vanish stay so."""
    in_vertices = jax.jit(dark_seesaw.vertices)
    bases = [in_vertices({k: jnp.asarray(float(x)) for k, x in p.items()}) for p in dark_seesaw.points.values()]
    rng = np.random.default_rng(1)
    return {
        name: jnp.asarray([float(bases[i % len(bases)][name]) * np.exp(SCATTER * rng.normal()) for i in range(number)])
        for name in bases[0]
    }


def timed(run, repeats: int = 5) -> tuple[float, float]:
    """Medians of wall and processor time of a call, in seconds."""
    found = []
    for _ in range(repeats):
        began = time.perf_counter(), time.process_time()
        run()
        found.append((time.perf_counter() - began[0], time.process_time() - began[1]))
    return tuple(np.median(found, axis=0))


def darknews_seconds(reference: Path | None) -> float | None:
    """Processor time of DarkNews a point without its adaptation, from the file of its runs."""
    if reference is None:
        return None
    points = json.loads(reference.read_text())["points"].values()
    took = [
        min(run["cpu_seconds"] * (1.0 - run["adapting"] / run["seconds"]) for run in point["runs"]) for point in points
    ]
    return float(np.median(took))


if __name__ == "__main__":
    main()

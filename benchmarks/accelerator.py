"""A GPU, or another accelerator, on the likelihoods of cards: right? how many points a second? posteriors of them.

    python benchmarks/accelerator.py [--cards two-higgs-doublet-miniboone ...] [--widths 64 512] [--gradients]
        [--posterior CARD ...] [--seconds 500] --out FOLDER [--write docs/accelerator.md]
    python benchmarks/accelerator.py --reports one/report.json two/report.json --write docs/accelerator.md

First the roofs: a product of matrices in double precision, and a copy. Then, for each card, ln L of random points
against the processor's numbers (another process, with one pinned core, which is timed too); values, and gradients if
asked for, a second with so many points together; the time to compile every part. Then posteriors by tempered sampling,
whose draws go to FOLDER. The report, report.json, is written anew after every step, so that a run that is cut off has
said what it found. On a processor it does the same at the size that is asked for. --write puts the tables into a page,
of the reports that are given without measuring anything.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from marked_tables import put_table

CARDS = ("two-higgs-doublet-miniboone", "two-higgs-doublet", "dark-scalar", "dark-photon", "dark-seesaw")
COMPARED = 16  # points of each card that are compared with the processor's numbers
AGREE = 1e-9  # of ln L, or of 1 where it is smaller
REPEATS = 3
SPEED = "| card | what | together | a second | ms on a core | cores' worth | off by | compiled in s | GB | device |"
POSTERIORS = "| card | likelihoods | s | steps in beta | ln evidence, each population | scatter of means | device |"


def main() -> None:
    """Measure, and write the report."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cards", nargs="*", default=list(CARDS))
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 512], help="points together")
    parser.add_argument("--gradients", action="store_true")
    parser.add_argument("--posterior", nargs="*", default=[], help="cards to sample")
    parser.add_argument("--points", type=int, default=2048, help="of each of four populations")
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=500.0, help="after which nothing new is begun")
    parser.add_argument("--roof", type=int, default=8192, help="rows of the matrices")
    parser.add_argument("--out", type=Path, default=Path("accelerator"))
    parser.add_argument("--reports", type=Path, nargs="+", help="write tables of these, and measure nothing")
    parser.add_argument("--write", type=Path, help="a page with the markers speed and posteriors")
    parser.add_argument("--processor", help=argparse.SUPPRESS)  # a card: the numbers of one core, as JSON
    arguments = parser.parse_args()
    if arguments.processor:
        print(json.dumps(of_processor(arguments.processor, arguments.gradients)))
        return
    reports = arguments.reports
    if not reports:
        arguments.out.mkdir(parents=True, exist_ok=True)
        Report(arguments).run()
        reports = [arguments.out / "report.json"]
    if arguments.write:
        write(arguments.write, [json.loads(report.read_text()) for report in reports])


def write(page: Path, reports: list[dict]) -> None:
    """The tables of the page: values and gradients a second, and posteriors."""
    speed, posteriors = {}, []
    for report in reports:
        rows, device = report["rows"], f"{report['device']}, {report['date']}"
        compared = [row for row in rows if row["what"] == "processor" and "milliseconds" in row]
        cores = {row["card"]: row["milliseconds"] for row in compared}
        worst = {row["card"]: max(row["off"], default=0.0) for row in compared}
        for row in rows:
            if row["what"] in ("value", "gradient"):
                core = cores.get(row["card"], {}).get(row["what"])
                gain = f"{1e-3 * row['per_second'] * core:.0f}" if core else ""
                off = f"{worst[row['card']]:.0e}" if row["what"] == "value" and row["card"] in worst else ""
                memory = max(row["gigabytes"].values())
                numbers = [f"{row['per_second']:.0f}", f"{core:.2f}" if core else "", gain, off]
                key = (row["card"], row["what"], str(row["width"]))  # the newest counts
                speed[key] = [*key, *numbers, f"{row['waited']:.0f}", f"{memory:.1f}", device]
            if row["what"] == "posterior":
                evidence = ", ".join(f"{x:.1f}" for x in row["log_evidence"])
                numbers = [str(row["calls"]), f"{row['seconds']:.0f}", str(row["temperatures"])]
                posteriors.append([row["card"], *numbers, evidence, f"{row['scatter_of_means']:.2f}", device])
    put_table(page, "speed", SPEED, list(speed.values()))
    put_table(page, "posteriors", POSTERIORS, posteriors)


def of_processor(card: str, gradients: bool) -> dict:
    """ln L of the compared points, and processor time a point, on one core."""
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1 - CARDS.index(card) if card in CARDS else -1]})
    import jax
    import numpy as np

    problem, z = problem_and_points(card, COMPARED)
    found = {}
    for what, function in targets(gradients).items():
        run = jax.jit(lambda p, z, f=function: jax.lax.map(partial(f, p), z))
        values = [jax.block_until_ready(run(part, z)) for part in parts(problem)]
        began = time.process_time()
        for part in parts(problem):
            jax.block_until_ready(run(part, z))
        found[what] = 1e3 * (time.process_time() - began) / len(z)
        if what == "value":
            found["log_likelihood"] = np.asarray(values).sum(axis=0).tolist()
    return found


def problem_and_points(card: str, number: int):
    """The card's problem, and points of its prior in normal coordinates."""
    import jax.numpy as jnp
    import numpy as np

    from anomfit.cards import load_card, problem_from_card

    problem = problem_from_card(load_card(card))
    return problem, jnp.asarray(np.random.default_rng(1).normal(size=(number, len(problem.names))))


def parts(problem):
    """What is compiled apart."""
    from anomfit.problem import parts_of

    return [part for _, part in parts_of(problem)]


def targets(gradients: bool) -> dict:
    """What is measured: functions of a part of a problem and of a point in normal coordinates."""
    import jax

    def value(part, z):
        return part.measured_log_likelihood(part.from_normal(z)[0])

    return {"value": value} | ({"gradient": lambda p, z: jax.grad(partial(value, p))(z)} if gradients else {})


class Report:
    """What is measured, in the order in which it is; kept on disk after every step."""

    def __init__(self, arguments):
        import jax

        self.arguments, self.began = arguments, time.monotonic()
        device = jax.devices()[0]
        self.found = {
            "device": device.device_kind,
            "platform": device.platform,
            "jax": jax.__version__,
            "date": time.strftime("%Y-%m-%d"),
            "rows": [],
        }

    def run(self) -> None:
        """All of it, as far as the time goes."""
        chosen = self.arguments
        waiting = {card: self.processor(card) for card in chosen.cards}
        self.roofs()
        for card in chosen.cards:
            self.speed(card)
        for card in chosen.posterior:
            self.posterior(card)
        for card, process in waiting.items():
            self.compared(card, process)

    def keep(self, **row) -> None:
        """One more row, shown and written."""
        self.found["rows"].append(row)
        print(f"{time.monotonic() - self.began:6.0f} s", json.dumps(row), flush=True)
        part = self.arguments.out / "report.json.part"
        part.write_text(json.dumps(self.found, indent=1))
        os.replace(part, self.arguments.out / "report.json")

    def is_time_left(self) -> bool:
        """Whether something new may begin."""
        return time.monotonic() - self.began < self.arguments.seconds

    def processor(self, card: str) -> subprocess.Popen:
        """Another process with the processor's numbers of `card`."""
        command = [sys.executable, __file__, "--processor", card, "--out", str(self.arguments.out)]
        command += ["--gradients"] if self.arguments.gradients else []
        environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
        environment.pop("JAX_COMPILATION_CACHE_DIR", None)
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)

    def roofs(self) -> None:
        """Operations and bytes a second that this device reaches."""
        import jax
        import jax.numpy as jnp

        from anomfit.precision import require_double_precision

        require_double_precision()
        n = self.arguments.roof
        square = jax.random.normal(jax.random.key(0), (n, n))
        multiply, copy = jax.jit(lambda x: x @ x), jax.jit(lambda x: x + 1.0)
        flat = jnp.ones(4 * n * n)
        self.keep(
            what="roofs",
            tflops=2e-12 * n**3 / seconds(lambda: multiply(square)),
            tb_per_second=1e-12 * 16.0 * flat.size / seconds(lambda: copy(flat)),
        )

    def speed(self, card: str) -> None:
        """Values and gradients a second, part by part."""
        import jax
        import numpy as np

        problem, _ = problem_and_points(card, COMPARED)
        if not self.is_time_left():
            return
        for what, function in targets(self.arguments.gradients).items():
            for width in self.arguments.widths:
                _, z = problem_and_points(card, max(2 * width, COMPARED))

                def compiled(part, z=z, width=width, function=function):
                    began = time.perf_counter()
                    run = jax.jit(lambda p, z: jax.lax.map(partial(function, p), z, batch_size=width))
                    return run.lower(part, z).compile(), time.perf_counter() - began

                began = time.perf_counter()
                with ThreadPoolExecutor(8) as pool:
                    programs = list(pool.map(compiled, parts(problem)))
                waited, took, memory = time.perf_counter() - began, {}, {}
                total = np.zeros(len(z))
                for (run, _), part in zip(programs, parts(problem), strict=True):
                    name = part.measurements[0].name
                    try:
                        took[name] = 1e6 * seconds(lambda run=run, part=part, z=z: run(part, z)) / len(z)
                        memory[name] = run.memory_analysis().temp_size_in_bytes / 1e9
                        if what == "value":
                            total = total + np.asarray(run(part, z))
                    except Exception as error:  # most of all, the memory is not enough
                        self.keep(what="failed", card=card, part=name, width=width, error=str(error)[:300])
                self.keep(
                    what=what,
                    card=card,
                    width=width,
                    per_second=1e6 / max(sum(took.values()), 1e-9),
                    microseconds=took,
                    compiled=[x for _, x in programs],
                    waited=waited,
                    gigabytes=memory,
                    log_likelihood=total[:COMPARED].tolist(),
                )
                if not self.is_time_left():
                    return

    def posterior(self, card: str) -> None:
        """Draws of the posterior, kept in the folder."""
        import jax
        import numpy as np

        from anomfit.inference.sample.likelihoods import log_posteriors
        from anomfit.inference.sample.populations import worth
        from anomfit.inference.sample.tempered import sample_tempered

        if not self.is_time_left():
            return
        problem, z = problem_and_points(card, 2 * self.arguments.points)
        began = time.perf_counter()
        with ThreadPoolExecutor(8) as pool:  # compiled side by side
            list(pool.map(lambda part: jax.block_until_ready(log_posteriors(part, z)), parts(problem)))
        self.keep(what="compiled", card=card, seconds=time.perf_counter() - began)
        file = self.arguments.out / f"{card}.npz"
        try:
            found = sample_tempered(
                problem, jax.random.key(1), 4, self.arguments.points, self.arguments.moves, file, show_progress=True
            )
        except Exception as error:
            self.keep(what="failed", card=card, error=str(error)[:300])
            return
        means, width = found.z.mean(axis=1), found.z.std(axis=(0, 1))
        scatter = np.sqrt(np.mean(means.var(axis=0, ddof=1) / width**2))
        self.keep(
            what="posterior",
            card=card,
            seconds=found.seconds,
            calls=found.calls,
            temperatures=found.temperatures,
            log_evidence=found.log_evidence.tolist(),
            scatter_of_means=float(scatter),
            undefined=found.undefined,
            worth=worth(found),
        )

    def compared(self, card: str, process: subprocess.Popen) -> None:
        """The processor's numbers beside those of the device."""
        import numpy as np

        try:
            left = self.began + self.arguments.seconds - time.monotonic()
            words, _ = process.communicate(timeout=max(1.0, 60.0 + left))
            reference = json.loads(words)
        except (subprocess.TimeoutExpired, json.JSONDecodeError) as error:
            process.kill()
            self.keep(what="processor", card=card, error=str(error)[:300])
            return
        expected = np.array(reference.pop("log_likelihood"))
        rows = [row for row in self.found["rows"] if row.get("card") == card and row["what"] == "value"]
        ours = [np.array(row["log_likelihood"]) for row in rows]
        off = [float(np.max(np.abs(x - expected) / np.maximum(1.0, np.abs(expected)))) for x in ours]
        self.keep(what="processor", card=card, milliseconds=reference, off=off, agrees=all(x < AGREE for x in off))


def seconds(run) -> float:
    """The least of some repetitions, after one that is not counted."""
    import jax

    jax.block_until_ready(run())
    found = []
    for _ in range(REPEATS):
        began = time.perf_counter()
        jax.block_until_ready(run())
        found.append(time.perf_counter() - began)
    return min(found)


if __name__ == "__main__":
    main()

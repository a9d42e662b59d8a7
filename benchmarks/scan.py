"""`anomfit scan`: points a second with one and two processes, memory, kill -9 at random moments, a killed Dask worker.

    python benchmarks/scan.py [--card oscillation] [--number 60000] [--chunk 2048] [--from sobol] [--kills 5]
                              [--cluster] [--tables] [--seed 1]

Every table is compared, byte by byte, with that of one process on one core. A rate is that of the files after the
first, so that neither the start of Python nor a compilation is in it; the time of the whole command stands beside it.
Memory is the largest of a process. `--cluster` adds a Dask scheduler with two workers, one of which is killed. The
status is 0 if all tables are the same.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

ANOMFIT = [sys.executable, "-m", "anomfit", "scan"]
QUIET: dict[str, Any] = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}


class Run(NamedTuple):
    """A command that has ended: seconds, largest memory of a process in MB."""

    seconds: float
    memory: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--card", default="oscillation")
    parser.add_argument("--number", default="60000")
    parser.add_argument("--chunk", default="2048")
    parser.add_argument("--from", dest="design", default="sobol")
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--tables", action="store_true", help="from a table, which must be there: anomfit tables CARD")
    arguments = parser.parse_args()
    options = [arguments.card, "--number", arguments.number, "--chunk", arguments.chunk, "--from", arguments.design]
    options += ["--tables" if arguments.tables else "--exact"]
    cores = sorted(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as name:
        folder, same = Path(name), []
        one = folder / "one"
        say("one process, one core", ended([started(options, one, cores[:1])]), one)
        half = folder / "half"
        shorter = [*options[:2], str(int(float(arguments.number)) // 4), *options[3:]]
        say("a quarter of the points", ended([started(shorter, half, cores[:1])]), half)
        if len(cores) > 1:
            both = folder / "both"
            say("one process, two cores", ended([started(options, both, cores[:2])]), both)
            parts = folder / "parts"
            halves = [started([*options, "--part", f"{i}/2"], parts, [cores[i - 1]]) for i in (1, 2)]
            say("two processes, a core each", ended(halves), parts)
            same += [equal("two cores", one, both), equal("two parts", one, parts)]
        killed(options, folder / "killed", arguments.kills, random.Random(arguments.seed))
        same.append(equal(f"{arguments.kills} kills", one, folder / "killed"))
        if arguments.cluster:
            on_cluster(options, folder)
            same.append(equal("a killed worker of two", one, folder / "cluster"))
    sys.exit(0 if all(same) else 1)


def started(options: list[str], out: Path, cores: list[int], more: tuple[str, ...] = ()) -> subprocess.Popen:
    """A scan on these cores; Linux alone can say so."""
    command = [*ANOMFIT, *options, "--out", str(out), *more]
    return subprocess.Popen(command, **QUIET, preexec_fn=lambda: os.sched_setaffinity(0, cores))


def ended(programs: list[subprocess.Popen]) -> Run:
    """Wait for all of them."""
    began, memory = time.monotonic(), 0.0
    for program in programs:
        _, status, used = os.wait4(program.pid, 0)
        program.returncode = os.waitstatus_to_exitcode(status)
        if program.returncode:
            sys.exit(f"status {program.returncode}: {program.args}")
        memory = max(memory, used.ru_maxrss / 1024.0)
    return Run(time.monotonic() - began, memory)


def say(what: str, run: Run, out: Path) -> None:
    """The rate between the first file of each process and the last of all."""
    from pyarrow.parquet import read_metadata

    files = sorted((path.stat().st_mtime, read_metadata(path).num_rows) for path in out.glob("points/*.parquet"))
    rows, size = sum(n for _, n in files), sum(path.stat().st_size for path in out.glob("points/*.parquet"))
    skipped = 2 if what.startswith("two processes") else 1
    later = files[skipped:]
    rate = sum(n for _, n in later) / (files[-1][0] - files[skipped - 1][0])
    words = f"{rows} points, {run.seconds:.0f} s in all, {rate:.0f} points/s, {run.memory:.0f} MB"
    print(f"{what}: {words}, {size / rows:.0f} bytes a point", flush=True)


def killed(options: list[str], out: Path, kills: int, chance: random.Random) -> None:
    """Kill -9 after some files more each time, half of the times while one is being written; the last run ends."""
    done = sys.maxsize
    for kill in range(kills + 1):
        more = ("--resume",) if (out / "scan.json").exists() else ()
        program = started(options, out, sorted(os.sched_getaffinity(0)), more)
        if kill == kills:
            ended([program])
            break
        before, amid, delay = files_in(out), chance.random() < 0.5, chance.uniform(0.0, 0.5)
        while files_in(out) <= before and program.poll() is None:
            time.sleep(0.002)
        until = time.monotonic() + delay
        while program.poll() is None and (not any(out.glob("points/.*")) if amid else time.monotonic() < until):
            time.sleep(0.0005)
        program.kill()
        program.wait()
        done = files_in(out)
        print(f"kill {kill + 1}{', amid a file' if amid else ''}: {done} files there", flush=True)


def files_in(out: Path) -> int:
    return len(list(out.glob("points/*.parquet")))


def on_cluster(options: list[str], folder: Path) -> None:
    """The same table from two Dask workers, of which one is killed when a quarter of the files is there."""
    file, out = folder / "scheduler.json", folder / "cluster"
    dask, local = (
        [sys.executable, "-m", "dask"],
        ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(file)],
    )
    programs = [subprocess.Popen([*dask, "scheduler", "--port", "0", *local], **QUIET)]
    try:
        while not (file.exists() and file.read_text().endswith("}")):
            time.sleep(0.05)
        address = json.loads(file.read_text())["address"]
        worker = [*dask, "worker", "--nthreads", "1", "--no-nanny", *local]
        programs += [subprocess.Popen(worker, **QUIET) for _ in range(2)]
        program = started(options, out, sorted(os.sched_getaffinity(0)), ("--scheduler", address))
        while files_in(out) < files_in(folder / "one") // 4 and program.poll() is None:
            time.sleep(0.01)
        programs[1].kill()
        print(f"a worker of two killed: {files_in(out)} files there", flush=True)
        say("the other worker", ended([program]), out)
    finally:
        for program in programs:
            program.kill()
            program.wait()


def equal(what: str, one: Path, other: Path) -> bool:
    """Whether two scans have the same files with the same bytes; nothing half-written is left."""
    mine, theirs = ({path.name: path.read_bytes() for path in (x / "points").iterdir()} for x in (one, other))
    is_same = mine == theirs
    print(f"{what}: {'the same table' if is_same else 'ANOTHER TABLE'}, {len(theirs)} files", flush=True)
    return is_same


if __name__ == "__main__":
    main()

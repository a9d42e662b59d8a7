"""Kill -9 of sampling runs at random moments, a resumption after each: the draws are those of a run that never stopped.

    python benchmarks/kills.py [--method nested] [--kills 30] [--card oscillation] [--live 400] [--draws 500] [--seed 1]

Half of the kills come while a state is being written, the others up to two seconds after one. When a killed run has
come to its end before all kills are done, another one begins. Printed: kills, resumptions that were refused or had
nothing to go on from, runs whose draws differ from the undisturbed ones in any bit, workers that outlived their parent,
and what is left in /dev/shm. The status is 0 if all of these are none.
"""

import argparse
import dataclasses
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SHARED = Path("/dev/shm")
STATE = {"nested": ("nested.h5", ".nested.part.h5"), "nuts": ("chains.npz", ".chains.part.npz")}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--method", choices=("nested", "nuts"), default="nested")
    parser.add_argument("--kills", type=int, default=30)
    parser.add_argument("--card", default="oscillation")
    parser.add_argument("--live", type=int, default=400)
    parser.add_argument("--draws", type=int, default=500)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(0 if trial(Path(folder), arguments) else 1)


def trial(folder: Path, arguments: argparse.Namespace) -> bool:
    """Whether nothing was lost, left or different."""
    from anomfit.cards import card_text, load_card

    card = load_card(arguments.card)
    chosen = dataclasses.replace(
        card.sampling, method=arguments.method, live=arguments.live, draws=arguments.draws, max_draws=arguments.draws
    )
    (folder / "card.toml").write_text(card_text(dataclasses.replace(card, sampling=chosen)))
    chance, littered = random.Random(arguments.seed), _names(SHARED)
    began = time.monotonic()
    _ended(_fit(folder, "straight"))
    print(f"a run that never stopped: {time.monotonic() - began:.0f} s", flush=True)
    whole, kills, runs = _draws(folder / "straight"), 0, 0
    lost, different, left, seen = [], 0, 0, 0
    while kills < arguments.kills:
        out, runs = f"killed-{runs}", runs + 1
        program = _fit(folder, out)
        while kills < arguments.kills and _reached(program, folder / out, arguments.method, chance):
            workers = _children(program.pid)
            program.kill()
            program.wait()
            kills += 1
            seen += len(workers)
            left += len(_outlive(workers))
            kept = any((folder / out).glob(Path(STATE[arguments.method][0]).stem + "*"))
            lost += [] if kept else [f"kill {kills}: no state"]
            print(f"kill {kills} of run {runs}, {time.monotonic() - began:.0f} s", flush=True)
            program = _fit(folder, out, resume=(folder / out / "result.nc").exists())
        if (said := _ended(program)) is not None:
            lost.append(f"after kill {kills}: {said}")
        elif not _same(whole, _draws(folder / out)):
            different += 1
    litter = sorted(_names(SHARED) - littered)
    print(
        f"{kills} kills of {runs} runs ({arguments.method}, {arguments.card}): {len(lost)} lost, {different} with other"
    )
    print(f"draws; {left} of {seen} workers outlived their parent; in /dev/shm: {litter or 'nothing'}")
    print(*lost, sep="\n")
    return not (lost or different or left)


def _fit(folder: Path, out: str, resume: bool = False) -> subprocess.Popen:
    command = [sys.executable, "-m", "anomfit", "fit", "card.toml", "--out", out, *(["--resume"] if resume else [])]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _ended(program: subprocess.Popen) -> str | None:
    """Wait for the end; what was said last if it was none with status 0."""
    said = program.communicate()[0].strip().splitlines()
    return None if program.returncode == 0 else f"status {program.returncode}: {said[-1] if said else ''}"


def _reached(program: subprocess.Popen, out: Path, method: str, chance: random.Random) -> bool:
    """Wait for a moment to kill at, after this life has kept one state; False if the run ends before."""
    state, part = (out / name for name in STATE[method])
    amid_writing, delay, before = chance.random() < 0.5, chance.uniform(0.0, 2.0), _written(state)
    while _written(state) == before:
        if program.poll() is not None:
            return False
        time.sleep(0.002)
    until = time.monotonic() + delay
    while program.poll() is None:
        if part.exists() if amid_writing else time.monotonic() > until:
            return True
        time.sleep(0.0005)
    return False


def _written(file: Path) -> int:
    try:
        return file.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


def _draws(folder: Path) -> dict:
    from anomfit.results.files import load_result

    samples = load_result(folder / "result.nc").samples
    assert samples is not None
    return {"z": samples.z, **samples.values, **samples.stats}


def _same(first: dict, second: dict) -> bool:
    import numpy as np

    return first.keys() == second.keys() and all(np.array_equal(first[name], second[name]) for name in first)


def _children(pid: int) -> list[int]:
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return [int(child) for task in tasks for child in (task / "children").read_text().split()]
    except OSError:
        return []


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def _outlive(pids: list[int], seconds: float = 5.0) -> list[int]:
    """Those that still run after some seconds, which a busy machine may need to tell them."""
    until = time.monotonic() + seconds
    while (left := [pid for pid in pids if _runs(pid)]) and time.monotonic() < until:
        time.sleep(0.05)
    return left


def _names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.is_dir() else set()


if __name__ == "__main__":
    main()

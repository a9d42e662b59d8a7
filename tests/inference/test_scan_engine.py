"""Points by their number, chunks that are made once and the same wherever, and a folder that kills leave whole."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pyarrow.parquet as pq
import pytest
from scipy import stats
from toys import ToyMeasurement, ToyModel, linear_parameter

from anomfit.errors import InputError
from anomfit.inference.scan import Cube, Design, ScanRows, check_shape, kept_measurements, lattice_shape
from anomfit.parameters import Parameter
from anomfit.problem import build_problem
from anomfit.scanning import cluster
from anomfit.scanning.cluster import Cluster
from anomfit.scanning.dataset import Dataset, Manifest, open_dataset
from anomfit.scanning.engine import fill, made_here
from anomfit.scanning.files import encoded, is_intact, said_words
from anomfit.scanning.plan import Part, Plan, part_from

DESIGNS = [Design("prior", 3), Design("sobol", 3), Design("lattice", 0, (5, 4, 3))]


@pytest.mark.parametrize("design", DESIGNS, ids=lambda design: design.kind)
def test_a_point_is_the_same_in_whatever_block_it_is_made(design):
    whole = Cube(design, 3).rows(0, 60)
    assert ((whole > 0.0) & (whole < 1.0)).all()
    pieces = Cube(design, 3)
    for first, last in ((0, 7), (7, 8), (20, 51), (4, 9), (51, 60)):  # ahead, with gaps, and back
        np.testing.assert_array_equal(pieces.rows(first, last), whole[first:last])


def test_a_sobol_sequence_is_scipys():
    with pytest.warns(UserWarning, match="balance"):
        expected = stats.qmc.Sobol(2, bits=32, seed=np.random.default_rng(5)).random(100)  # type: ignore[call-arg]
    np.testing.assert_array_equal(Cube(Design("sobol", 5), 2).rows(0, 100), expected + 0.5**33)
    even = Cube(Design("sobol", 5), 2).rows(256, 512)  # one point in each of 16 x 16 cells
    assert Counter(map(tuple, (even * 16).astype(int))).most_common(1)[0][1] == 1


def test_a_point_of_the_prior_is_uniform_in_the_cube():
    drawn = Cube(Design("prior", 1), 3).rows(0, 4000)
    assert min(stats.kstest(column, "uniform").pvalue for column in drawn.T) > 1e-3
    assert abs(np.corrcoef(drawn.T)[np.triu_indices(3, 1)]).max() < 4.0 / np.sqrt(4000)
    assert (drawn != Cube(Design("prior", 2), 3).rows(0, 4000)).all()


def test_a_lattice_has_every_node_once():
    nodes = Cube(Design("lattice", 0, (5, 4, 3)), 3).rows(0, 60)
    assert len(set(map(tuple, nodes))) == 60
    assert sorted(set(nodes[:, 1])) == [0.125, 0.375, 0.625, 0.875]
    assert lattice_shape(10_000, 2) == (100, 100)
    with pytest.raises(InputError, match="2 free parameters has 961 or 1024 points, or name its sides"):
        lattice_shape(1000, 2)
    with pytest.raises(InputError, match="as many sides as there are free parameters, 2"):
        check_shape((5, 4, 3), 2)


def broken_problem():
    """A line a + b x whose prediction is not a number for b above 0.5, and a log parameter that nothing depends on."""

    def line(point):
        return jnp.where(point["b"] > 0.5, jnp.nan, point["a"] + point["b"] * jnp.arange(3.0))

    scale = Parameter("scale", "s", "GeV", 0.1, 10.0, "log-uniform", "a mass")
    parameters = (linear_parameter("a"), linear_parameter("b"), scale)
    measurement = ToyMeasurement(jnp.array([0.1, 0.2, 0.4]), jnp.eye(3) * 4.0)
    return build_problem(ToyModel("line", parameters, line), [measurement], "own", parameters, {})


def test_rows_say_what_the_problem_says():
    problem = broken_problem()
    found = ScanRows(problem, Design("sobol", 1), ("toy", "all/bins")).columns(10, 74)
    assert list(found["index"]) == list(range(10, 74))
    undefined = found["b"] > 0.5
    assert 0 < undefined.sum() < 64
    np.testing.assert_array_equal(np.isnan(found["twice_nll"]), undefined)
    for row in np.flatnonzero(~undefined)[:5]:
        point = {name: jnp.asarray(found[name][row]) for name in ("a", "b", "scale")}
        twice_nll = -2.0 * float(problem.log_likelihood(point))
        assert found["twice_nll"][row] == pytest.approx(twice_nll, rel=1e-12)
        assert found["twice_nll.toy:2020"][row] == pytest.approx(twice_nll, rel=1e-12)
        residuals = np.array([0.1, 0.2, 0.4]) - found["bins.toy:2020"][row]
        assert found["chi_squared.toy:2020"][row] == pytest.approx(4.0 * np.sum(residuals**2), rel=1e-12)
        assert found["signal.toy:2020"][row] == pytest.approx(found["bins.toy:2020"][row].sum(), rel=1e-12)
        assert found["ln_prior"][row] == pytest.approx(float(problem.log_prior(point)), rel=1e-12)
    assert not [name for name in found if name.startswith("physical.")]  # the toy's are its parameters


def test_only_measurements_of_the_card_can_be_kept():
    names = ("miniboone:enuqe", "g-2-muon:wp2025")
    assert kept_measurements(names, ("miniboone", "all/bins")) == ({0}, {0, 1})
    with pytest.raises(InputError, match="the card has miniboone:enuqe, g-2-muon:wp2025; name one of these"):
        kept_measurements(names, ("lsnd",))


@dataclass(frozen=True)
class Squares:
    """A recipe of rows that cost nothing: a number and its square."""

    power: int = 2

    def prepared(self):
        return self

    @property
    def identity(self):
        return {"anomfit": "0", "the power": str(self.power)}

    def columns(self, first, last):
        rows = np.arange(first, last)
        return {"index": rows, "value": rows.astype(float) ** self.power}

    def words(self, columns):
        return {"largest": float(columns["value"].max())}


def opened(folder: Path, number=1000, part=None, power=2, **how) -> Dataset:
    manifest = Manifest(Plan(number, 64), Squares(power).identity, {})
    return open_dataset(folder, manifest, "a card\n", part or Part(), **how)


def made(dataset: Dataset, part=None, power=2, say=lambda line: None, report=lambda *numbers: None) -> list[int]:
    """Fill the folder; which chunks were made."""
    tasks = dataset.missing((part or Part()).chunks(dataset.manifest.plan), say)
    fill(Squares(power), dataset, tasks, dataset.manifest.plan.number, made_here, report)
    return [task.chunk for task in tasks]


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "points").iterdir())}


def test_the_table_is_the_same_in_one_two_and_four_parts(tmp_path):
    for n in (1, 2, 4):
        chunks = [made(opened(tmp_path / f"{n}", part=Part(i, n)), Part(i, n)) for i in range(n, 0, -1)]
        assert sorted(chunk for own in chunks for chunk in own) == list(range(16))
    assert contents(tmp_path / "1") == contents(tmp_path / "2") == contents(tmp_path / "4")
    table = pq.read_table(tmp_path / "4" / "points")
    np.testing.assert_array_equal(np.sort(table["index"].to_numpy()), np.arange(1000))
    assert [words["rows"] for _, words in opened(tmp_path / "1", resume=True).all_words()] == [64] * 15 + [40]


def test_a_longer_scan_has_the_shorter_one_in_it(tmp_path):
    seen: list[tuple[int, int, int]] = []
    made(opened(tmp_path / "grown", 500))
    assert made(opened(tmp_path / "grown", 1000, resume=True), report=lambda *n: seen.append(n)) == list(range(7, 16))
    made(opened(tmp_path / "straight", 1000))
    assert contents(tmp_path / "grown") == contents(tmp_path / "straight")
    assert seen[0] == (448, 448, 1000)
    assert seen[-1] == (448, 1000, 1000)


@pytest.mark.parametrize("harm", ["cut", "changed"])
def test_a_damaged_file_is_said_and_made_again(tmp_path, harm):
    dataset = opened(tmp_path / "scan", 100)
    made(dataset)
    whole, path, said = contents(tmp_path / "scan"), dataset.file(1), []
    content = path.read_bytes()
    path.write_bytes(content[:-20] if harm == "cut" else content.replace(b'"first": 64', b'"first": 65'))
    assert made(opened(tmp_path / "scan", 100, resume=True), say=said.append) == [1]
    assert said == [f"warning: {path} is damaged and is made again"]
    assert contents(tmp_path / "scan") == whole


def test_no_changed_byte_changes_a_number_unnoticed(tmp_path):
    columns = {"index": np.arange(8), "bins": np.linspace(0.0, 1.0, 16).reshape(8, 2)}
    content, path = encoded(columns, {"first": 0}), tmp_path / "one.parquet"
    path.write_bytes(content)
    table = pq.read_table(path)
    assert is_intact(path)
    for i in range(0, len(content), 3):
        path.write_bytes(content[:i] + bytes([content[i] ^ 16]) + content[i + 1 :])
        if said_words(path) is not None and is_intact(path):  # such as a byte of Parquet's own statistics
            assert pq.read_table(path).equals(table)


def test_rows_of_two_scans_never_meet(tmp_path):
    made(opened(tmp_path / "one"))
    made(opened(tmp_path / "other", power=3), power=3)
    with pytest.raises(InputError, match="the power was 2 and is 3"):
        opened(tmp_path / "one", power=3, resume=True)
    (tmp_path / "one/points/points-000002.parquet").write_bytes(
        (tmp_path / "other/points/points-000002.parquet").read_bytes()
    )
    with pytest.raises(InputError, match=r"points-000002\.parquet: it belongs to another scan"):
        made(opened(tmp_path / "one", resume=True))
    under_way = opened(tmp_path / "third", number=100)
    opened(tmp_path / "third", number=100, power=3, overwrite=True)
    with pytest.raises(InputError, match="another scan has been started in it"):
        made(under_way)
    assert contents(tmp_path / "third") == {}


def test_a_folder_is_taken_only_for_what_it_is(tmp_path):
    made(opened(tmp_path / "scan"))
    for how, words in (
        ({}, "it holds a scan; add --overwrite, or --resume"),
        ({"overwrite": True, "resume": True}, "give one of the two"),
        ({"overwrite": True, "part": Part(1, 2)}, "it would remove what other parts have made"),
        ({"number": 999, "resume": True}, "has 1000 points; give that number or a larger one"),
        ({"number": 1001, "part": Part(1, 2)}, "has 1000 points; give that number"),
    ):
        with pytest.raises(InputError, match=words):
            opened(tmp_path / "scan", **how)
    with pytest.raises(InputError, match="there is no scan to go on with"):
        opened(tmp_path / "none", resume=True)
    (tmp_path / "scan/points/mine.csv").write_text("1\n")
    with pytest.raises(InputError, match=r"holds mine\.csv, not written by anomfit"):
        opened(tmp_path / "scan", resume=True)
    (tmp_path / "scan/scan.json").write_text("{")
    with pytest.raises(InputError, match=r"scan\.json: damaged, or not written by anomfit"):
        opened(tmp_path / "scan", resume=True)
    (tmp_path / "file").write_text("1\n")
    with pytest.raises(InputError, match="a file is in the way"):
        opened(tmp_path / "file")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "foreign/card.toml").write_text("mine\n")
    with pytest.raises(InputError, match=r"holds card\.toml, not written by anomfit"):
        opened(tmp_path / "foreign")
    assert (tmp_path / "foreign/card.toml").read_text() == "mine\n"


@pytest.mark.parametrize("text", ["", "0/4", "5/4", "1/0", "1", "a/b", "1/9999999"])
def test_a_part_is_one_of_several(text):
    assert part_from("4/4") == Part(4, 4)
    with pytest.raises(InputError, match="write i/n"):
        part_from(text)


@dataclass(frozen=True)
class SlowSquares(Squares):
    """The same rows, in their time."""

    seconds: float = 0.02

    def columns(self, first, last):
        time.sleep(self.seconds)
        return super().columns(first, last)


PROGRAM = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from test_scan_engine import Part, SlowSquares, fill, made_here, opened
dataset = opened(Path(sys.argv[1]), number=4000, resume=(Path(sys.argv[1]) / "scan.json").exists())
tasks = dataset.missing(Part().chunks(dataset.manifest.plan), print)
fill(SlowSquares(), dataset, tasks, 4000, made_here, lambda *numbers: None)
"""
TESTS = str(Path(__file__).parent)


@pytest.mark.slow
def test_a_scan_that_is_killed_again_and_again_ends_as_one_that_never_stopped(tmp_path):
    made(opened(tmp_path / "straight", 4000))
    chance, folder, kills = random.Random(5), tmp_path / "killed", 0
    program = PROGRAM.format(tests=TESTS)
    while True:
        there = len(list(folder.glob("points/*.parquet")))
        running = subprocess.Popen([sys.executable, "-c", program, str(folder)], stderr=subprocess.PIPE, text=True)
        while running.poll() is None and len(list(folder.glob("points/*.parquet"))) <= there:
            time.sleep(0.002)
        if kills < 3:
            time.sleep(chance.uniform(0.0, 0.2))
            running.kill()
            kills += 1
        said = running.communicate(timeout=60)[1]
        if running.returncode == 0:
            break
        assert running.returncode == -9, said
    assert kills == 3
    assert contents(folder) == contents(tmp_path / "straight")


@pytest.fixture
def scheduler(tmp_path):
    """The address of a Dask scheduler, and its two workers."""
    import distributed

    environment = {**os.environ, "PYTHONPATH": TESTS, "DASK_DISTRIBUTED__WORKER__MEMORY__TERMINATE": "False"}
    file, command = tmp_path / "scheduler.json", [sys.executable, "-m", "dask"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment, "cwd": tmp_path}
    options = ["--scheduler-file", str(file), "--no-dashboard"]
    local = ["--host", "127.0.0.1"]
    programs = [subprocess.Popen([*command, "scheduler", "--port", "0", *local, *options], **quiet)]
    try:
        until = time.monotonic() + 120.0
        while not (file.exists() and file.read_text().endswith("}")) and time.monotonic() < until:
            time.sleep(0.05)
        worker = [*command, "worker", "--nthreads", "1", "--no-nanny", *local, *options]
        programs += [subprocess.Popen(worker, **quiet) for _ in range(2)]
        address = json.loads(file.read_text())["address"]
        with distributed.Client(address, set_as_default=False) as client:
            client.wait_for_workers(2, timeout=120)
        yield address, programs[1:]
    finally:
        for program in programs:
            program.kill()
            program.wait()


@pytest.mark.slow
def test_the_chunks_of_a_killed_worker_are_made_by_the_other(tmp_path, scheduler):
    address, workers = scheduler
    made(opened(tmp_path / "straight", 2000))
    dataset, kept = opened(tmp_path / "cluster", 2000), []
    recipe, tasks = SlowSquares(seconds=0.1), dataset.missing(range(32), print)

    def killing(before, done, total):
        kept.append(done)
        if len(kept) == 6:
            workers[0].kill()

    fill(recipe, dataset, tasks, 2000, Cluster(address), killing)
    assert workers[0].wait(timeout=60) == -9
    assert kept[-1] == 2000
    assert contents(tmp_path / "cluster") == contents(tmp_path / "straight")
    other = opened(tmp_path / "other", 100, power=3)
    with pytest.raises(InputError, match=r"would make other rows: the power was 3 and is 2"):
        fill(SlowSquares(power=2), other, other.missing([0], print), 100, Cluster(address), lambda *numbers: None)


def test_a_scheduler_that_is_not_there_is_refused(tmp_path, monkeypatch):
    dataset = opened(tmp_path / "scan")
    monkeypatch.setattr(cluster, "PATIENCE", 1)
    for address in ("tcp://127.0.0.1:9", "nowhere:x", "gopher://1.2.3.4:5"):
        with pytest.raises(InputError, match=r"--scheduler: .* is not usable; it does not answer"):
            list(Cluster(address)(Squares(), dataset, []))
    with pytest.raises(InputError, match="--scheduler: '' is not usable; give the address"):
        Cluster("")
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(InputError, match=r"install anomfit\[cluster\], which has dask and distributed"):
        Cluster("tcp://127.0.0.1:9")

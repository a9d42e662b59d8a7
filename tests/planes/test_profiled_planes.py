"""Planes of toys whose profile is known, killed and gone on with, and of magnetic moments against iminuit."""

import csv
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow.parquet as pq
import pytest
from iminuit import Minuit
from matplotlib.path import Path as Outline

import anomfit
from anomfit.cards import card_from_text, problem_from_card
from anomfit.errors import InputError
from anomfit.inference.cells.around import AroundPlane
from anomfit.inference.cells.profiled import lattice, strides
from anomfit.planes.axes import axes_of, checked_grid, range_from, with_axes
from anomfit.planes.posterior import posterior_plane
from anomfit.planes.rows import PlaneRows
from anomfit.planes.waves import BETWEEN, FIRST, plan_of, waves

TOYS = Path(__file__).parents[1] / "inference"
sys.path.insert(0, str(TOYS))
from toys import ToyMeasurement, ToyModel, banana_problem, edge_problem, linear_parameter  # noqa: E402

from anomfit.problem import build_problem  # noqa: E402

COVARIANCE = np.array([[0.3, 0.1, 0.05, 0.0], [0.1, 0.4, -0.2, 0.1], [0.05, -0.2, 0.5, 0.2], [0.0, 0.1, 0.2, 0.6]])
MEAN = np.array([0.5, -1.0, 0.3, 0.2])


def gaussian_problem(free="xyzw", fixed=None):
    """Four numbers measured directly with correlated errors: a profile over two is a parabola of their covariance."""
    parameters = tuple(linear_parameter(name) for name in "xyzw")
    model = ToyModel("gauss", parameters, lambda p: jnp.stack([p[name] for name in "xyzw"]))
    measurement = ToyMeasurement(jnp.asarray(MEAN), jnp.linalg.inv(jnp.asarray(COVARIANCE)))
    chosen = [p for p in parameters if p.name in free]
    return build_problem(model, [measurement], "own", chosen, fixed or {})


def above(plane, covariance, mean):
    d = np.stack([plane.table["x"] - mean[0], plane.table["y"] - mean[1]])
    return np.einsum("ik,ij,jk->k", d, np.linalg.inv(covariance), d)


@pytest.fixture(scope="module")
def gaussian():
    return anomfit.plane(gaussian_problem(), "x", "y", (17, 16), method="profile", constraints=False)


def test_the_profile_of_a_gaussian_is_exact(gaussian):
    expected = above(gaussian, COVARIANCE[:2, :2], MEAN)
    np.testing.assert_allclose(gaussian.table["delta_twice_nll"], expected, atol=2e-3, rtol=1e-9)
    assert set(gaussian.table["status"]) == {"converged"}
    assert gaussian.lowest == pytest.approx(0.0, abs=1e-4)
    assert (gaussian.best["x"], gaussian.best["y"]) == pytest.approx((0.5, -1.0), abs=1e-2)
    assert gaussian.column("x").shape == (16, 17)
    assert (np.ptp(gaussian.column("x"), axis=0) == 0.0).all()
    # the other parameters follow their conditional mean
    slope = COVARIANCE[2:, :2] @ np.linalg.inv(COVARIANCE[:2, :2])
    away = np.stack([gaussian.table["x"] - 0.5, gaussian.table["y"] + 1.0])
    np.testing.assert_allclose(gaussian.table["z"], 0.3 + (slope @ away)[0], atol=0.05)


def test_intervals_and_contours_are_those_of_one_and_of_two_parameters(gaussian):
    for name, i in (("x", 0), ("y", 1)):
        for share, level in (("68 %", 1.00), ("95 %", 3.84)):
            half = np.sqrt(level * COVARIANCE[i, i])
            assert gaussian.intervals()[name][share] == pytest.approx((MEAN[i] - half, MEAN[i] + half), abs=0.01)
    fine = anomfit.plane(
        gaussian_problem("xy", {"z": 0.3, "w": 0.2}),
        "x",
        "y",
        (120, 120),
        {"x": (-2.5, 3.5), "y": (-4.0, 2.0)},
        constraints=False,
    )
    own = np.linalg.inv(np.linalg.inv(COVARIANCE)[:2, :2])  # the others fixed
    np.testing.assert_allclose(fine.table["delta_twice_nll"], above(fine, own, MEAN), atol=1e-6)
    levels = {line.name: line.level for line in fine.lines() if line.kind == "likelihood"}
    assert sorted(levels.values()) == [1.00, 2.30, 3.84, 5.99]
    for line in fine.lines():
        (piece,) = line.contour.pieces
        d = piece - MEAN[:2]
        np.testing.assert_allclose(np.einsum("ki,ij,kj->k", d, np.linalg.inv(own), d), line.level, atol=0.03)


def test_a_valley_and_a_moving_end_against_minuit():
    for problem, x, y in ((banana_problem(), "x", "z"), (edge_problem(), "x", "y")):
        plane = anomfit.plane(problem, x, y, (12, 12), method="profile", constraints=False)
        known = set(plane.table["status"])
        assert known <= {"converged", "retried", "outside"}
        is_out = plane.table["status"] == "outside"
        assert is_out.any() == (x == "x" and y == "y")
        if is_out.any():  # y must stay below x
            np.testing.assert_array_equal(is_out, plane.table["y"] > 1.01 * plane.table["x"])
            assert np.isinf(plane.table["twice_nll"][is_out]).all()
        np.testing.assert_allclose(plane.table["twice_nll"][~is_out], by_minuit(problem, plane, ~is_out), atol=0.02)


def by_minuit(problem, plane, which):
    """-2 ln L of cells one by one: MIGRAD with derivatives by its own differences, logarithms where the prior is."""
    held = [axis.name for axis in plane.axes]
    moving = [name for name in problem.names if name not in held]
    log = {p.name for p in problem.free if p.is_log}
    fixed = {name: float(value) for name, value in problem.fixed.items()}
    program, found = jax.jit(lambda given, point: -2.0 * given.log_likelihood(point)), []
    for k in np.flatnonzero(which):
        at = {name: float(plane.table[name][k]) for name in held}

        def function(*x, at=at):
            point = at | {n: np.exp(v) if n in log else v for n, v in zip(moving, x, strict=True)}
            ends = {n: float(bound(fixed | point)) for n, bound in problem.parametrisation.upper.items() if n in point}
            beyond = sum(max(0.0, np.log(point[n] / end)) for n, end in ends.items())
            return float(program(problem, point)) + 1e6 * beyond**2

        if not moving:
            found.append(function())
            continue
        best = np.inf
        for shift in (0.0, 0.3):  # from where the plane ended, and from beside it
            start = [float(plane.table[name][k]) for name in moving]
            start = [np.log(v) + shift if n in log else v + shift for n, v in zip(moving, start, strict=True)]
            fitter = Minuit(function, *start, name=moving)
            for p in problem.free:
                if p.name in moving:
                    fitter.limits[p.name] = tuple(np.log([p.low, p.high])) if p.is_log else (p.low, p.high)
            fitter.errordef, fitter.tol = Minuit.LEAST_SQUARES, 0.01
            fitter.migrad(ncall=2000)
            best = min(best, float(fitter.fval))
        found.append(best)
    return np.array(found)


MOMENTS = """
model = "two-higgs-doublet"
parametrisation = "products"
point = "table-I"
[free]
m_hprime = "default"
sin_delta = "default"
y_mu = "default"
y_e = "default"
[measurements]
g-2-muon = "wp2025"
g-2-electron = "rubidium"
kloe-electrons = "default"
"""


def test_magnetic_moments_against_minuit():
    """Both moments and a limit over the mixing and y_mu, m_h' and y_e profiled: the shipped physics, and cheap."""
    card = card_from_text(MOMENTS)
    plane = anomfit.plane(card, "sin_delta", "y_mu", (10, 10), method="profile", constraints=False)
    assert set(plane.table["status"]) <= {"converged", "retried"}
    near = np.flatnonzero(plane.table["delta_twice_nll"] < 100.0)  # further up, slopes press h' through MINUIT's wall
    chosen = np.zeros(100, dtype=bool)
    chosen[np.random.default_rng(1).choice(near, 20, replace=False)] = True
    assert np.ptp(plane.table["twice_nll"][chosen]) > 5.0
    difference = plane.table["twice_nll"][chosen] - by_minuit(problem_from_card(card), plane, chosen)
    assert abs(difference).max() < 0.02
    names = [*plane.measurements, *plane.fitted]
    assert [name.partition(":")[0] for name in names] == ["g-2-muon", "g-2-electron", "kloe-electrons"]
    total = sum(plane.table[f"twice_nll.{name}"] for name in names)
    np.testing.assert_allclose(total, plane.table["twice_nll"], rtol=1e-10, atol=1e-12)


def test_a_fixed_parameter_takes_a_range_and_a_start_can_be_given():
    problem = gaussian_problem("xzw", {"y": 0.0})
    plane = anomfit.plane(problem, "x", "y", (9, 8), {"y": (-2.0, 1.0)}, method="profile", constraints=False)
    np.testing.assert_allclose(plane.table["twice_nll"], above(plane, COVARIANCE[:2, :2], MEAN), atol=5e-3)
    start = {"x": 0.0, "z": 1.0, "w": -1.0, "y": 0.5}
    fixed = anomfit.plane(problem, "x", "y", (9, 8), {"y": (-2.0, 1.0)}, start=start, constraints=False)
    d = np.stack([fixed.table["x"] - 0.5, fixed.table["y"] + 1.0, np.full(72, 0.7), np.full(72, -1.2)])
    expected = np.einsum("ik,ij,jk->k", d, np.linalg.inv(COVARIANCE), d)
    np.testing.assert_allclose(fixed.table["twice_nll"], expected, rtol=1e-10)
    assert fixed.lowest == fixed.table["twice_nll"].min()


def test_one_program_serves_planes_inside_the_ranges_of_a_card():
    problem = gaussian_problem()
    assert with_axes(problem, axes_of(problem, "x", "y", {"x": (-1, 1)}, (4, 4))) is problem
    fixed = gaussian_problem("xzw", {"y": 0.0})
    assert with_axes(fixed, axes_of(fixed, "x", "y", {"y": (-1, 1)}, (4, 4))).names == ("x", "y", "z", "w")


def test_fractions_are_the_inverse_of_the_map_and_its_gradient_that_of_the_likelihood():
    around = AroundPlane(edge_problem(), (0, 1))
    assert around.size == 0
    around = AroundPlane(banana_problem(), (0, 2))
    x, places = np.array([[0.7], [0.1]]), np.log(np.array([[2.0, 0.5], [0.1, 30.0]]))
    np.testing.assert_allclose(around.fractions(around.scaled(x, places), places), x, rtol=1e-12)
    values, slopes = around.gradients(x, places)
    np.testing.assert_allclose(around.values(x, places), values, rtol=1e-12)
    step = 1e-5
    differences = (around.values(x + step, places) - around.values(x - step, places)) / (2 * step)
    np.testing.assert_allclose(slopes[:, 0], differences, rtol=1e-6)


def test_waves_have_every_cell_and_chunks_never_reach_over_their_ends():
    for nx, ny in ((60, 60), (2, 2), (7, 40), (33, 5)):
        found = waves(nx, ny, profiled=True)
        made = np.concatenate([wave.cells for wave in found if wave.kind in (FIRST, BETWEEN)])
        np.testing.assert_array_equal(np.sort(made), np.arange(nx * ny))
        plan, ends = plan_of(found, 50), set(np.cumsum([len(wave.cells) for wave in found]).tolist())
        tasks = [plan.task(k) for k in range(plan.chunks)]
        assert [task.first for task in tasks] == [0, *(task.last for task in tasks[:-1])]
        assert ends <= {task.last for task in tasks}
    assert strides(60, 60) == [8, 4, 2, 1]
    assert list(lattice(5, 3, 2)) == [0, 2, 4, 10, 12, 14]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("x", "x"), "'x' is given twice; name two different parameters"),
        (("x", "q"), "--y: 'q' is not usable; it is no parameter of 'own'; name one of x, z, w, y"),
        (("x", "y"), "--y: 'y' is not usable; it is fixed in this card; give its range too, such as --range y=-5:5"),
        (("x", "z", {"z": (1.0, 1.0)}), "--range: 'z=1.0:1.0' is not usable; the lower end must be below the upper"),
        (("x", "z", {"z": (2.0, -2.0)}), "the lower end must be below the upper one"),
        (("x", "z", {"z": (float("nan"), 1.0)}), "--range z: nan is not usable"),
        (("x", "z", {"z": (0.0, 50.0)}), "stay within what the model allows, -5 to 5"),
        (("x", "z", {"z": ("0GeV", 1.0)}), "--range z: '0GeV' is not usable"),
        (("x", "z", {"w": (0.0, 1.0)}), "--range: 'w' is not usable; it is no axis of this plane"),
    ],
)
def test_axes_that_cannot_be_are_refused(arguments, words):
    with pytest.raises(InputError) as refused:
        axes_of(gaussian_problem("xzw", {"y": 0.0}), *arguments)
    assert words in str(refused.value)


@pytest.mark.parametrize("grid", ["", "60", "1x5", "0x0", "60x", "3x4x5", "-2x4", "99999999x3", (3,), (2.5, 3), None])
def test_grids_that_cannot_be_are_refused(grid):
    with pytest.raises(InputError, match=r"--grid: .* write the cells along x and y"):
        checked_grid(grid)


def test_a_range_is_a_name_and_two_ends():
    assert range_from("m_N2=50MeV:0.2") == ("m_N2", ("50MeV", "0.2"))
    for text in ("", "m_N2", "m_N2=", "m_N2=1", "m_N2=1:", "=1:2"):
        with pytest.raises(InputError, match="write NAME=LOW:HIGH"):
            range_from(text)


def test_other_mistakes_are_refused():
    with pytest.raises(InputError, match="method: 'best' is not usable; use one of fixed, profile, posterior"):
        anomfit.plane(gaussian_problem(), "x", "y", method="best")
    with pytest.raises(InputError, match="only a result has draws"):
        anomfit.plane(gaussian_problem(), "x", "y", method="posterior")
    with pytest.raises(InputError, match="start: it has no value of 'w'"):
        anomfit.plane(gaussian_problem(), "x", "y", start={"z": 0.0}, constraints=False)
    with pytest.raises(InputError, match="start: 'v' is not usable; it is no parameter or pull"):
        anomfit.plane(gaussian_problem(), "x", "y", start={"z": 0.0, "w": 0.0, "v": 1.0}, constraints=False)


def test_regions_of_a_posterior_hold_their_share_of_the_draws():
    drawn = np.random.default_rng(1).multivariate_normal(MEAN, COVARIANCE, 40_000)
    values = {name: drawn[:, i].reshape(4, -1) for i, name in enumerate("xyzw")}
    origin = SimpleNamespace(model="gauss", measurements=("toy:2020",))
    result = SimpleNamespace(samples=SimpleNamespace(values=values), fit=None, provenance=origin)
    plane = posterior_plane(result, gaussian_problem(), "x", "y", (40, 40), None)  # type: ignore[arg-type]
    assert plane.table["draws"].sum() / 40_000 == pytest.approx(plane.table["probability"].sum(), rel=1e-12)
    for line, share in zip(plane.lines(), (0.6827, 0.9545), strict=True):
        held = [Outline(piece).contains_points(drawn[:, :2]).mean() for piece in line.contour.pieces]
        assert sum(held) == pytest.approx(share, abs=0.02)


def contents(folder):
    return {path.name: path.read_bytes() for path in sorted((folder / "points").iterdir())}


OPTIONS = {"grid": (17, 6), "method": "profile", "constraints": False, "chunk": 7}


def test_an_interrupt_and_a_damaged_file_cost_nothing(tmp_path, monkeypatch):
    whole = anomfit.plane(gaussian_problem(), "x", "y", folder=tmp_path / "whole", **OPTIONS)
    with monkeypatch.context() as patch:
        real, calls = PlaneRows.columns, []

        def interrupted(self, first, last):
            calls.append(first)
            if len(calls) > 12:
                raise KeyboardInterrupt
            return real(self, first, last)

        patch.setattr(PlaneRows, "columns", interrupted)
        with pytest.raises(KeyboardInterrupt, match="--resume goes on"):
            anomfit.plane(gaussian_problem(), "x", "y", folder=tmp_path / "stopped", **OPTIONS)
    assert len(contents(tmp_path / "stopped")) == 12
    with pytest.raises(InputError, match="it holds a plane; add --overwrite, or --resume"):
        anomfit.plane(gaussian_problem(), "x", "y", folder=tmp_path / "stopped", **OPTIONS)
    ranges = {"x": (-1.0, 1.0)}
    with pytest.raises(InputError, match=r"the setting x was .'x', -5.0, 5.0, 17. and is"):
        anomfit.plane(gaussian_problem(), "x", "y", ranges=ranges, folder=tmp_path / "stopped", resume=True, **OPTIONS)
    (tmp_path / "stopped/points/points-000004.parquet").write_bytes(b"PAR1")
    again = anomfit.plane(gaussian_problem(), "x", "y", folder=tmp_path / "stopped", resume=True, **OPTIONS)
    assert contents(tmp_path / "stopped") == contents(tmp_path / "whole")
    assert again.lowest == whole.lowest
    files = [path.name for path in again.save(tmp_path / "stopped")]
    assert files == ["plane.parquet", "plane.csv", "contours.parquet", "contours.csv", "plane.png"]
    whole.save(tmp_path / "whole")
    whole.save(tmp_path / "whole")
    for name in files[:4]:
        assert (tmp_path / "stopped" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    table = pq.read_table(tmp_path / "whole/plane.parquet")
    with (tmp_path / "whole/plane.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == table.column_names
    np.testing.assert_array_equal([float(row["twice_nll"]) for row in rows], table["twice_nll"].to_numpy())
    assert "go on: " in (tmp_path / "stopped/plane.log").read_text()
    in_memory = anomfit.plane(gaussian_problem(), "x", "y", **OPTIONS)
    for name, column in in_memory.table.items():
        np.testing.assert_array_equal(column, whole.table[name])


PROGRAM = """
import sys
sys.path.insert(0, {planes!r})
from pathlib import Path
from test_profiled_planes import OPTIONS, anomfit, gaussian_problem
folder = Path(sys.argv[1])
anomfit.plane(gaussian_problem(), "x", "y", folder=folder, resume=(folder / "plane.json").exists(), **OPTIONS)
"""


@pytest.mark.slow
def test_a_plane_that_is_killed_at_random_times_ends_as_one_that_never_stopped(tmp_path):
    chance, folder, kills = np.random.default_rng(3), tmp_path / "killed", 0
    program = PROGRAM.format(planes=str(Path(__file__).parent))
    environment = {**os.environ, "JAX_PLATFORMS": "cpu"}
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "whole")], env=environment, check=True, timeout=300)
    while True:
        there = len(list(folder.glob("points/*.parquet")))
        running = subprocess.Popen([sys.executable, "-c", program, str(folder)], env=environment)
        if kills < 2:
            while running.poll() is None and len(list(folder.glob("points/*.parquet"))) <= there + 3:
                time.sleep(0.002)
            time.sleep(chance.uniform(0.0, 0.1))
            running.send_signal(signal.SIGKILL)
            kills += 1
        status = running.wait(timeout=300)
        if status == 0:
            break
        assert status == -9
    assert kills == 2
    assert contents(folder) == contents(tmp_path / "whole")

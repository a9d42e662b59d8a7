"""What fixes a run's numbers, by name: each change of it is seen, and said in words."""

import dataclasses
import shutil
import subprocess
import sys
from pathlib import Path

import jax
import pytest
from toys import LINEAR, LINEAR_PARAMETERS, linear_problem

from anomfit.cards import load_card, problem_from_card
from anomfit.errors import InputError
from anomfit.identity import differences, identity, refuse_other, sampling_identity
from anomfit.parameters import Nuisance
from anomfit.problem import build_problem
from anomfit.userfiles import resolve_measurement, resolve_model

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


def changes(before, after):
    return differences(identity(before), identity(after))


def test_the_same_problem_made_twice_and_elsewhere_is_the_same():
    problem = problem_from_card(load_card("oscillation"))
    code = (
        "from anomfit.cards import load_card, problem_from_card; from anomfit.identity import identity; "
        "print(sorted(identity(problem_from_card(load_card('oscillation'))).items()))"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == str(sorted(identity(problem).items()))


def test_each_part_of_a_problem_has_its_words():
    problem = linear_problem()
    assert changes(problem, linear_problem()) == ""
    assert changes(problem, linear_problem(data=(0.5, -1.0 + 1e-15))) == "the data of toy:2020 have changed"
    assert changes(problem, linear_problem(fixed=0.5)) == "the fixed offset was 0.0 and is 0.5"
    x, y, offset = LINEAR_PARAMETERS

    def made(*free, fixed=None, nuisances=()):
        measurement = dataclasses.replace(problem.measurements[0], nuisances=nuisances)
        return build_problem(LINEAR, [measurement], "own", free, {"offset": 0.0} if fixed is None else fixed)

    words = "the range of x was uniform from -5.0 to 5.0 and is uniform from -5.0 to 4.0"
    assert changes(problem, made(x.within(-5.0, 4.0), y)) == words
    first, second = (
        dataclasses.replace(problem.measurements[0], name=name, samples=frozenset({name})) for name in "ab"
    )
    orders = [
        build_problem(LINEAR, both, "own", (x, y), {"offset": 0.0}) for both in ([first, second], [second, first])
    ]
    assert changes(*orders) == "the order of parameters and measurements has changed"
    assert "the fixed offset is not used any more" in changes(problem, made(x, y, offset, fixed={}))
    shifts = [made(x, y, nuisances=(Nuisance("shift", "s", 0.0, sigma, "a shift"),)) for sigma in (1.0, 2.0)]
    assert changes(*shifts) == "the nuisance shift was 0.0 +- 1.0 and is 0.0 +- 2.0"


def test_a_new_version_says_it_all_and_new_source_is_named():
    now = identity(linear_problem())
    assert differences(now, {**now, "anomfit": "9.9", "anomfit's physics": "0" * 64}).endswith(" and is 9.9")
    assert differences(now, {**now, "anomfit's physics": "0" * 64}) == "anomfit's physics has changed"
    assert "data/miniboone" in " ".join(now)
    assert not any("cli" in name or "plotting" in name or "cards" in name for name in now)
    many = dict.fromkeys(now, "0" * 64) | {"anomfit": now["anomfit"]}
    assert differences(now, many).count(",") == 3
    assert differences({}, now) == "it does not say what it was computed from"


def test_draws_go_on_only_with_the_seed_the_settings_and_the_libraries_they_began_with():
    problem, key = linear_problem(), jax.random.key(1)
    before = sampling_identity(problem, key, "nested", live=300)
    assert differences(before, sampling_identity(problem, key, "nested", live=300)) == ""
    other = sampling_identity(problem, jax.random.key(2), "nested", live=400)
    assert differences(before, other) == "the seed has changed, the setting live was 300 and is 400"
    assert not {"jax", "numpy"} & {*identity(problem)}  # a fit may be followed by sampling with others
    assert "scikit-learn was 0.1 and is" in differences({**before, "scikit-learn": "0.1"}, before)
    with pytest.raises(InputError, match=r"nested\.h5: it belongs to another run: jax was 0\.1 and is .*; undo this"):
        refuse_other(Path("nested.h5"), {**before, "jax": "0.1"}, before)


def test_a_users_files_are_named_without_their_folder(tmp_path):
    problems = []
    for folder in ("one", "two", "edited"):
        shutil.copytree(EXAMPLES, tmp_path / folder)
        if folder == "edited":
            with (tmp_path / folder / "my_model.py").open("a") as file:
                file.write("\n# another formula\n")
        model = resolve_model(f"{tmp_path / folder}/my_model.py:dark_photon")
        measurement = resolve_measurement(f"{tmp_path / folder}/my_measurement.py:load")
        name, parametrisation = next(iter(model.parametrisations.items()))
        problems.append(build_problem(model, [measurement], name, parametrisation.parameters, {}))
    assert changes(problems[0], problems[1]) == ""
    assert changes(problems[0], problems[2]) == "my_model.py has changed"

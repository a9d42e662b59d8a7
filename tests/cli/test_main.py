"""The command line as a whole: verbs, help that teaches, exit statuses."""

import os
import subprocess
import sys

import jax
import pytest

from anomfit import __version__
from anomfit.cli import listing

VERBS = [
    "models",
    "measurements",
    "card",
    "predict",
    "constraints",
    "fit",
    "sample",
    "plot",
    "table",
    "cite",
    "reproduce",
]


def test_help_shows_a_first_session_and_every_verb(anomfit):
    outcome = anomfit("--help")
    assert outcome.status == 0
    assert "anomfit fit two-higgs-doublet --out my-fit" in outcome.out
    for verb in VERBS:
        assert f"\n  {verb}" in outcome.out


@pytest.mark.parametrize("verb", VERBS)
def test_each_verbs_help_has_examples_of_that_verb(anomfit, verb):
    outcome = anomfit(verb, "--help")
    assert outcome.status == 0
    examples = outcome.out.split("Examples:")[1].split("Options:")[0].split("Arguments:")[0].strip().splitlines()
    assert examples
    assert any(line.strip().startswith(f"anomfit {verb}") for line in examples)
    assert all(line.strip().startswith("anomfit ") for line in examples)


def test_the_version_is_the_packages(anomfit):
    assert anomfit("--version") == (0, f"anomfit {__version__}\n", "")


def test_without_a_verb_the_help_is_shown(anomfit):
    outcome = anomfit()
    assert outcome.status == 0
    assert "A first session" in outcome.out


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fitt"], "fitt"),
        (["predict", "two-higgs-doublet"], "measurement"),
        (["models", "--jason"], "--jason"),
        (["fit", "oscillation", "--seed", "one"], "'one'"),
        (["fit", "oscillation", "--seed=-1"], "'-1'"),
    ],
)
def test_a_usage_error_is_one_line_and_status_2(anomfit, arguments, words):
    outcome = anomfit(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("anomfit: ")
    assert outcome.err.count("\n") == 1
    assert words.lower() in outcome.err.lower()


def test_an_interrupt_is_one_line_and_status_130(anomfit, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr("anomfit.catalogue.model_names", interrupted)
    assert anomfit("models") == (130, "", "anomfit: interrupted\n")


def test_help_does_not_wait_for_samplers_and_plots():
    code = (
        "import sys; from anomfit.cli import main; main(['fit', '--help']);"
        "print([name for name in ('arviz', 'matplotlib', 'numpyro', 'xarray', 'emcee') if name in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert finished.stdout.endswith("[]\n")


def test_the_module_runs_as_a_program_and_its_status_reaches_the_shell(tmp_path):
    for arguments, status in [(["--version"], 0), (["fit", "no-such.toml"], 2)]:
        finished = subprocess.run(
            [sys.executable, "-m", "anomfit", *arguments],
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "ANOMFIT_CACHE": "off"},
            cwd=tmp_path,
        )
        assert finished.returncode == status
        assert finished.stderr.count("\n") == (status == 2)
        assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("show", ["print('row')", "Console().print('row')"])
def test_a_reader_that_has_gone_ends_a_verb_as_it_ends_other_tools(show):
    code = (
        "import sys; from rich.console import Console; from anomfit.cli import main\n"
        "from anomfit import catalogue\n"
        f"catalogue.model_names = lambda: [{show} for _ in range(99)]; sys.exit(main(['models']))"
    )
    read, write = os.pipe()
    os.close(read)
    finished = subprocess.run([sys.executable, "-c", code], stdout=write, stderr=subprocess.PIPE, text=True)
    os.close(write)
    assert (finished.returncode, finished.stderr) == (141, "")


def test_listings_agree_with_what_the_verbs_accept(anomfit):
    import json

    names = [entry["name"] for entry in json.loads(anomfit("models", "--json").out)]
    assert {"two-higgs-doublet", "oscillation"} <= set(names)
    table = anomfit("models").out
    for name in names:
        assert f"{name}: " in table
        assert anomfit("card", name).status == 0
    rows = json.loads(anomfit("measurements", "--json").out)
    assert {"name", "era", "default", "title", "status", "references"} <= set(rows[0])
    defaults = [row["name"] for row in rows if row["default"]]
    assert len(defaults) == len(set(defaults)) == len({row["name"] for row in rows})
    table = anomfit("measurements").out
    for row in rows:
        assert f"{row['name']}:{row['era']}" in table


def test_the_matrix_says_which_model_predicts_which_measurement(anomfit):
    """Without their data, from the classes alone; here against the measurements themselves."""
    import json

    from anomfit.capabilities import offers
    from anomfit.catalogue import find_measurement, find_model, measurement_names, model_names

    rows = {row["name"]: row["predicted_by"] for row in json.loads(anomfit("measurements", "--json").out)}
    lines = anomfit("measurements").out.splitlines()
    header = next(line for line in lines if line.split()[:1] == ["miniboone"] and len(line.split()) > 5).split()
    assert header == list(measurement_names())
    assert set(header) == set(rows)
    for name in model_names():
        marks = next(line for line in lines if line.startswith(f"{name} ")).split()[1:]
        for measurement, mark in zip(header, marks, strict=True):
            can = offers(find_model(name), find_measurement(measurement).accepts)
            assert (mark == "yes") == can == (name in rows[measurement]), (name, measurement)


def test_one_model_is_shown_with_its_parameters_points_and_references(anomfit, model):
    import json

    shown = anomfit("models", "two-higgs-doublet").out
    for words in (
        "two-higgs-doublet: two Higgs doublets",
        "parametrisation products:",
        "table-I: ",
        "references: arXiv",
    ):
        assert words in shown
    assert "dark-scalar" not in shown
    record = json.loads(anomfit("models", "dark-scalar", "--json").out)
    assert (record["name"], "bp1" in record["points"]) == ("dark-scalar", True)
    assert "example: m_dark = 0.1, epsilon = 0.001" in anomfit("models", model).out
    outcome = anomfit("models", "dark-scaler")
    assert (outcome.status, outcome.out) == (2, "")
    assert "'dark-scaler'" in outcome.err


def test_listings_read_no_data_and_load_no_constraints():
    """They are done in about a second, most of which is JAX: nothing heavy besides is imported."""
    heavy = ("scipy.stats", "matplotlib", "numpyro", "xarray", "rich.table", "anomfit.constraints", "anomfit.problem")
    for verb in ("['measurements']", "['models', 'two-higgs-doublet']"):
        code = (
            f"import sys; from anomfit.cli import main; main({verb}); print([x for x in {heavy} if x in sys.modules])"
        )
        finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert finished.stdout.endswith("[]\n"), finished.stdout[-200:]


def test_the_printed_card_is_the_one_that_ships(anomfit, tmp_path):
    from anomfit.cards import load_card

    (tmp_path / "my.toml").write_text(anomfit("card", "two-higgs-doublet").out)
    assert load_card("my.toml") == load_card("two-higgs-doublet")
    assert "#" in (tmp_path / "my.toml").read_text()


def test_the_models_record_is_plain_data(model):
    from anomfit.userfiles import resolve_model

    record = listing._model_record(resolve_model(model))
    assert record["points"] == {"example": {"m_dark": 0.1, "epsilon": 1e-3}}
    assert [row["name"] for row in record["parametrisations"]["physical"]] == ["m_dark", "epsilon"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["predict", "oscillation", "lsnd"],
        ["constraints", "two-higgs-doublet"],
        ["fit", "oscillation"],
        ["sample", "oscillation"],
        ["optimise", "oscillation"],
        ["toys", "oscillation", "--number", "5"],
        ["reproduce"],
    ],
)
def test_every_verb_that_computes_refuses_single_precision(anomfit, tmp_path, arguments):
    with jax.enable_x64(False):
        outcome = anomfit(*arguments)
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.startswith("anomfit: precision: ")
    assert outcome.err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []

"""Bad input, one test a kind: status 2, one line that names field, value and remedy, nothing written."""

import dataclasses

import pytest

from anomfit.cards import card_text, load_card

MODEL_CARD = """
model = "{model}"
point = "example"
[free]
epsilon = "default"
[measurements]
"{measurement}" = {{}}
"""


@pytest.fixture
def refused(anomfit, tmp_path):
    """Run, check the form of the refusal and that no file was made or changed, and return the line."""

    def run(*arguments) -> str:
        before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        outcome = anomfit(*arguments)
        after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
        assert outcome.status == 2, outcome
        assert outcome.out == ""
        assert outcome.err.startswith("anomfit: ")
        assert outcome.err.count("\n") == 1
        assert outcome.err.endswith("\n")
        assert "Traceback" not in outcome.err
        assert after == before
        return outcome.err

    return run


@pytest.fixture
def card(tmp_path, model, measurement):
    """Write a card, with some text in it replaced, and return its path."""

    def write(old: str = "", new: str = ""):
        text = MODEL_CARD.format(model=model, measurement=measurement)
        assert old in text
        path = tmp_path / "my.toml"
        path.write_text(text.replace(old, new, 1) if old else text)
        return path

    return write


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fit", "two-higgs-dublet"], ["two-higgs-dublet", "'two-higgs-doublet'"]),
        (["predict", "two-higgs-dublet", "miniboone"], ["two-higgs-dublet", "two-higgs-doublet"]),
        (["predict", "two-higgs-doublet", "minibone"], ["minibone", "miniboone"]),
        (["predict", "two-higgs-doublet", "miniboone:evsi"], ["evsi", "evis"]),
        (["predict", "two-higgs-doublet", "g-2-muon:wp2052"], ["wp2052", "wp2025"]),
        (["predict", "two-higgs-doublet", "miniboone", "--option", "colour=red"], ["colour"]),
        (["predict", "two-higgs-doublet", "miniboone", "--point", "table-II"], ["table-II", "table-I"]),
        (["predict", "two-higgs-doublet", "miniboone", "--set", "m_N3x=1"], ["m_N3x", "m_N"]),
        (["predict", "two-higgs-doublet", "miniboone", "--parametrisation", "physica"], ["physica", "physical"]),
        (["cite", "two-higgs-dublet"], ["two-higgs-dublet", "two-higgs-doublet"]),
        (["card", "oscilation"], ["oscilation", "oscillation"]),
        (["reproduce", "1234.56789"], ["1234.56789", "2010.06159"]),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest(refused, arguments, words):
    line = refused(*arguments)
    for word in words:
        assert word in line


@pytest.mark.parametrize("target", ["lsnd", "karmen", "e141", "perturbativity"])
def test_what_a_model_lacks_is_said_in_words(refused, model, target):
    line = refused("predict", model, target)
    assert "which dark-photon does not offer" in line
    assert "it lacks `" in line
    assert "(see anomfit.capabilities." in line


@pytest.mark.parametrize("verb", ["predict", "fit"])
def test_what_a_model_of_many_capabilities_lacks_is_said_in_a_few_words(refused, tmp_path, verb):
    card = load_card("two-higgs-doublet-miniboone")
    text = card_text(card).replace("[measurements]", "[measurements]\nkoto = {}")
    (tmp_path / "my.toml").write_text(text)
    verbs = {"predict": ("predict", "two-higgs-doublet", "koto"), "fit": ("fit", "my.toml", "--out", "result")}
    line = refused(*verbs[verb])
    assert "which two-higgs-doublet does not offer: it lacks `meson_branching_ratios(point, mode)`" in line
    assert len(line) < 300


def test_a_name_of_another_alphabet_or_with_a_line_break_is_quoted_in_one_short_line(refused, card, model, tmp_path):
    line = refused("fit", card("[measurements]", '[measurements]\n"charm2: :\\u2028" = {pairs = "x"}'))
    assert "charm2" in line
    assert line.rstrip("\n").isprintable()
    (tmp_path / "points.csv").write_text('"a\u2028","a\u2028"\n1,2\n')
    line = refused("predict", model, "g-2-muon", "--points", "points.csv")
    assert "two columns" in line
    assert line.rstrip("\n").isprintable()


@pytest.mark.parametrize("odd", ["\u202eabc", "\x1b[31mred", "\ufeff"])
def test_an_argument_that_a_terminal_would_obey_is_shown_as_text(refused, odd):
    assert refused("models", odd).rstrip("\n").isprintable()
    assert refused(odd).rstrip("\n").isprintable()


def test_a_search_with_nothing_free_but_nuisance_parameters_is_refused(refused, tmp_path):
    text = card_text(dataclasses.replace(load_card("two-higgs-doublet"), free=()))
    (tmp_path / "fixed.toml").write_text(text)
    assert "at least one parameter free" in refused("optimise", "fixed.toml", "--out", "result")


def test_a_folder_for_the_papers_figures_that_cannot_be_made_is_refused_before_the_numbers(refused, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert "cannot be made" in refused("reproduce", "2010.06159", "--figures", "file/figures")


def test_an_unknown_card_key_is_refused_with_the_nearest(refused, card):
    line = refused("fit", card("[free]", "[fre]"))
    assert "'fre'" in line
    assert "'free'" in line


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("m_dark=30m", ["m_dark", "'30m'", "GeV"]),  # a wrong unit
        ("epsilon=1MeV", ["epsilon", "'1MeV'", "without a unit"]),
        ("m_dark=heavy", ["m_dark", "'heavy'", "finite number"]),  # a wrong type
        ("m_dark=1,2", ["m_dark", "'1,2'"]),
        ("m_dark=-0.1", ["m_dark", "'-0.1'", "0.001 to 10 GeV"]),  # a negative mass
        ("m_dark=nan", ["m_dark", "'nan'", "finite"]),
        ("epsilon=inf", ["epsilon", "'inf'", "finite"]),
        ("epsilon", ["--set", "'epsilon'", "NAME=VALUE"]),
        ("=3", ["--set", "'=3'", "NAME=VALUE"]),
    ],
)
def test_a_bad_value_is_refused(refused, model, measurement, setting, words):
    line = refused("predict", model, measurement, "--set", setting)
    for word in words:
        assert word in line


def test_a_value_given_twice_is_refused(refused, model, measurement):
    assert "twice" in refused("predict", model, measurement, "--set", "epsilon=0.01", "--set", "epsilon=0.02")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", ["points.csv", "at least one line"]),
        ("epsilon\n", ["points.csv", "at least one line"]),
        ("epsilon,m_dork\n1e-3,0.1\n", ["m_dork", "m_dark"]),
        ("epsilon,m_dark\n1e-3,0.1\n1e-3\n", ["line 3", "1 values for 2 names"]),
        ("epsilon,m_dark\n1e-3,0.1,7\n", ["line 2", "3 values for 2 names"]),
        ("epsilon\n1e-3\nnan\n", ["line 3", "epsilon", "'nan'"]),
        ("m_dark\n-1\n", ["line 2", "m_dark", "'-1'"]),
        ("epsilon,epsilon\n1,2\n", ["two columns"]),
        ("epsilon\n\x00\n", ["line 2", "epsilon"]),
    ],
)
def test_a_file_of_points_of_the_wrong_shape_or_content_is_refused(refused, model, measurement, tmp_path, text, words):
    (tmp_path / "points.csv").write_text(text)
    line = refused("predict", model, measurement, "--points", "points.csv")
    for word in words:
        assert word in line


def test_a_file_of_points_that_is_missing_or_no_text_is_refused(refused, model, measurement, tmp_path):
    assert "no such file" in refused("predict", model, measurement, "--points", "absent.csv")
    assert "cannot be read" in refused("predict", model, measurement, "--points", "/dev/zero")
    (tmp_path / "binary.csv").write_bytes(b"\xff\xfe\x80")
    assert "cannot be read" in refused("predict", model, measurement, "--points", "binary.csv")


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"default"', "[1e-3, 1e-2", ["my.toml", "not valid TOML"]),  # corrupt
        ('"default"', "[1e-2]", ["free.epsilon", "[0.01]"]),  # a wrong shape
        ('"default"', "[1e-2, 1e-3]", ["epsilon", "empty"]),
        ('"default"', "[1e-2, nan]", ["epsilon", "nan"]),
        ('"default"', "[-0.1, 0.1]", ["epsilon", "1e-06 to 0.1"]),
        ('[free]\nepsilon = "default"', "[fixed]\nm_dark = -0.1", ["m_dark", "-0.1", "0.001 to 10 GeV"]),
        ("[free]", "[fixed]\nepsilon = 0.01\n[free]", ["'epsilon'", "both free and fixed"]),  # impossible
        ('[free]\nepsilon = "default"', "", ["free", "at least one"]),
        ("[measurements]", '[measurements]\nminiboone = "default"', ["miniboone", "does not offer"]),
    ],
)
def test_a_card_that_cannot_mean_anything_is_refused(refused, card, old, new, words):
    line = refused("fit", card(old, new), "--out", "result")
    for word in words:
        assert word in line, line


def test_a_truncated_card_is_refused(refused, card):
    path = card()
    text = path.read_text()
    path.write_text(text[: text.index("[measurements]") + 9])
    assert "my.toml" in refused("fit", path, "--out", "result")


def test_two_measurements_of_the_same_events_are_refused(refused, tmp_path):
    text = card_text(load_card("oscillation")).replace("[measurements]", '[measurements]\n"miniboone:evis" = {}')
    (tmp_path / "twice.toml").write_text(text)
    assert "same data" in refused("fit", "twice.toml", "--out", "result")


@pytest.mark.parametrize("verb", ["plot", "cite"])
def test_a_result_that_is_missing_corrupt_or_foreign_is_refused(refused, tmp_path, verb):
    for name, content in [
        ("text.nc", b"not a result"),
        ("cut.nc", b"\x89HDF\r\n\x1a\n" + bytes(50)),
        ("empty.nc", b""),
    ]:
        (tmp_path / name).write_bytes(content)
        assert name in refused(verb, name)
    assert "absent.nc" in refused(verb, "absent.nc")
    (tmp_path / "folder").mkdir()
    assert "folder" in refused(verb, "./folder")


def test_a_folder_that_cannot_be_written_is_refused_before_anything_is_computed(refused, card, tmp_path):
    (tmp_path / "file").write_text("in the way")
    assert "file" in refused("fit", card(), "--out", "file")
    assert "file" in refused("fit", card(), "--out", "file/result")
    assert "/proc/result" in refused("fit", card(), "--out", "/proc/result")


def test_damaged_data_are_refused(anomfit, monkeypatch, tmp_path):
    import shutil

    from anomfit import data

    damaged = tmp_path / "data"
    shutil.copytree(data.data_folder(), damaged)
    monkeypatch.setattr(data, "data_folder", lambda: damaged)
    for table in (damaged / "miniboone").glob("*.csv"):
        table.write_text(table.read_text()[:-40])
    outcome = anomfit("predict", "oscillation", "miniboone")
    assert (outcome.status, outcome.out) == (2, "")
    assert outcome.err.count("\n") == 1
    assert "install anomfit again" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["fit", "oscillation", "--seed", "9" * 5000],
        ["fit", "oscillation", "--seed", "4294967296"],
        ["optimise", "oscillation", "--starts", "9" * 5000],
        ["optimise", "oscillation", "--starts", "0"],
        ["optimise", "oscillation", "--seed", "1" * 5000],
        ["predict", "oscillation", "lsnd", "--option", "name=x"],
        ["predict", "oscillation", "lsnd", "--option", "self=x"],
        ["predict", "two-higgs-doublet", "g-2-muon", "--option", "name=x"],
        ["predict", "two-higgs-doublet", "g-2-muon", "--option", "era=x"],
        ["predict", "two-higgs-doublet", "miniboone", "--option", "x" * 5000 + "=x"],
        ["predict", "oscillation", "lsnd", "--set", "sin2_2theta=" + "9" * 5000],
        ["predict", "oscillation", "lsnd", "--set", "sin2_2theta=0x" + "f" * 300],
        ["predict", "oscillation", "lsnd", "--set", "x" * 5000 + "=1"],
        ["predict", "oscillation", "lsnd", "--set", "a=" + "x" * 5000, "--set", "a=" + "y" * 5000],
        ["predict", "oscillation", "x" * 5000],
        ["predict", "oscillation", "lsnd:" + "x" * 5000],
        ["predict", "oscillation", "lsnd", "--point", "x" * 5000],
        ["predict", "oscillation", "lsnd", "--parametrisation", "x" * 5000],
        ["predict", "oscillation", "lsnd", "--points", "x" * 5000],
        ["predict", "x" * 5000 + ".py:model", "lsnd"],
        ["predict", "\0.py:model", "lsnd"],
        ["fit", "x" * 5000],
        ["fit", "x" * 5000 + ".toml"],
        ["fit", "\0.toml"],
        ["cite", "x" * 5000],
        ["plot", "x" * 5000],
        ["reproduce", "x" * 5000],
        ["x" * 5000],
        ["fit", "--" + "x" * 5000],
    ],
    ids=range(29),
)
def test_arguments_of_any_length_are_refused_in_a_short_line(refused, arguments):
    line = refused(*arguments)
    assert len(line) < 700
    assert "x" * 81 not in line


@pytest.mark.parametrize(
    "cell", ["9" * 5000, "-" + "9" * 400, "0x" + "f" * 300, "x" * 5000, "1" * 100_000 + "!", '"1\n2"']
)
def test_a_cell_of_any_length_is_refused_in_a_short_line(refused, tmp_path, cell):
    (tmp_path / "points.csv").write_text(f"sin2_2theta\n{cell}\n")
    assert len(refused("predict", "oscillation", "lsnd", "--points", "points.csv")) < 400


@pytest.mark.parametrize("header", ["x" * 5000, "sin2_2theta," * 2000 + "x", '"' + "x" * 200_000 + '"'])
def test_a_header_of_any_length_is_refused_in_a_short_line(refused, tmp_path, header):
    (tmp_path / "points.csv").write_text(f"{header}\n1\n")
    assert len(refused("predict", "oscillation", "lsnd", "--points", "points.csv")) < 400

"""Fit cards: what they say reaches the problem, they survive being written, and what they cannot mean is refused."""

import dataclasses
import time
from pathlib import Path
from random import Random

import pytest

from anomfit.cards import card_from_text, card_text, load_card, problem_from_card, shipped_card_names
from anomfit.errors import InputError
from anomfit.problem import Problem

EXAMPLES = Path(__file__).parents[1] / "docs" / "examples"

CARD = """
model = "my_model.py:dark_photon"
parametrisation = "physical"
point = "example"
[free]
epsilon = {range = [1e-4, "1e-2"], prior = "uniform"}
[fixed]
m_dark = "30MeV"
[measurements]
"my_measurement.py:load" = {scale = "1.1"}
[fit]
starts = 5
seed = 11
[sampling]
chains = 2
draws = 40
target_accept = 0.8
"""


def problem(text: str):
    return problem_from_card(card_from_text(text, folder=EXAMPLES))


def sentence(text: str) -> str:
    with pytest.raises(InputError) as caught:
        problem(text)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_everything_a_card_says_reaches_the_problem():
    card = card_from_text(CARD, folder=EXAMPLES)
    built = problem_from_card(card)
    assert built.model.name == "dark-photon"
    assert [(p.name, p.low, p.high, p.prior) for p in built.free] == [("epsilon", 1e-4, 1e-2, "uniform")]
    assert float(built.fixed["m_dark"]) == pytest.approx(0.030, rel=1e-14)
    assert float(built.measurements[0].value) == pytest.approx(2.75e-9)
    assert (card.fit.starts, card.fit.seed) == (5, 11)
    assert (card.sampling.chains, card.sampling.draws, card.sampling.target_accept) == (2, 40, 0.8)


def test_the_point_gives_what_is_neither_free_nor_fixed():
    built = problem(CARD.replace('m_dark = "30MeV"', ""))
    assert float(built.fixed["m_dark"]) == pytest.approx(0.1)  # the example point of docs/examples/my_model.py


@pytest.mark.parametrize(
    "form", ['"default"', "{}", "{range = [1e-6, 0.1]}", '["1e-6", 0.1]', '{prior = "log-uniform"}']
)
def test_the_forms_of_a_free_parameter_agree(form):
    built = problem(CARD.replace('{range = [1e-4, "1e-2"], prior = "uniform"}', form))
    assert [(p.name, p.low, p.high, p.prior) for p in built.free] == [("epsilon", 1e-6, 0.1, "log-uniform")]


def test_a_written_card_reads_back_the_same():
    card = card_from_text(CARD, folder=EXAMPLES)
    assert card_from_text(card_text(card)) == card
    assert card_from_text(CARD.replace("seed = 11", "seed = 11\ntension = true")).fit.tension
    assert card_from_text(card_text(dataclasses.replace(card, fit=dataclasses.replace(card.fit, tension=True)))) != card
    tempered = CARD.replace("[sampling]", 'start_from = "draws"\n[sampling]\nmethod = "tempered"')
    tempered = tempered.replace("target_accept = 0.8", "")
    assert card_from_text(card_text(card_from_text(tempered))).fit.start_from == "draws"
    odd = dataclasses.replace(card, fixed=(("m_dark", 0.1 + 0.2), ("x", 'quote " and \\')))
    assert card_from_text(card_text(odd)) == odd


def test_the_example_card_loads_and_the_example_model_has_a_card_of_its_own():
    built = problem_from_card(load_card(EXAMPLES / "my_card.toml"))
    assert built.names == ("epsilon",)
    generated = load_card(f"{EXAMPLES}/my_model.py:dark_photon")
    assert [entry.name for entry in generated.free] == ["m_dark", "epsilon"]
    assert {"g-2-muon", "g-2-electron"} <= {entry.name for entry in generated.measurements}
    assert "miniboone" not in {entry.name for entry in generated.measurements}  # it makes no pairs


@pytest.mark.parametrize("name", shipped_card_names())
def test_a_shipped_card_is_a_problem_and_survives_writing(name):
    card = load_card(name)
    assert card_from_text(card_text(card)) == card
    built = problem_from_card(card)
    assert {p.name for p in built.free} == {entry.name for entry in card.free}
    assert set(built.parametrisation.names) == {p.name for p in built.free} | set(built.fixed)


OF_VERSION_0_1 = """
model = "two-higgs-doublet"
parametrisation = "products"
point = "table-I"
[free]
m_N2 = "default"
m_hprime = "default"
y_nu_F_N = "default"
[fixed]
[measurements]
lsnd = "l-over-e"
"lsnd:high-energy" = "default"
karmen = "default"
miniboone = "enuqe"
e141 = "default"
trident-ccfr = "default"
[fit]
screened = 512
starts = 12
seed = 1
tension = true
[sampling]
method = "nested"
live = 1500
chains = 4
draws = 500
seed = 2
"""


def test_a_card_of_version_0_1_opens_as_it_is():
    assert problem(OF_VERSION_0_1).names[:3] == ("m_N2", "m_hprime", "y_nu_F_N")


def test_the_shipped_cards_are_the_documented_ones():
    assert {"two-higgs-doublet", "two-higgs-doublet-2020", "oscillation"} <= set(shipped_card_names())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("[fit]", "[fits]", ["'fits'", "'fit'"]),
        ("starts =", "start =", ["fit", "'start'", "'starts'"]),
        ("target_accept =", "target =", ["sampling", "'target'", "'target_accept'"]),
        ('prior = "uniform"', 'priors = "uniform"', ["epsilon", "'priors'", "'prior'"]),
        ("epsilon =", "epsilom =", ["'epsilom'", "'epsilon'"]),
        ("m_dark =", "mdark =", ["'mdark'", "'m_dark'"]),
        ('"physical"', '"phys"', ["'phys'", "'physical'", "dark-photon"]),
        ('"example"', '"exampel"', ["'exampel'", "'example'", "dark-photon"]),
        ("scale =", "scales =", ["scales", "my_measurement.py:load"]),
        ("my_model.py:", "no_model.py:", ["no_model.py", "no such file"]),
        (":dark_photon", ":dark_foton", ["dark_foton", "dark_photon"]),
    ],
)
def test_an_unknown_name_is_refused_with_the_nearest_known_one(old, new, words):
    said = sentence(CARD.replace(old, new))
    for word in words:
        assert word in said, said


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('"30MeV"', '"30m"', ["m_dark", "'30m'", "GeV"]),
        ('"30MeV"', "nan", ["m_dark", "nan"]),
        ('"30MeV"', "-0.03", ["m_dark", "-0.03", "0.001 to 10 GeV"]),
        ('"30MeV"', "true", ["fixed.m_dark", "True"]),
        ("starts = 5", 'tension = "yes"', ["fit.tension", "'yes'", "true or false"]),
        ("starts = 5", 'start_from = "point"', ["fit.start_from", "'point'", "prior, draws"]),
        ("starts = 5", "start_from = []", ["fit.start_from", "[]", "prior, draws"]),
        ("starts = 5", 'start_from = "draws"', ["fit.start_from", 'not "nuts"', 'write "prior"']),
        ('"30MeV"', "[1.0]", ["fixed.m_dark", "[1.0]"]),
        ("1e-4,", "1e-9,", ["epsilon", "1e-09", "1e-06 to 0.1"]),
        ("1e-4,", "5e-2,", ["epsilon", "empty"]),
        ("1e-4,", "inf,", ["epsilon", "inf"]),
        ('[1e-4, "1e-2"]', "[1e-4]", ["free.epsilon", "[0.0001]"]),
        ('[1e-4, "1e-2"]', "0.1", ["free.epsilon", "0.1"]),
        ('"uniform"', '"flat"', ["free.epsilon.prior", "'flat'", "log-uniform"]),
        ('{scale = "1.1"}', "{scale = 1.1}", ["scale", "1.1", "quotation"]),
        ('{scale = "1.1"}', "3", ["my_measurement.py", "3"]),
        ('{scale = "1.1"}', '{scale = "one"}', ["my_measurement.py", "ValueError"]),
        ('"my_model.py:dark_photon"', "3", ["model", "3"]),
        ("starts = 5", "starts = 0", ["fit.starts", "0"]),
        ("starts = 5", "starts = 2.5", ["fit.starts", "2.5"]),
        ("seed = 11", "seed = -1", ["fit.seed", "-1"]),
        ("chains = 2", "chains = true", ["sampling.chains", "True"]),
        ("0.8", "1.0", ["sampling.target_accept", "1.0"]),
        ("draws = 40", 'draws = 40\nmethod = "gibbs"', ["sampling.method", "'gibbs'", "nuts, nested, tempered"]),
        ("draws = 40", "draws = 40\nlive = 0", ["sampling.live", "0"]),
        ("draws = 40", "draws = 40\nmax_draws = 39", ["sampling.max_draws", "39"]),
        ("draws = 40", "draws = 40\nlive = 500", ["sampling.live", "500", "nuts", "leave it out"]),
        ("draws = 40", 'draws = 40\nmethod = "nested"', ["sampling.", "nested", "leave it out"]),
        ("draws = 40", "draws = 40\nmoves = 5", ["sampling.moves", "5", "nuts", "leave it out"]),
        ("draws = 40", "draws = 40\nweighted = 5", ["sampling.weighted", "5", "nuts", "leave it out"]),
        ("draws = 40", "draws = 40\nweighted = -1", ["sampling.weighted", "-1"]),
    ],
)
def test_a_wrong_value_is_refused_with_field_value_and_remedy(old, new, words):
    said = sentence(CARD.replace(old, new, 1))
    for word in words:
        assert word in said, said


def test_a_nested_card_is_written_without_the_settings_of_chains_and_reads_back():
    card = load_card("dark-scalar")
    longer = dataclasses.replace(card, sampling=dataclasses.replace(card.sampling, draws=5000))
    text = card_text(longer)
    assert "live" in text
    assert "warmup" not in text
    assert card_from_text(text) == longer


def test_impossible_combinations_are_refused():
    assert "both free and fixed" in sentence(CARD.replace("[fixed]", "[fixed]\nepsilon = 1e-3"))
    assert "neither free nor fixed" in sentence(CARD.replace('point = "example"', "").replace('m_dark = "30MeV"', ""))
    assert "none is given" in sentence(CARD.replace('"my_measurement.py:load" = {scale = "1.1"}', ""))
    twice = CARD.replace("[measurements]", '[measurements]\nminiboone = "default"')
    assert "does not offer" in sentence(twice)  # a dark photon makes no pairs
    oscillation = load_card("oscillation")
    two_views = dataclasses.replace(oscillation.measurements[0], era="evis")
    shared = dataclasses.replace(oscillation, measurements=(*oscillation.measurements, two_views))
    with pytest.raises(InputError, match="the same data"):
        problem_from_card(shared)


def test_a_coupling_may_be_switched_off_but_a_mass_may_not():
    off = problem(
        CARD.replace("epsilon = {", "m_dark = {")
        .replace('[1e-4, "1e-2"]', '["1MeV", "1GeV"]')
        .replace('m_dark = "30MeV"', "epsilon = 0.0")
    )
    assert float(off.fixed["epsilon"]) == 0.0
    assert [(p.low, p.high) for p in off.free] == [(1e-3, 1.0)]
    assert "m_dark" in sentence(CARD.replace('"30MeV"', "0.0"))


@pytest.mark.parametrize("length", range(5, len(CARD) - 5, 23))
def test_a_card_cut_short_ends_in_a_problem_or_in_one_sentence_and_in_no_other_error(length):
    try:
        outcome = problem(CARD[:length])
    except InputError as error:
        outcome = str(error)
    assert isinstance(outcome, Problem) or (outcome and "\n" not in outcome)


def test_a_file_that_is_no_card_is_refused(tmp_path):
    binary, empty = tmp_path / "binary.toml", tmp_path / "empty.toml"
    binary.write_bytes(b"\xff\xfe\x00model")
    empty.write_text("")
    for path, words in [
        (binary, "cannot be read"),
        (empty, "names no model"),
        (tmp_path / "no.toml", "no such file"),
        (tmp_path, "cannot be read"),
    ]:
        with pytest.raises(InputError, match=words):
            load_card(path)
    with pytest.raises(InputError, match="two-higgs-doublet") as caught:
        load_card("two-higs-doublet")
    assert "two-higs-doublet" in str(caught.value)


# -- cards that no reader of TOML should see, and numbers and texts of any length -------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        ".".join("a" * 50_000) + " = 1",
        "'a'." * 12 + "a = 1",
        '"a" . ' * 12 + "a = 1",
        "[" + ".".join("a" * 12) + "]",
        "x = " + "[" * 900 + "]" * 900,
        "x = " + "{a = " * 900 + "1" + "}" * 900,
        "x = " + "[" * 999_000,
        CARD + "\n# " + "x" * 1_000_000,
        "x" * 999_999,
        'x = "' + "\\" * 499_991,
        '"""' + '\\"""' * 240_000,
        "x = 0x" + "f" * 900_000,
        "x = " + "9" * 5000,
    ],
    ids=range(13),
)
def test_a_huge_or_deeply_nested_card_is_refused_in_a_moment(text):
    began = time.monotonic()
    said = sentence(text)
    assert len(said) < 400
    assert time.monotonic() - began < 10.0  # a moment here; a reader of TOML takes minutes over some of them


def test_a_file_above_the_limit_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "huge.toml"
    with path.open("wb") as file:
        file.truncate(10**12)  # sparse: a terabyte on no disk
    with pytest.raises(InputError, match=r"huge.toml.*larger than 1 MB"):
        load_card(path)


def test_deep_looking_texts_and_comments_are_no_keys():
    deep = ".".join("abcdefghijkl") + " = " + "[" * 20
    assert card_from_text(f"# {deep}\n{CARD}\n# it's {deep}", folder=EXAMPLES) == card_from_text(CARD, folder=EXAMPLES)
    named = card_from_text(f"model = 'oscillation' # \"\npoint = \"{deep}\"\n# '''\n")
    assert named.point == deep


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"30MeV"', "0x" + "f" * 300),
        ('"30MeV"', "9" * 400),
        ('"30MeV"', "-" + "9" * 4000),
        ('"30MeV"', '"' + "1" * 200_000 + '!"'),
        ('"30MeV"', '"1' + " " * 200_000 + '!"'),
        ('"30MeV"', '"' + "9" * 5000 + '"'),
        ('[1e-4, "1e-2"]', "[1e-4, 0x" + "f" * 300 + "]"),
        ("starts = 5", "starts = 0x" + "f" * 9000),
        ("seed = 11", "seed = 0o" + "7" * 9000),
        ("chains = 2", "chains = " + "9" * 300),
        ("0.8", "0x" + "f" * 300),
        ('"physical"', '"' + "x" * 100_000 + '"'),
        ('"example"', '{name = "x"}'),
        ('"my_model.py:dark_photon"', '"\\u0000.py:x"'),
        ('"my_model.py:dark_photon"', '{name = "x"}'),
        ('"my_model.py:dark_photon"', '"' + "x" * 300 + '.py:x"'),
        ("epsilon =", "'" + "x" * 100_000 + "' ="),
        ("[fit]", "['" + "x" * 100_000 + "']"),
        ('{scale = "1.1"}', '{name = "x"}'),
        ('{scale = "1.1"}', '{self = "x"}'),
        ('{scale = "1.1"}', '{"' + "x" * 100_000 + '" = "x"}'),
        ('"my_measurement.py:load" = {scale = "1.1"}', 'g-2-muon = {name = "x"}'),
        ('"my_measurement.py:load" = {scale = "1.1"}', 'g-2-muon = {options = "x"}'),
        ('"my_measurement.py:load" = {scale = "1.1"}', "g-2-muon = {era = {}}"),
        ('"my_measurement.py:load" = {scale = "1.1"}', "miniboone = {name = 'x'}"),
        ('"my_measurement.py:load" = {scale = "1.1"}', "lsnd = [{}]"),
        ("starts = 5", "starts = {a = 1}"),
        ("starts = 5", "tension = {}"),
        ("draws = 40", "method = {}"),
        ("draws = 40", "draws = 1979-05-27"),
        ('prior = "uniform"', "prior = {}"),
        ("[fit]", "[fit.seed]\n[sampling.x]"),
        ("[fit]", "[[fit]]"),
    ],
    ids=range(33),
)
def test_a_value_of_any_length_or_kind_is_refused_in_a_short_sentence(old, new):
    assert old in CARD
    said = sentence(CARD.replace(old, new, 1))
    assert len(said) < 600
    assert "x" * 81 not in said
    assert "9" * 81 not in said


def test_a_null_character_in_a_cards_name_is_refused():
    with pytest.raises(InputError, match="cannot be read"):
        load_card("my\0.toml")
    with pytest.raises(InputError, match="UTF-8"):
        load_card("caf\udcff.py:model")


def test_a_text_that_toml_wants_escaped_survives_writing():
    card = dataclasses.replace(load_card("oscillation"), model="odd\x7f\x01.py:model")
    assert card_from_text(card_text(card)) == card


@pytest.mark.parametrize("seed", range(3))
def test_damaged_cards_end_in_a_problem_or_in_one_sentence(seed):
    random = Random(seed)
    pieces = ["[", "]", "{", "}", "=", ".", '"', "'", "\n", "#", ",", "\0", "\\", "é", "1e999", "nan", "0x", " = {}"]
    for _ in range(60):
        text = CARD
        for _ in range(random.randint(1, 4)):
            place, length = random.randrange(len(text)), random.choice((0, 1, 3, 20))
            text = text[:place] + random.choice(pieces) * random.choice((1, 1, 2, 50)) + text[place + length :]
        try:
            outcome = problem(text)
        except InputError as error:
            outcome = str(error)
        assert isinstance(outcome, Problem) or ("\n" not in outcome and len(outcome) < 1000)

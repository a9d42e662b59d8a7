"""`anomfit tables` refuses what it cannot do in one sentence, and removes what is kept."""

from anomfit.tables import store


def test_bad_input_is_refused_in_one_sentence(anomfit, monkeypatch, tmp_path):
    monkeypatch.setenv(store.SWITCH, str(tmp_path))
    for arguments, words in (
        ((), "name a model or a card"),
        (("oscillation", "--clean"), "leave the name out"),
        (("two-higgs-doublet-miniboone", "--points", "0"), "--points"),
        (("oscillation",), "makes no pairs"),
    ):
        outcome = anomfit("tables", *arguments)
        assert outcome.status != 0
        assert words in outcome.err
        assert "Traceback" not in outcome.err


def test_verbs_refuse_tables_for_what_has_no_pairs(anomfit, monkeypatch, tmp_path):
    monkeypatch.setenv(store.SWITCH, str(tmp_path / "tables"))
    for verb in ("fit", "sample", "scan"):
        outcome = anomfit(verb, "oscillation", "--tables", "--out", "made")
        assert outcome.status != 0
        assert "makes no pairs" in outcome.err
        assert "Traceback" not in outcome.err
        assert not (tmp_path / "made").exists()


def test_clean_removes_tables_and_nothing_else(anomfit, monkeypatch, tmp_path):
    monkeypatch.setenv(store.SWITCH, str(tmp_path))
    (tmp_path / "0123" / store.PIECES).mkdir(parents=True)
    (tmp_path / "mine").mkdir()
    outcome = anomfit("tables", "--clean")
    assert outcome.status == 0
    assert "1 tables removed" in outcome.out
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]

"""What surrounds a run: signals, pipes, full disks, terminals, devices, the user's settings, files of others."""

import errno
import io
import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from test_fit import EXAMPLES, SMALL

from anomfit import best_fit, interrupts, run
from anomfit.cards import load_card
from anomfit.cli.streams import prepare_streams
from anomfit.results.files import load_result

QUICK = SMALL.format(folder=EXAMPLES)
KEPT = "what is found is kept after this step, a second signal ends at once\n"


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "small.toml"
    path.write_text(QUICK)
    return path


@pytest.fixture(autouse=True)
def usual_handlers():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL
    signal.signal(signal.SIGINT, before)


def signalled(monkeypatch, module, name, number):
    """A signal that arrives when the module's function is called."""
    real = getattr(module, name)

    def call(*arguments, **options):
        os.kill(os.getpid(), number)
        return real(*arguments, **options)

    monkeypatch.setattr(module, name, call)


def program(*arguments, **environment):
    return subprocess.run(
        [sys.executable, "-m", "anomfit", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "ANOMFIT_CACHE": "off", **environment},
    )


@pytest.mark.parametrize(("number", "status", "word"), [("SIGINT", 130, "interrupted"), ("SIGTERM", 143, "terminated")])
def test_a_signal_before_anything_is_found_leaves_a_folder_that_blocks_nothing(
    anomfit, card, tmp_path, monkeypatch, number, status, word
):
    signalled(monkeypatch, run, "_say_at_point", getattr(signal, number))
    outcome = anomfit("fit", card, "--out", "cut", "--no-sample")
    assert (outcome.status, outcome.out) == (status, "")
    assert outcome.err == f"anomfit: {word}; {KEPT}anomfit: {word}; nothing was found yet\n"
    assert sorted(path.name for path in (tmp_path / "cut").iterdir()) == [".anomfit", "card.toml"]
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    assert anomfit("fit", card, "--out", "cut", "--no-sample", "--seed", "3").status == 0


def test_a_signal_after_the_best_fit_keeps_it_and_the_run_goes_on_from_there(anomfit, card, tmp_path, monkeypatch):
    assert anomfit("fit", card, "--out", "straight", "--no-sample").status == 0
    with monkeypatch.context() as patched:
        signalled(patched, best_fit, "significance", signal.SIGTERM)
        outcome = anomfit("fit", card, "--out", "cut")
    assert outcome.status == 143
    assert outcome.err.endswith("anomfit: terminated; what was found is in cut, --resume goes on\n")
    straight, cut = (load_result(tmp_path / name / "result.nc") for name in ("straight", "cut"))
    assert cut.fit is not None
    assert cut.goodness is None
    assert straight.fit is not None
    assert cut.fit.values == straight.fit.values
    assert "best fit" in (tmp_path / "cut" / "report.md").read_text()
    assert anomfit("fit", card, "--out", "cut", "--resume", "--no-sample").status == 0
    gone_on = load_result(tmp_path / "cut" / "result.nc")
    assert gone_on.goodness == straight.goodness
    assert gone_on.minos == straight.minos


class Unread(io.StringIO):
    """A standard output whose reader leaves after the first line."""

    def write(self, text):
        if "\n" in self.getvalue():
            raise BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
        return super().write(text)


def test_output_that_nobody_reads_any_more_ends_a_run_quietly_and_keeps_what_is_found(
    anomfit, card, tmp_path, monkeypatch
):
    monkeypatch.setattr(sys, "stdout", read := Unread())
    outcome = anomfit("fit", card, "--out", "cut")
    assert (outcome.status, outcome.err) == (141, "")
    assert read.getvalue().startswith("best fit (")
    found = load_result(tmp_path / "cut" / "result.nc")
    assert found.fit is not None
    assert found.samples is None


def test_a_full_disk_behind_the_output_is_a_sentence(anomfit, monkeypatch):
    class Full(io.StringIO):
        def write(self, text):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(sys, "stdout", Full())
    outcome = anomfit("models")
    assert (outcome.status, outcome.err) == (2, f"anomfit: output: {os.strerror(errno.ENOSPC)}\n")


def test_a_disk_that_fills_up_while_the_result_is_written_leaves_the_old_one(anomfit, card, tmp_path, monkeypatch):
    assert anomfit("fit", card, "--out", "result", "--no-sample").status == 0
    before = {path.name: path.read_bytes() for path in (tmp_path / "result").iterdir()}

    def full(path, result):
        with written_whole(path) as part:
            part.write_bytes(b"half")
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    from anomfit.folders import written_whole

    monkeypatch.setattr("anomfit.results.files.save_result", full)
    outcome = anomfit("fit", card, "--out", "result", "--no-sample", "--seed", "7", "--overwrite")
    assert outcome.status == 2
    assert outcome.err == (
        f"anomfit: result/result.nc: cannot be written ({os.strerror(errno.ENOSPC)}); make room and run it again\n"
    )
    assert {path.name: path.read_bytes() for path in (tmp_path / "result").iterdir()} == before


def test_a_figure_that_cannot_be_drawn_costs_no_result(anomfit, card, tmp_path, monkeypatch):
    from anomfit.plotting import figures

    def fails(result, ax):
        raise ValueError("Unknown symbol: \\nosuch")

    text = card.read_text().replace("draws = 40", "draws = 60").replace("max_draws = 80", "max_draws = 60")
    card.write_text(text)
    monkeypatch.setattr(figures, "plot_pulls", fails)
    outcome = anomfit("fit", card, "--out", "result")
    sentence = "no figure pulls.png: it cannot be drawn ('Unknown symbol: \\\\nosuch')"
    assert (outcome.status, outcome.err) == (0, "")
    assert f"warning: {sentence}\n" in outcome.out
    assert "figures: corner.png, signals.png\n" in outcome.out
    assert f"Warning: {sentence}." in (tmp_path / "result" / "report.md").read_text()
    again = anomfit("plot", "result")
    assert (again.status, again.out) == (2, "result/corner.png\nresult/signals.png\n")
    assert again.err == f"anomfit: {sentence}\n"
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "pulls.png").write_text("mine")
    for _ in range(2):
        mine = anomfit("plot", "result", "--out", "figures")
        assert (mine.status, mine.out) == (2, "figures/corner.png\nfigures/signals.png\n")
        assert "holds pulls.png, not written by anomfit" in mine.err
    assert (tmp_path / "figures" / "pulls.png").read_text() == "mine"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (("starts = 2", "starts = 2\ntension = true"), "tension: 1 is not usable; fit at least two measurements"),
        (("chains = 2\nwarmup = 60", 'chains = 2\nmethod = "nested"'), "nested sampling takes two or more"),
    ],
)
def test_what_is_impossible_is_refused_before_any_work(anomfit, card, tmp_path, monkeypatch, change, words):
    text = card.read_text().replace(*change)
    card.write_text(text.replace("max_draws = 80\n", "") if "nested" in text else text)
    monkeypatch.setattr(run, "_fitted", None)
    outcome = anomfit("fit", card, "--out", "refused")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert words in outcome.err
    assert not (tmp_path / "refused").exists()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('"my-muon"', '"my/muon"'), "measurement name: 'my/muon'"),
        (('"example"', '"a/b"'), "era name: 'a/b'"),
        (('"moment"', '"g/2"'), "component name: 'g/2'"),
    ],
)
def test_names_that_a_result_cannot_hold_are_refused_before_any_work(anomfit, card, tmp_path, change, words):
    source = (EXAMPLES / "my_measurement.py").read_text().replace(*change, 1)
    (tmp_path / "my_measurement.py").write_text(source)
    card.write_text(card.read_text().replace(f'"{EXAMPLES}/my_measurement.py', '"my_measurement.py'))
    outcome = anomfit("fit", card, "--out", "refused")
    assert (outcome.status, outcome.out, outcome.err.count("\n")) == (2, "", 1)
    assert words in outcome.err
    assert not (tmp_path / "refused").exists()


def test_an_axis_of_the_posterior_is_no_name_of_a_parameter():
    from anomfit.cards import card_from_text, problem_from_card
    from anomfit.errors import InputError
    from anomfit.results.names import check_names

    problem = problem_from_card(card_from_text(QUICK))
    check_names(problem)
    object.__setattr__(problem, "fixed", {"draw": 1.0})
    with pytest.raises(InputError, match="axis of the posterior"):
        check_names(problem)


def test_folders_are_named_by_the_user_and_a_tilde_is_the_home(anomfit, card, tmp_path, monkeypatch):
    for verb in (["fit", card], ["optimise", card], ["plot", "oscillation"]):
        outcome = anomfit(*verb, "--out", "")
        assert (outcome.status, outcome.err.count("\n")) == (2, 1)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert anomfit("fit", card, "--out", "~/fits/one", "--no-sample").status == 0
    assert (tmp_path / "home" / "fits" / "one" / "result.nc").is_file()
    assert not (tmp_path / "~").exists()


def test_letters_that_a_terminal_lacks_are_numbered(monkeypatch):
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    monkeypatch.setattr(sys, "stderr", None)
    prepare_streams()
    print("best fit: ν = 1", flush=True)
    print("nothing", file=sys.stderr)
    sys.stderr.close()
    assert raw.getvalue() == b"best fit: \\u03bd = 1\n"


def test_a_device_that_is_not_there_is_a_sentence():
    for platform in ("cuda", "nonsense"):
        outcome = program("predict", "oscillation", "miniboone", JAX_PLATFORMS=platform)
        assert (outcome.returncode, outcome.stdout) == (2, "")
        assert outcome.stderr.startswith(f"anomfit: JAX_PLATFORMS: '{platform}' is not usable")
        assert outcome.stderr.count("\n") == 1


def test_the_users_settings_of_matplotlib_change_no_figure(anomfit, card, tmp_path):
    import matplotlib

    assert anomfit("fit", card, "--out", "result", "--no-sample").status == 0
    usual = np.asarray(matplotlib.image.imread(tmp_path / "result" / "pulls.png"))
    with matplotlib.rc_context({"text.usetex": True, "figure.dpi": 7, "savefig.transparent": True}):
        assert anomfit("plot", "result", "--out", "other").status == 0
        assert matplotlib.rcParams["text.usetex"]
    np.testing.assert_array_equal(matplotlib.image.imread(tmp_path / "other" / "pulls.png"), usual)


def test_interrupts_are_the_runs_own_business(card, tmp_path, monkeypatch):
    """In a notebook: the handlers are the user's again after a run, and nothing is pending."""
    signalled(monkeypatch, run, "_say_at_point", signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        run.run_fit(load_card(card), tmp_path / "cut", sample=False)
    interrupts.check()

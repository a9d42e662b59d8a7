"""Ctrl-C and SIGTERM: heard whatever the main thread is doing, answered by loops, and never lost."""

import os
import signal
import subprocess
import sys
import threading
import time

import pytest

from anomfit import interrupts

PROGRAM = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
from anomfit import interrupts
me = os.getpid()
"""


@pytest.fixture(autouse=True)
def usual_handler():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def run(body: str) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-c", PROGRAM + body], capture_output=True, text=True, timeout=30)


@pytest.mark.parametrize(
    ("number", "kind"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, interrupts.Terminated)]
)
def test_a_signal_waits_for_the_loop_and_is_raised_once(number, kind, capsys):
    before = signal.getsignal(number)
    with interrupts.handled():
        interrupts.check()
        os.kill(os.getpid(), number)
        time.sleep(0.05)
        with pytest.raises(KeyboardInterrupt) as raised:
            interrupts.check()
        assert raised.type is kind
        interrupts.check()
    assert signal.getsignal(number) is before
    assert "a second signal ends at once" in capsys.readouterr().err


def test_a_signal_that_no_loop_has_read_is_raised_at_the_end():
    with pytest.raises(KeyboardInterrupt), interrupts.handled():
        os.kill(os.getpid(), signal.SIGINT)


def test_one_raised_in_a_callback_of_the_garbage_collector_is_not_lost():
    done = run("""
import gc
gc.callbacks.append(lambda phase, info: phase == "start" and (os.kill(me, signal.SIGINT), time.sleep(0.01)))
with interrupts.handled():
    gc.collect()
    gc.callbacks.clear()
    try:
        interrupts.check()
    except KeyboardInterrupt:
        print("heard")
""")
    assert (done.returncode, done.stdout) == (0, "heard\n")


def test_the_second_signal_ends_at_once_and_two_in_a_row_are_one():
    done = run("""
with interrupts.ending(), interrupts.handled():
    os.kill(me, signal.SIGTERM)
    os.kill(me, signal.SIGTERM)
    time.sleep(0.5)
    print("goes on", flush=True)
    os.kill(me, signal.SIGTERM)
    time.sleep(20)
""")
    assert (done.returncode, done.stdout) == (143, "goes on\n")


def test_in_a_notebook_the_second_signal_is_raised_and_ends_no_process():
    with interrupts.handled():
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(interrupts.SAME + 0.1)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interrupts.check()


def test_a_verb_that_keeps_nothing_ends_at_once_and_nothing_is_raised():
    done = run("""
with interrupts.ending():
    with interrupts.handled():
        pass
    try:
        os.kill(me, signal.SIGINT)
        time.sleep(20)
    except KeyboardInterrupt:
        print("raised", flush=True)
""")
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "anomfit: interrupted\n")


def test_who_prints_to_nobody_ends_at_the_next_step():
    with interrupts.handled():
        interrupts.stop(interrupts.OutputClosed)
        with interrupts.postponed():
            interrupts.check()
        with pytest.raises(interrupts.OutputClosed):
            interrupts.check()
        assert interrupts.kind() is interrupts.OutputClosed
    with pytest.raises(interrupts.OutputClosed):
        interrupts.stop(interrupts.OutputClosed)


def test_an_ignored_signal_stays_ignored_and_other_threads_change_nothing():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interrupts.handled():
        os.kill(os.getpid(), signal.SIGINT)
        interrupts.check()
    found = []

    def elsewhere():
        with interrupts.handled():
            found.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert found == [signal.getsignal(signal.SIGTERM)]

"""The program of one worker (see `workers`): reads pickled calls from its standard input, writes back what they give.

It is run as a file, so that nothing of anomfit or JAX is imported. Its input is a pipe that only its parent holds: the
end of it, however the parent ended, ends the worker at once, also amid a call. It keeps no other file of its parent,
and needs no shared memory and no semaphore, so that nothing is left behind.
"""

import os
import pickle
import sys
import threading
import warnings
from queue import SimpleQueue


def main() -> None:
    """Serve the parent until its end of the pipe is closed."""
    calls = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 1)  # what a library prints is no answer
    warnings.simplefilter("ignore")
    sys.path[:] = pickle.load(calls)
    waiting: SimpleQueue[bytes] = SimpleQueue()
    threading.Thread(target=_read, args=(calls, waiting), daemon=True).start()
    while True:
        try:
            function, item = pickle.loads(waiting.get())
            answer = (True, function(item))
        except Exception as error:
            answer = (False, f"{type(error).__name__}: {error}")
        pickle.dump(answer, answers, protocol=pickle.HIGHEST_PROTOCOL)
        answers.flush()


def _read(calls, waiting: "SimpleQueue[bytes]") -> None:
    while True:
        try:
            waiting.put(pickle.load(calls))
        except Exception:  # the parent's end: nothing is owed to anyone
            os._exit(0)


if __name__ == "__main__":
    main()

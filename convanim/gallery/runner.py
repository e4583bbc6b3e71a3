"""Many tasks over any executor, a few at a time, so that memory does not grow with their number.

Knows concurrent.futures. Must not know what a task does, beyond that it gives a `Result`.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import BrokenExecutor, CancelledError, Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from convanim.errors import ConvanimError
from convanim.gallery.work import Result, Task, work

#: Tasks in flight for each worker: enough that none waits, few enough that their results fit in memory.
AHEAD = 4
#: How often a task is tried whose worker dies under it.
TRIES = 2


def cores() -> int:
    """The processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def local(jobs: int) -> Executor:
    """Processes on this machine. The program is imported once, by the process that they are forked from."""
    if sys.platform == "win32":
        return _Processes(jobs, multiprocessing.get_context("spawn"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["convanim.preload"])
    return _Processes(jobs, context)


class _Processes(ProcessPoolExecutor):
    """Processes whose temporary files lie in one folder: it goes with them, whatever ends them.

    Raises:
        ConvanimError: there is no room for it.
    """

    def __init__(self, jobs: int, context: Any) -> None:
        try:
            self._scratch = TemporaryDirectory(prefix="convanim", ignore_cleanup_errors=True)
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise ConvanimError(f"a temporary folder cannot be created: {reason}", "free disk space") from None
        super().__init__(jobs, context, initializer=_follow, initargs=(self._scratch.name,))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand a task to the processes; the first one starts them."""
        with _undisturbed():
            return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, and then their folder."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        self._scratch.cleanup()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let signals to end wait for a moment: a process that is half started then is known to nobody, and would go on."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    held: list[int] = []
    ends = [int(number) for number in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(number) is not None]
    before = {number: signal.signal(number, lambda number, _: held.append(number)) for number in ends}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number in held[:1]:
        signal.raise_signal(number)


def leave_if_imported() -> None:
    """End a process of a pool that is only about to import its program.

    A program that calls a build without asking whether it is the one that was started does so in each of its own
    processes, too. They end without a word, and `run` says why.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)


def _follow(scratch: str) -> None:
    """Let a worker end when the process that it works for is killed: nobody else would tell it.

    Ctrl-C reaches the whole group of processes; what it means is said by the one that was started.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tempfile.tempdir = scratch
    parent = multiprocessing.parent_process()

    def end() -> None:
        if parent is not None:
            parent.join()
            shutil.rmtree(scratch, ignore_errors=True)
            os._exit(1)

    threading.Thread(target=end, daemon=True).start()


class Here(Executor):
    """An executor without any worker: everything is done at once, in this thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do it, and give a future that is done."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def run(tasks: Iterable[Task], start: Callable[[], Executor], ahead: int, *, own: bool) -> Generator[Result]:
    """The results of tasks, as they come.

    Args:
        tasks: taken one by one, as workers get free.
        start: gives the executor; called again where its workers died, if it is `own`.
        ahead: the most tasks in flight.
        own: whether the executor is shut down in the end.

    Raises:
        ConvanimError: processes of our own cannot be started.
    """
    executor, waiting = start(), iter(tasks)
    again: list[Task] = []
    pending: dict[Future[Result], Task] = {}
    #: Where futures come when they are done; `wait` would wait forever for one that its owner has cancelled.
    over: SimpleQueue[Future[Result]] = SimpleQueue()
    deaths: Counter[str] = Counter()
    try:
        while True:
            dead: list[Task] = []
            while len(pending) < ahead and (task := again.pop() if again else next(waiting, None)):
                try:
                    future = executor.submit(work, task)
                except Exception as refusal:  # a worker died since the last result; its owner shut it down; no memory
                    if not own:
                        yield _failed(task, refusal)
                        continue
                    (again if pending else dead).append(task)  # in flight are those that it may have died of
                    break
                pending[future] = task
                future.add_done_callback(over.put)
            if not pending and not dead:
                return
            for future in _done(over) if pending else ():
                if future not in pending:  # of an executor before this one
                    continue
                task = pending.pop(future)
                error = CancelledError() if future.cancelled() else future.exception()
                if isinstance(error, BrokenExecutor) and own:
                    dead.append(task)
                else:  # an error is the executor's own: a cluster that lost all its workers, say
                    yield future.result() if error is None else _failed(task, error)
            if dead:  # nobody knows which of the tasks in flight it was
                dead += pending.values()
                pending.clear()
                deaths.update(task.name for task in dead)
                again += [task for task in dead if deaths[task.name] < TRIES]
                yield from (_failed(task, None) for task in dead if deaths[task.name] >= TRIES)
                executor.shutdown(cancel_futures=True)
                executor, ahead = _anew(start), 1  # one by one, so that the next death says whose it is
    finally:
        if own:
            _end(executor, busy=bool(pending))


def _done(over: SimpleQueue[Future[Result]]) -> Iterator[Future[Result]]:
    """The futures that are done: one, which may have to be waited for, and all that there are besides."""
    yield over.get()
    while not over.empty():
        yield over.get()


def ready() -> bool:
    """What a worker is asked first, after another one died."""
    return True


def _anew(start: Callable[[], Executor]) -> Executor:
    """Another executor. One whose workers die before they do anything is refused: no entry is to blame for that."""
    executor = start()
    try:
        executor.submit(ready).result()
    except (BrokenExecutor, OSError, RuntimeError):  # it breaks, or the system gives no more processes
        executor.shutdown()
        raise ConvanimError(
            "the worker processes cannot be started, or end while they start",
            'call the build under if __name__ == "__main__":, or use jobs=1',
        ) from None
    return executor


def _end(executor: Executor, *, busy: bool) -> None:
    """Shut down our own executor; `busy`: nobody waits any more for what its processes do, so they are ended."""
    if busy:
        for process in list((getattr(executor, "_processes", None) or {}).values()):
            process.terminate()
        # One that was half-way through a result leaves a thread of ours that reads the rest of it: forever, while this
        # process itself holds an end that could be written to. The same goes for a task that is half sent.
        for queue, end in (("_result_queue", "_writer"), ("_call_queue", "_reader")):
            if (pipe := getattr(getattr(executor, queue, None), end, None)) is not None:
                pipe.close()
    executor.shutdown(cancel_futures=True)


def _failed(task: Task, error: BaseException | None) -> Result:
    if error is None:
        return Result(
            task.name, error="its worker process was killed twice; provide more memory, or build this entry alone."
        )
    return Result(task.name, error=f"its worker failed ({_short(error)}); build it again.")


def _short(error: BaseException) -> str:
    return f"{type(error).__name__} {' '.join(str(error).split())}"[:200].strip()

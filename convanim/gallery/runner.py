"""Runs many tasks on any executor, a few at a time, so that memory does not grow with their number."""

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

#: The number of submitted tasks per worker: enough to keep it busy, few enough for the results to fit in memory.
AHEAD = 4
#: The number of attempts at a task whose worker dies.
TRIES = 2


def cores() -> int:
    """The number of processors that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def local(jobs: int) -> Executor:
    """Processes on this machine. They are forked from one process that has imported the program."""
    if sys.platform == "win32":
        return _Processes(jobs, multiprocessing.get_context("spawn"))
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["convanim.preload"])
    return _Processes(jobs, context)


class _Processes(ProcessPoolExecutor):
    """Processes with temporary files in one folder, which is removed however they end.

    Raises:
        ConvanimError: the folder cannot be created.
    """

    def __init__(self, jobs: int, context: Any) -> None:
        try:
            self._scratch = TemporaryDirectory(prefix="convanim", ignore_cleanup_errors=True)
        except OSError as error:
            reason = (error.strerror or "").lower()
            raise ConvanimError(f"a temporary folder cannot be created: {reason}", "free disk space") from None
        super().__init__(jobs, context, initializer=_follow, initargs=(self._scratch.name,))

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Submit a task; the first one starts the processes."""
        with _undisturbed():
            return super().submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, then remove their folder."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        self._scratch.cleanup()


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Delay termination signals: a process that is only half started would be unknown and survive."""
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
    """End a pool's process that is only importing its program.

    A program that starts a build without `if __name__ == "__main__"` does so in each of its worker processes, too.
    They exit silently, and `run` reports the reason.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)


def _follow(scratch: str) -> None:
    """End a worker when its parent process is killed, which nothing else would tell it.

    Ctrl-C reaches the whole process group; the parent process handles it.
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
    """An executor without workers, which runs everything at once in this thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a task and return its finished future."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


def run(tasks: Iterable[Task], start: Callable[[], Executor], ahead: int, *, own: bool) -> Generator[Result]:
    """The results of tasks, as they complete.

    Args:
        tasks: the tasks, taken one by one as workers become free.
        start: creates the executor; called again if its workers died, and it is `own`.
        ahead: the maximum number of submitted tasks.
        own: whether the executor is shut down at the end.

    Raises:
        ConvanimError: the processes cannot be started.
    """
    executor, waiting = start(), iter(tasks)
    again: list[Task] = []
    pending: dict[Future[Result], Task] = {}
    #: Finished futures; `wait` would block forever on one that the executor's owner has cancelled.
    over: SimpleQueue[Future[Result]] = SimpleQueue()
    deaths: Counter[str] = Counter()
    try:
        while True:
            dead: list[Task] = []
            while len(pending) < ahead and (task := again.pop() if again else next(waiting, None)):
                try:
                    future = executor.submit(work, task)
                except Exception as refusal:  # a dead worker, a shut-down executor, no memory
                    if not own:
                        yield _failed(task, refusal)
                        continue
                    (again if pending else dead).append(task)  # a submitted task may have killed the worker
                    break
                pending[future] = task
                future.add_done_callback(over.put)
            if not pending and not dead:
                return
            for future in _done(over) if pending else ():
                if future not in pending:  # a future of an earlier executor
                    continue
                task = pending.pop(future)
                error = CancelledError() if future.cancelled() else future.exception()
                if isinstance(error, BrokenExecutor) and own:
                    dead.append(task)
                else:  # an error of the executor itself, such as a cluster without workers
                    yield future.result() if error is None else _failed(task, error)
            if dead:  # any of the submitted tasks may be the cause
                dead += pending.values()
                pending.clear()
                deaths.update(task.name for task in dead)
                again += [task for task in dead if deaths[task.name] < TRIES]
                yield from (_failed(task, None) for task in dead if deaths[task.name] >= TRIES)
                executor.shutdown(cancel_futures=True)
                executor, ahead = _anew(start), 1  # one by one, to find the cause
    finally:
        if own:
            _end(executor, busy=bool(pending))


def _done(over: SimpleQueue[Future[Result]]) -> Iterator[Future[Result]]:
    """All finished futures, waiting for the first if necessary."""
    yield over.get()
    while not over.empty():
        yield over.get()


def ready() -> bool:
    """The first task of a worker after another one died."""
    return True


def _anew(start: Callable[[], Executor]) -> Executor:
    """A new executor. If its workers die before their first task, it is refused, as no entry is the cause."""
    executor = start()
    try:
        executor.submit(ready).result()
    except (BrokenExecutor, OSError, RuntimeError) as error:  # it fails, or the system allows no more processes
        executor.shutdown()
        if "AF_UNIX" in str(error):  # "AF_UNIX path too long": workers listen on a socket in the temporary folder
            raise ConvanimError(
                f"the path of the temporary folder {tempfile.gettempdir()} is too long for the sockets of workers",
                "set TMPDIR to a folder with a short path, or use `jobs=1`",
            ) from None
        raise ConvanimError(
            "the worker processes cannot be started, or end while they start",
            'use `jobs=1`, or in a script call the build under if __name__ == "__main__":',
        ) from None
    return executor


def _end(executor: Executor, *, busy: bool) -> None:
    """Shut down an own executor; if `busy`, the results are not needed and its processes are terminated."""
    if busy:
        for process in list((getattr(executor, "_processes", None) or {}).values()):
            process.terminate()
        # A process that was sending a result leaves a thread here that reads the rest forever, as long as this process
        # itself holds an end of the pipe that could be written to. The same goes for a task that is partly sent.
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

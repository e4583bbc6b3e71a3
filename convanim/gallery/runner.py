"""Runs many tasks on any executor, a few at a time, so that memory does not grow with their number.

The executor is that of `concurrent.futures`: one that a caller has, processes on this machine, or a Dask cluster.
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
from importlib import import_module
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from typing import Any

from convanim.errors import ConvanimError, reason
from convanim.gallery import digest
from convanim.gallery.work import Result, Task, work

#: The number of submitted tasks per worker: enough to keep it busy, few enough for the results to fit in memory.
AHEAD = 4
TRIES = 2  # the number of attempts at a task whose worker process dies
RETRIES = 3  # the number of retries of a task whose worker in a cluster dies
TIMEOUT = 10  # seconds, to find a cluster


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
            while len(pending) < ahead and (task := again.pop() if again else next(waiting, None)):
                future = _submitted(executor, task, own=own)
                pending[future] = task
                future.add_done_callback(over.put)
            if not pending:
                return
            future = over.get()
            if future not in pending:  # a future of an earlier executor
                continue
            task = pending.pop(future)
            error = CancelledError() if future.cancelled() else future.exception()
            if error is None:
                yield future.result()
            elif not (own and isinstance(error, BrokenExecutor)):  # of the executor, such as a cluster without workers
                short = f"{type(error).__name__} {' '.join(str(error).split())}"[:200].strip()
                yield Result(task.name, error=f"its worker failed ({short}); build it again.")
            else:  # any of the submitted tasks may be the cause
                dead = [task, *pending.values()]
                pending.clear()
                deaths.update(task.name for task in dead)
                again += [task for task in dead if deaths[task.name] < TRIES]
                told = "its worker process was killed twice; provide more memory, or build this entry alone."
                yield from (Result(task.name, error=told) for task in dead if deaths[task.name] >= TRIES)
                executor.shutdown(cancel_futures=True)
                executor, ahead = _anew(start), 1  # one by one, to find the cause
    finally:
        if own:
            _end(executor, busy=bool(pending))


def _submitted(executor: Executor, task: Task, *, own: bool) -> Future[Result]:
    """The future of a task; a refusal is its error, as if its worker had died."""
    try:
        return executor.submit(work, task)
    except Exception as refusal:  # a dead worker, a shut-down executor, no memory
        future: Future[Result] = Future()
        future.set_exception(BrokenExecutor(refusal) if own else refusal)
        return future


def _anew(start: Callable[[], Executor]) -> Executor:
    """A new executor. If its workers die before their first task, it is refused, as no entry is the cause."""
    executor = start()
    try:
        executor.submit(int).result()
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


class Here(Executor):
    """An executor without workers, which runs everything at once in this thread."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run a task and return its finished future."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


class Processes(ProcessPoolExecutor):
    """Processes on this machine, forked from one that has imported the program.

    Their temporary files are in one folder, which is removed however they end.

    Raises:
        ConvanimError: the folder cannot be created.
    """

    def __init__(self, jobs: int) -> None:
        context: Any = multiprocessing.get_context("spawn" if sys.platform == "win32" else "forkserver")
        if sys.platform != "win32":
            context.set_forkserver_preload(["convanim.preload"])
        try:
            self._scratch = TemporaryDirectory(prefix="convanim", ignore_cleanup_errors=True)
        except OSError as error:
            raise ConvanimError(f"a temporary folder cannot be created: {reason(error)}", "free disk space") from None
        super().__init__(jobs, context, initializer=_follow, initargs=(self._scratch.name,))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes, then remove their folder."""
        super().shutdown(wait, cancel_futures=cancel_futures)
        self._scratch.cleanup()


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


def leave_if_imported() -> None:
    """End a pool's process that is only importing its program.

    A program that starts a build without `if __name__ == "__main__"` does so in each of its worker processes, too.
    They exit silently, and `run` reports the reason.
    """
    if getattr(multiprocessing.current_process(), "_inheriting", False):
        sys.exit(1)


@contextmanager
def dask(address: str) -> Iterator[Executor]:
    """The workers of a Dask cluster as an executor. They need no shared disk, only the same versions of the program.

    Args:
        address: the address of the scheduler, HOST:PORT.

    Raises:
        ConvanimError: Dask is not installed, there is no cluster or no worker, or a worker runs another version.
    """
    try:
        distributed: Any = import_module("distributed")
    except ImportError:
        raise ConvanimError("a cluster requires Dask", "pip install 'convanim[distributed]'") from None
    try:
        client = distributed.Client(address, timeout=TIMEOUT, set_as_default=False)
    except (OSError, ValueError, TypeError) as error:
        what = " ".join(str(error).split())[:100]
        raise ConvanimError(
            f"there is no Dask cluster at {address} ({what})", "start the command dask scheduler there"
        ) from None
    with client:
        workers = client.run(digest.versions)
        if not workers:
            raise ConvanimError(f"the cluster at {address} has no workers", "start the command dask worker there")
        for worker, theirs in sorted(workers.items()):
            told = theirs if isinstance(theirs, dict) else {}
            if differ := digest.differing(told, digest.versions(), "and here it is"):
                raise ConvanimError(
                    f"worker {worker} has {differ.partition(';')[0]}", "install the same versions there"
                )
        with client.get_executor(pure=False, retries=RETRIES) as executor:
            executor._max_workers = max(1, sum(client.nthreads().values()))
            yield executor

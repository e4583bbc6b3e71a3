"""Builds a gallery on a Dask cluster: entries are sent with the files that they name, and bytes are returned.

Workers need no shared disk, only the same versions of the same program.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from convanim.errors import ConvanimError
from convanim.gallery import digest

#: The number of retries of an entry when its worker dies.
RETRIES = 3
TIMEOUT = 10  # seconds, to find the cluster


@contextmanager
def dask(address: str) -> Iterator[Executor]:
    """The workers of a cluster as an executor.

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
        workers = client.run(versions)
        if not workers:
            raise ConvanimError(f"the cluster at {address} has no workers", "start the command dask worker there")
        for worker, theirs in sorted(workers.items()):
            told = theirs if isinstance(theirs, dict) else {}
            if differ := digest.differing(told, versions(), "and here it is"):
                raise ConvanimError(
                    f"worker {worker} has {differ.partition(';')[0]}", "install the same versions there"
                )
        with client.get_executor(pure=False, retries=RETRIES) as executor:
            executor._max_workers = max(1, sum(client.nthreads().values()))
            yield executor


def versions() -> dict[str, str]:
    """The versions of the process that runs this."""
    return digest.versions()

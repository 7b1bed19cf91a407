"""Pieces of a sweep on a Dask cluster: a few at a time, in whatever order they come back."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from entro_nb.errors import EntroError, SweepError
from entro_nb.sweep.plan import Plan, Tile
from entro_nb.sweep.store import needs
from entro_nb.sweep.task import Template, compute

__all__ = ["client_of", "over"]

#: Seconds that a scheduler has to answer, and that a sweep waits for a worker when there is none.
ANSWER, PATIENCE = 10.0, 300.0

#: Pieces under way for each thread of the cluster: one that runs, one that waits.
AHEAD = 2

#: Workers that may die with a piece before the piece is held to be the cause.
DEATHS = 3


@contextmanager
def client_of(scheduler: Any, workers: int) -> Iterator[Any]:
    """Client of a cluster: the one given, that of an address, or of a new one on this machine.

    Raises
    ------
    SweepError
        If Dask is not installed, or nothing answers at the address.
    """
    try:
        import dask
        from distributed import Client, LocalCluster
    except ImportError as error:
        raise needs("dask") from error
    if isinstance(scheduler, Client):
        yield scheduler
    elif scheduler is not None:
        with _quietly():
            try:
                client = Client(scheduler, timeout=ANSWER, set_as_default=False)
            except (OSError, TimeoutError, ValueError) as error:
                raise SweepError(
                    f"no Dask scheduler answers at {scheduler} within {ANSWER:g} s"
                ) from error
        with client:
            yield client
    else:
        with (
            dask.config.set({"distributed.scheduler.allowed-failures": DEATHS}),
            LocalCluster(
                n_workers=workers, threads_per_worker=1, dashboard_address="127.0.0.1:0",
                silence_logs=logging.CRITICAL,
            ) as cluster,
            Client(cluster, set_as_default=False) as client,
        ):  # fmt: skip
            yield client


@contextmanager
def _quietly() -> Iterator[None]:
    """Keep the library's own account of a failure off the screen: ours is one line."""
    log = logging.getLogger("distributed")
    level = log.level
    log.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        log.setLevel(level)


def over(
    client: Any, plan: Plan, template: Template, work: Sequence[tuple[int, Tile]], code: str
) -> Iterator[tuple[int, Tile, dict[str, Any]]]:
    """Run pieces on a cluster and give each as it comes back.

    A piece whose worker died is run again by another. At no time are more under way than keep
    the workers busy, so that the results waiting here stay few.

    Raises
    ------
    SweepError
        If a run fails, pieces kill their workers, or the scheduler or all workers are gone.
    """
    from distributed import wait

    waiting = iter(work)
    pending: dict[Any, tuple[int, Tile]] = {}
    alone: float | None = None
    try:
        while True:
            threads = sum(client.nthreads().values()) if _alive(client) else 0
            while len(pending) < max(AHEAD * threads, 1):
                item = next(waiting, None)
                if item is None:
                    break
                future = client.submit(compute, plan, template, item[1], code, pure=False)
                pending[future] = item
            if not pending:
                return
            alone = None if threads else alone or time.monotonic()
            if alone is not None and time.monotonic() - alone > PATIENCE:
                raise SweepError(f"the cluster has had no worker for {PATIENCE:g} s")
            try:
                with client.as_current():
                    ended = wait(list(pending), timeout=1.0, return_when="FIRST_COMPLETED").done
            except TimeoutError:
                continue
            for future in ended:
                number, tile = pending.pop(future)
                yield number, tile, _result(future)
    finally:
        if pending and client.status == "running":
            client.cancel(list(pending), force=True)


def _alive(client: Any) -> bool:
    if client.status != "running":
        raise SweepError("the connection to the scheduler is lost; run it again to go on")
    return True


def _result(future: Any) -> dict[str, Any]:
    if future.status == "cancelled":
        raise SweepError("the connection to the scheduler is lost; run it again to go on")
    error = future.exception()
    if error is None:
        arrays: dict[str, Any] = future.result()
        return arrays
    if isinstance(error, EntroError):
        raise error
    if type(error).__name__ == "KilledWorker":
        raise SweepError("several workers died with the same piece: too little memory?") from error
    raise SweepError(f"a worker failed: {type(error).__name__}: {error}") from error

"""The executor: an actor for each job that goes on at once; a job whose node is lost is done again on another."""

import os
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from socket import create_connection
from typing import Any, final

from agentic.errors import RunError, UserError, described
from agentic.jobs import Ended, Executor, Placed, Resources
from agentic_ray.hand import Hand, here, unpack

LONGEST = 10.0  # seconds between two looks at the cluster
PATIENCE = 5.0  # seconds that a cluster may take to answer at all
TRIES = 3  # times that a job is begun, where nodes are lost, and that a hand is started, where none starts
OPTIONS = {"address": "Of a running cluster, such as auto or 10.0.0.1:6379; without one, Ray starts here."}


@final
class RayExecutor(Executor):
    """Jobs on a Ray cluster: that at `address`, that which the program is connected to, or one of this machine alone.

    Nodes need the same agentic, and the files that jobs name by the same paths; results are sent back. As many jobs go
    on at once as there are `workers`, by default as many as the cluster has room for when it is asked; with more of
    them, nodes that join later are used too. Raises UserError without Ray.
    """

    name = "ray"
    options = OPTIONS

    def __init__(
        self, workers: int | None = None, resources: Resources | None = None, address: str | None = None
    ) -> None:
        super().__init__(workers, resources)
        self.address = address
        try:
            self._ray: Any = import_module("ray")
        except ImportError as error:
            raise UserError(f"--executor ray needs it installed ({error}): pip install 'agentic[ray]'") from None

    def carried_out(self, jobs: Sequence[Placed], limit: float) -> Iterator[Ended]:
        """Each job once it is done or lost, which it is when its node was lost three times.

        Raises RunError where no hand can be started, where a node has other code, and for what a job says.
        """
        if jobs:
            with self._connected():
                yield from _Crew(self._ray, self.resources, self._room(), limit).carried_out(jobs)

    @contextmanager
    def _connected(self) -> Iterator[None]:
        """A while in which the program is connected to a cluster."""
        if self._ray.is_initialized():
            yield
            return
        os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")  # of jobs without a card: as Ray will do
        try:
            _knock(self.address)
            self._ray.init(address=self.address, include_dashboard=None if self.address else False)
        except (ConnectionError, ValueError, RuntimeError, OSError) as error:
            raise UserError(
                f"no Ray cluster answers at {self.address or 'this machine'}, {described(error)}: start one with "
                "`ray start --head`, or leave out --ray-address"
            ) from error
        try:
            yield
        finally:
            self._ray.shutdown()

    def _room(self) -> int:
        """How many jobs go on at once. Raises UserError where no node of a cluster of this machine alone has room."""
        asked = {"CPU": self.resources.cpus, "GPU": self.resources.gpus, "memory": self.resources.memory * 1e9}
        nodes = [node["Resources"] for node in self._ray.nodes() if node["Alive"]]
        fits = [min(int(node.get(key, 0) / value) for key, value in asked.items() if value) for node in nodes]
        if not any(fits) and self.address is None:
            raise UserError(
                f"no node of this Ray cluster has room for a job of {self.resources}: ask for less with --resources"
            )
        return self.workers or max(1, sum(fits))


def _knock(address: str | None) -> None:
    """Raises OSError where nobody listens at host:port, which Ray would try for minutes."""
    host, _, port = (address or "").removeprefix("ray://").rpartition(":")
    if host and port.isdecimal():
        create_connection((host, int(port)), PATIENCE).close()


@final
class _Crew:
    """The hands that are at work, each with what it was asked last: whether it is there, or a job."""

    def __init__(self, ray: Any, resources: Resources, room: int, limit: float) -> None:
        self.ray, self.room, self.limit = ray, room, limit
        memory = {"memory": int(resources.memory * 1e9)} if resources.memory else {}
        kind = {"num_cpus": resources.cpus, "num_gpus": resources.gpus, "max_restarts": 0, **memory}
        self._make = ray.remote(Hand).options(scheduling_strategy="SPREAD", **kind).remote
        self._given = (max(1, int(resources.cpus)), os.getcwd(), here())
        self.waiting = deque[Placed]()
        self.asked: dict[Any, tuple[Any, Placed | None]] = {}
        self.begun = Counter[Path]()
        self.failed = 0

    def carried_out(self, jobs: Sequence[Placed]) -> Iterator[Ended]:
        """Each job once it is done or lost."""
        self.waiting.extend(jobs)
        try:
            self._hire()
            while self.asked:
                for ref in self.ray.wait(list(self.asked), timeout=LONGEST)[0]:
                    yield from self._heard(ref)
                self._hire()
        finally:
            for hand, _ in self.asked.values():
                self._let_go(hand)

    def _hire(self) -> None:
        """As many hands as there is work for."""
        idle = sum(placed is None for _, placed in self.asked.values())
        for _ in range(min(self.room - len(self.asked), len(self.waiting) - idle)):
            hand = self._make(*self._given)
            self.asked[hand.ready.remote()] = hand, None

    def _heard(self, ref: Any) -> Iterator[Ended]:
        hand, placed = self.asked.pop(ref)
        try:
            found = self.ray.get(ref)
        except self.ray.exceptions.RayError as error:
            self._let_go(hand)
            yield from self._again(placed, error)
            return
        if isinstance(found, str):  # that it is not as this program is, or what the job says of all
            raise RunError(found)
        self.failed = 0
        if placed is not None and found is not None:
            lost, content = found
            if not lost:
                unpack(content, placed.folder)
            yield Ended(placed, lost)
        self._go_on(hand)

    def _again(self, placed: Placed | None, error: BaseException) -> Iterator[Ended]:
        """What follows when a hand is lost."""
        if placed is None:
            self.failed += 1
            if self.failed == TRIES:
                raise RunError(
                    f"Ray cannot start a process for jobs, {described(error)}: agentic with its plugins must be "
                    "installed on every node"
                ) from error
        elif self.begun[placed.folder] < TRIES:
            self.waiting.appendleft(placed)
        else:
            yield Ended(placed, f"its node was lost {TRIES} times")

    def _go_on(self, hand: Any) -> None:
        """Give a hand what is waiting, or let it go."""
        if not self.waiting:
            self._let_go(hand)
            return
        placed = self.waiting.popleft()
        self.begun[placed.folder] += 1
        self.asked[hand.do.remote(placed.job, self.limit)] = hand, placed

    def _let_go(self, hand: Any) -> None:
        with suppress(self.ray.exceptions.RayError):
            self.ray.kill(hand)

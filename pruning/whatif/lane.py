"""What-if for many: visitors take turns at computing, each for one short step, and nobody waits behind a whole answer.

    lane = Lane(width=2)
    for measured in lane.follow(engine, plan, asker=session, cancel=cancel):
        ...

Who goes next: first answers before all others, since they take least and are waited for most; then in turn, whoever
was served longest ago, for TURN seconds and up to an answer, so that answers come one after the other and not all at
once at the end.
Questions of what a repair gives wait until nobody asks anything else.
Where first answers alone would fill the lane, the others have a third of it. Width is how many steps go on side by
side, on different engines: an engine carries out one at a time.

A new question of an asker cancels the one before. Between two steps the machine's clock has its way
(`pruning.jobs.quiet`).
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Hashable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from pruning.base.cancel import Cancel
from pruning.base.errors import Cancelled, StorageError
from pruning.jobs import quiet
from pruning.planning.plan import Plan
from pruning.whatif.engine import Measured, WhatIf

TURN = 0.15
"""Seconds that a visitor goes on, and then until the next answer, before it is somebody else's turn."""
LONGEST_TURN = 0.6
"""Seconds after which it is, answer or not."""
STEP = 0.02
"""Seconds after which a step under way lets others go first, where some should."""
CREDIT = 1.0
"""Seconds that first answers may be ahead of the others, which have half as many, before all take turns alike."""
GLANCE = 0.01
"""Seconds between two looks, within a step, at whether to go on."""
LOOK = 0.1
"""Seconds between two looks of one who waits at whether to go on waiting."""
MOST = 10_000
"""Visitors whose last turn is remembered."""


class Lane:
    """Turns at computing within one process; may be used from several threads."""

    def __init__(self, width: int) -> None:
        """`width`: steps that go on at once; more of them than processor cores only slow each other down."""
        self.width = width
        self._lock = threading.Lock()
        self._waiting: list[Question] = []
        self._engines: set[int] = set()
        """Which are carrying out a step, by their identity."""
        self._served: OrderedDict[Hashable, tuple[int, float]] = OrderedDict()
        """Visitor → number of their last turn, and the seconds that they have used of the present one."""
        self._turns = 0
        self._ahead = 0.0
        """Seconds that first answers have had more than twice those of the others."""
        self._asked: dict[Hashable, Question] = {}
        """Asker → question that is being answered."""

    def follow(
        self,
        engine: WhatIf,
        plan: Plan,
        *,
        asker: Hashable,
        visitor: Hashable = None,
        cancel: Cancel | None = None,
        repaired: bool = False,
    ) -> Iterator[Measured]:
        """`engine.follow(plan)` in turn with the others, or `engine.follow_repaired(plan)` after all others. Nothing is
        held while the caller looks at an answer.

        `asker`: whose earlier question this one replaces. `visitor`: who shares turns with all their askers; the asker
        alone where it is None. `cancel` is asked while waiting as well, and may raise.

        Raises:
            Cancelled: `cancel()` became true, or the asker has asked something else.
        """
        with self._asking(engine, asker, visitor, cancel, last=repaired) as question:
            steps = (engine.follow_repaired if repaired else engine.follow)(plan, cancel=question.give_way)
            while True:
                with question:
                    measured = next(steps, None)
                if measured is None:
                    return
                question.urgent = False
                yield measured

    @contextmanager
    def turn(
        self, engine: object, *, asker: Hashable, visitor: Hashable = None, cancel: Cancel | None = None
    ) -> Iterator[Question]:
        """One step of any kind on an engine, or on what will be one. Arguments and errors as of `follow`."""
        with self._asking(engine, asker, visitor, cancel) as question, question:
            yield question

    @contextmanager
    def _asking(
        self, engine: object, asker: Hashable, visitor: Hashable, cancel: Cancel | None, *, last: bool = False
    ) -> Iterator[Question]:
        question = Question(self, engine, asker, asker if visitor is None else visitor, cancel, last=last)
        with self._lock:
            self._asked[asker] = question
        try:
            yield question
        finally:
            with self._lock:
                if self._asked.get(asker) is question:
                    del self._asked[asker]
                self._let_go()

    def is_over(self, question: Question) -> bool:
        """Whether the asker has asked something else."""
        return self._asked.get(question.asker) is not question

    def wait(self, question: Question) -> None:
        """Until it is the question's turn."""
        question.granted.clear()
        question.since = time.monotonic()
        with self._lock:
            self._waiting.append(question)
            self._let_go()
        try:
            while not question.granted.wait(LOOK):
                question.check()
            question.check()
        except BaseException:  # what Streamlit raises to begin anew is no Exception
            with self._lock:
                if question in self._waiting:
                    self._waiting.remove(question)
                else:
                    self._end(question)
            raise
        question.began = time.monotonic()

    def leave(self, question: Question) -> None:
        """The end of a step: an answer, or others go first."""
        with self._lock:
            turn, used = self._served.pop(question.visitor, (self._turns, 0.0))
            seconds = time.monotonic() - question.began
            self._ahead += seconds if question.urgent else -2 * seconds
            self._ahead = min(max(self._ahead, 0.0), 2 * CREDIT)
            used += seconds
            if used >= (LONGEST_TURN if question.gives_way else TURN):
                self._turns += 1
                turn, used = self._turns, 0.0
            self._served[question.visitor] = turn, used
            while len(self._served) > MOST:
                self._served.popitem(last=False)
            self._end(question)

    def _end(self, question: Question) -> None:
        self._engines.discard(id(question.engine))
        self._let_go()

    def _let_go(self) -> None:
        """Let those begin whose turn it is."""
        others = any(not one.last for one in self._asked.values())
        while len(self._engines) < self.width:
            question = min(
                (one for one in self._waiting if id(one.engine) not in self._engines and not (one.last and others)),
                key=self._order,
                default=None,
            )
            if question is None:
                return
            self._waiting.remove(question)
            self._engines.add(id(question.engine))
            question.granted.set()

    def _order(self, question: Question) -> tuple[int, int, float]:
        urgent = question.urgent or self._ahead > CREDIT
        rank = 2 if question.last else 0 if urgent else 1
        return rank, self._served.get(question.visitor, (-1, 0.0))[0], question.since

    def somebody_goes_before(self, question: Question) -> bool:
        """Whether the one who holds a turn is to let others go first."""
        with self._lock:
            mine = self._order(question)[:2]
            engines = self._engines - {id(question.engine)}
            if question.last and any(not one.last for one in self._asked.values()):
                return True
            return any(id(one.engine) not in engines and self._order(one)[:2] < mine for one in self._waiting)


class Question:
    """One question of one asker; `with question:` is a step of its answer."""

    def __init__(
        self, lane: Lane, engine: object, asker: Hashable, visitor: Hashable, cancel: Cancel | None, *, last: bool
    ) -> None:
        self.engine, self.asker, self.visitor = engine, asker, visitor
        self.last = last
        """Whether all others go before it, and it never counts as urgent."""
        self.urgent = not last
        """Whether there is no answer yet."""
        self.granted = threading.Event()
        self.since = self.began = time.monotonic()
        """When it began to wait, and to compute, last."""
        self._lane, self._cancel = lane, cancel
        self.gives_way = False
        """Whether the present step ends without an answer."""
        self._held: ExitStack | None = None
        self._looked = 0.0

    def __enter__(self) -> None:
        self._lane.wait(self)
        with ExitStack() as held:
            held.callback(self._lane.leave, self)
            with suppress(StorageError):  # a cache that cannot be written: then no clock is on its way either
                held.enter_context(quiet.computing())
            self._held = held.pop_all()
        self._looked = self.began

    def __exit__(self, *_: object) -> None:
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def give_way(self) -> bool:
        """Within a step: let others go first where they should; whether nobody waits for the answer any more.

        Raises:
            Cancelled: that became so while others went first.
        """
        now = time.monotonic()
        if self._held is None or now - self._looked < GLANCE:
            return False
        self._looked = now
        if self._lane.is_over(self) or (self._cancel is not None and self._cancel()):
            return True
        if now - self.began >= STEP and self._lane.somebody_goes_before(self):
            self.gives_way = True
            self.__exit__()
            self.gives_way = False
            self.__enter__()
        else:
            quiet.breathe()
        return False

    def check(self) -> None:
        """Raises Cancelled where nobody waits for the answer any more."""
        if self._lane.is_over(self) or (self._cancel is not None and self._cancel()):
            raise Cancelled("Cancelled while waiting for a turn at measuring.")

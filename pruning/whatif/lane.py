"""What-if for many: visitors take turns at computing, each for one short step, and nobody waits behind a whole answer.

    lane = Lane(width=2)
    for measured in lane.follow(engine, plan, asker=session, cancel=cancel):
        ...

Who goes next: first answers before all others, since they take least and are waited for most; then in turn, whoever
was served longest ago, for TURN seconds and up to an answer, so that answers come one after the other and not all at
once at the end.
Questions that nobody asked expressly, as of what a repair gives, wait until there are no others; for a while only,
since whoever waits does nothing else meanwhile.
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
YIELDS = "yields"


class Overtaken(Cancelled):
    """Others went first for too long."""


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
        """Questions that are being answered, by their keys."""

    def follow(
        self,
        engine: WhatIf,
        plan: Plan,
        *,
        asker: Hashable,
        visitor: Hashable = None,
        cancel: Cancel | None = None,
        repaired: bool = False,
        patience: float | None = None,
    ) -> Iterator[Measured]:
        """`engine.follow(plan)` or `engine.follow_repaired(plan)` in turn with the others. Nothing is held while the
        caller looks at an answer.

        `asker`: whose earlier question this one replaces. `visitor`: who shares turns with all their askers; the asker
        alone where it is None. `cancel` is asked while waiting as well, and may raise. `patience`: of a question that
        waits until nobody else has one, the seconds that it waits for that, all told; it stands beside the other
        question of its asker.

        Raises:
            Overtaken: it has waited for longer than `patience`.
            Cancelled: `cancel()` became true, or the asker has asked something else.
        """
        with self._asking(engine, asker, visitor, cancel, patience) as question:
            question.urgent = not repaired
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
        self,
        engine: object,
        asker: Hashable,
        visitor: Hashable,
        cancel: Cancel | None,
        patience: float | None = None,
    ) -> Iterator[Question]:
        question = Question(self, engine, asker, asker if visitor is None else visitor, cancel, patience)
        with self._lock:
            if not question.yields:
                self._asked.pop((asker, YIELDS), None)
            self._asked[question.key] = question
        try:
            yield question
        finally:
            with self._lock:
                if self._asked.get(question.key) is question:
                    del self._asked[question.key]
                self._let_go()

    def is_over(self, question: Question) -> bool:
        """Whether the asker has asked something else."""
        return self._asked.get(question.key) is not question

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
                question.check_patience()
            question.check()
            question.waited += time.monotonic() - question.since
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
        while len(self._engines) < self.width:
            question = min(
                (one for one in self._waiting if id(one.engine) not in self._engines and not self._yields(one)),
                key=self._order,
                default=None,
            )
            if question is None:
                return
            self._waiting.remove(question)
            self._engines.add(id(question.engine))
            question.granted.set()

    def _yields(self, question: Question) -> bool:
        """Whether it waits for questions of others."""
        others = (one for one in self._asked.values() if not one.yields and one.asker != question.asker)
        return question.yields and any(others)

    def _order(self, question: Question) -> tuple[int, int, float]:
        urgent = question.urgent or self._ahead > CREDIT
        rank = 2 if question.last else 0 if urgent else 1
        return rank, self._served.get(question.visitor, (-1, 0.0))[0], question.since

    def somebody_goes_before(self, question: Question) -> bool:
        """Whether the one who holds a turn is to let others go first."""
        with self._lock:
            mine = self._order(question)[:2]
            engines = self._engines - {id(question.engine)}
            if self._yields(question):
                return True
            return any(id(one.engine) not in engines and self._order(one)[:2] < mine for one in self._waiting)


class Question:
    """One question of one asker; `with question:` is a step of its answer."""

    def __init__(
        self,
        lane: Lane,
        engine: object,
        asker: Hashable,
        visitor: Hashable,
        cancel: Cancel | None,
        patience: float | None,
    ) -> None:
        self.engine, self.asker, self.visitor = engine, asker, visitor
        self.yields = patience is not None
        """Whether it waits until there are no questions of others but of this kind."""
        self.key: Hashable = (asker, YIELDS) if self.yields else asker
        """A new question with the same one ends it."""
        self.last = self.yields
        """Whether it goes after all others that wait."""
        self.urgent = True
        """Whether there is no answer yet, and somebody looks at the screen for it."""
        self.waited = 0.0
        """Seconds, before the present wait."""
        self.granted = threading.Event()
        self.since = self.began = time.monotonic()
        """When it began to wait, and to compute, last."""
        self._lane, self._cancel, self._patience = lane, cancel, patience
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

    def check_patience(self) -> None:
        """Raises Overtaken where it has waited for too long."""
        if self._patience is not None and self.waited + time.monotonic() - self.since > self._patience:
            raise Overtaken("Others have measured all the while: ask for it, and it is measured in turn.")

"""One-shot against iterative pruning, equal steps, several seeds each: the race, its verdict, and where it is kept."""

from pruning.contest.judge import Verdict, judge, t95
from pruning.contest.race import SCHEDULES, Finish, Lane, Mark, Race, Terms, race

__all__ = ["SCHEDULES", "Finish", "Lane", "Mark", "Race", "Terms", "Verdict", "judge", "race", "t95"]

"""What the keys of a telephone mean while digits are collected, and which keys still wait to be used."""

from __future__ import annotations

from collections import deque
from enum import Enum


class Verdict(Enum):
    """What a key makes of the digits before it."""

    MORE = "more"  # the key is the next digit
    ANSWERED = "answered"  # the answer is complete
    CLEARED = "cleared"  # start anew
    WRONG = "wrong"  # no answer to this question
    OPERATOR = "operator"  # a lone 0, ended


def judge(digits: str, key: str, *, most: int, fixed: bool) -> Verdict:
    """`key` after `digits`. most: the longest answer; fixed: the only length, which ends by itself."""
    if key == "*":
        return Verdict.CLEARED
    if key != "#":
        return Verdict.ANSWERED if fixed and len(digits) + 1 == most else Verdict.MORE
    if digits == "0":
        return Verdict.OPERATOR
    return Verdict.WRONG if fixed or not 0 < len(digits) <= most else Verdict.ANSWERED


class TypedKeys:
    """Keys that were pressed and not used yet, in their order. Times are seconds of a monotonic clock.

    together: keys at most so many seconds apart can belong together.
    """

    def __init__(self, *, together: float) -> None:
        self._together = together
        self._keys: deque[str] = deque()
        self._answered_at: float | None = None
        self._starred_at: float | None = None
        self.pressed_anything = False

    def __bool__(self) -> bool:
        return bool(self._keys)

    def press(self, key: str | None, now: float) -> None:
        """Keep a key, if there was one. A `#` right after an answer still belongs to that answer."""
        if key is None:
            return
        self.pressed_anything = True
        spent = key == "#" and self.hash_is_spent(now)
        self._answered_at = None
        if not spent:
            self._keys.append(key)

    def take(self) -> str:
        """The next key, used up by this. Raises IndexError when there is none."""
        return self._keys.popleft()

    def take_all(self) -> str:
        """All that are there, used up by this."""
        found = "".join(self._keys)
        self._keys.clear()
        return found

    def put_back(self, key: str) -> None:
        """Let the key that was just taken be the next one again."""
        self._keys.appendleft(key)

    def forget(self) -> None:
        """Drop what was typed ahead."""
        self._keys.clear()

    def answered(self, now: float) -> None:
        """Digits were answered: one more `#`, which nobody asked for, is not held against the caller."""
        self._starred_at = None
        if self._keys and self._keys[0] == "#":
            self._keys.popleft()
        elif not self._keys:
            self._answered_at = now

    def hash_is_spent(self, now: float) -> bool:
        """Whether a `#` pressed now would belong to the last answer."""
        return self._recent(self._answered_at, now)

    def star(self, now: float) -> bool:
        """`*` was used: whether it is the second of `**`."""
        second = self._recent(self._starred_at, now)
        self._starred_at = now
        return second

    def unstar(self) -> None:
        """A digit came after the `*`: another one is not its second."""
        self._starred_at = None

    def _recent(self, moment: float | None, now: float) -> bool:
        return moment is not None and now - moment <= self._together

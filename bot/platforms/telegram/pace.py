"""When the next message may go to a chat: the limits that Telegram states, kept by ourselves, for each chat alone.

About 30 messages a second in all, one a second in a private chat, 20 a minute in a group; edits count.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

ALL_A_SECOND = 25
PROGRESS_A_SECOND = 14
"""Of all that is sent, so much at most may be progress: results never queue behind it."""

GAP_S = 1.05
"""Between two messages in one chat, from the answer to the first to the second: a little over a second."""

GROUP_WINDOW_S = 61.0
IN_A_GROUP_WINDOW = 19
KEPT_FOR_RESULTS = 9
"""So many of a group's messages are never spent on progress."""

PROGRESS_GAP_S = 3.0
"""Between two showings of progress in a group."""

_WINDOW_S = 1.05
_CHATS = 5000


@dataclass(slots=True)
class _Chat:
    sent: deque[float] = field(default_factory=lambda: deque(maxlen=IN_A_GROUP_WINDOW))
    progress_at: float = float("-inf")
    held_until: float = float("-inf")


class Pace:
    """Counts what is sent; says how long the next message has to wait. A chat with a negative id is a group."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._all: deque[float] = deque(maxlen=ALL_A_SECOND)
        self._chats: dict[int, _Chat] = {}

    def wait_s(self, chat: int) -> float:
        """How long an answer or a result has to wait; 0: it may go now."""
        return max(0.0, self._free_at(chat) - self._clock())

    def progress_wait_s(self, chat: int) -> float:
        """How long a showing of progress has to wait."""
        free_at = self._free_at(chat)
        if len(self._all) >= PROGRESS_A_SECOND:
            free_at = max(free_at, self._all[-PROGRESS_A_SECOND] + _WINDOW_S)
        state = self._chats.get(chat)
        if chat < 0 and state is not None:
            free_at = max(free_at, state.progress_at + PROGRESS_GAP_S)
            spare = IN_A_GROUP_WINDOW - KEPT_FOR_RESULTS
            if len(state.sent) >= spare:
                free_at = max(free_at, state.sent[-spare] + GROUP_WINDOW_S)
        return max(0.0, free_at - self._clock())

    def take(self, chat: int, *, progress: bool = False) -> None:
        """A message goes to the chat now."""
        now = self._clock()
        if chat not in self._chats and len(self._chats) >= _CHATS:
            self._forget(now)
        state = self._chats.setdefault(chat, _Chat())
        state.sent.append(now)
        if progress:
            state.progress_at = now
        self._all.append(now)

    def landed(self, chat: int) -> None:
        """The message has arrived: a call that was slow on its way must not be followed too closely."""
        state = self._chats.get(chat)
        if state is not None and state.sent:
            state.sent[-1] = self._clock()

    def hold(self, chat: int, for_s: float) -> None:
        """Telegram asked for a pause in this chat; the others go on."""
        state = self._chats.setdefault(chat, _Chat())
        state.held_until = max(state.held_until, self._clock() + for_s)

    def _free_at(self, chat: int) -> float:
        free_at = self._all[0] + _WINDOW_S if len(self._all) == ALL_A_SECOND else float("-inf")
        state = self._chats.get(chat)
        if state is not None:
            free_at = max(free_at, state.held_until)
            if state.sent:
                free_at = max(free_at, state.sent[-1] + GAP_S)
            if chat < 0 and len(state.sent) == IN_A_GROUP_WINDOW:
                free_at = max(free_at, state.sent[0] + GROUP_WINDOW_S)
        return free_at

    def _forget(self, now: float) -> None:
        """Let go of the chats in which nothing has been said for a while."""
        self._chats = {
            chat: state
            for chat, state in self._chats.items()
            if state.held_until > now or (state.sent and state.sent[-1] + GROUP_WINDOW_S > now)
        }

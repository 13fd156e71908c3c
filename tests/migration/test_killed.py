"""A migration that is killed, again and again, ends in the same state as one that is left alone."""

from __future__ import annotations

import multiprocessing
import os
import random
import signal
import time
from dataclasses import replace

import pytest

from migration.command import migrate
from migration.wishes import Wishes
from tests.migration.home import ISSUER, Home, nameless
from tests.migration.odd_rows import fill
from tests.migration.old_database import OldDatabase

KILLS = int(os.environ.get("MIGRATION_KILLS", "5"))
ROWS = int(os.environ.get("MIGRATION_KILLED_ROWS", "120"))
SEED = 20

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["migration.command", "music.catalogue"])


def in_a_process_of_its_own(wishes: Wishes, killed_after_s: float | None) -> int | None:
    """Run the command; its exit status, which is negative where it was killed."""
    process = _PROCESSES.Process(target=_main, args=(wishes,))
    process.start()
    process.join(killed_after_s)
    if process.exitcode is None:
        process.kill()
        process.join()
    return process.exitcode


def _main(wishes: Wishes) -> None:
    os._exit(migrate(wishes))


@pytest.mark.timeout(1800 if KILLS > 10 else 300)
def test_kills_at_random_moments_end_in_the_same_state(old: OldDatabase, convex: Home) -> None:
    fill(old, ROWS, megabytes=2, files=4)
    wishes = Wishes(old.uri, convex.state_dir, ISSUER, convex.url, source="old", files=old.audio, resume=True)
    before = convex.documents()
    began = time.monotonic()
    assert in_a_process_of_its_own(wishes, None) == 0
    whole_s = time.monotonic() - began
    left_alone = nameless(convex.documents())
    assert in_a_process_of_its_own(replace(wishes, rollback=True), None) == 0
    assert convex.documents() == before

    moments = random.Random(SEED)  # noqa: S311 - no secret
    killed = 0
    while killed < KILLS:
        status = in_a_process_of_its_own(wishes, moments.uniform(0.0, 0.7 * whole_s))
        assert status in (0, -signal.SIGKILL)
        killed += status != 0
        if status == 0:
            # It came to its end between two kills: the same again from the beginning.
            assert nameless(convex.documents()) == left_alone
            assert in_a_process_of_its_own(replace(wishes, rollback=True), None) == 0
    assert in_a_process_of_its_own(wishes, None) == 0
    assert nameless(convex.documents()) == left_alone

    # The way back may be killed too.
    in_a_process_of_its_own(replace(wishes, rollback=True), moments.uniform(0.0, 0.3 * whole_s))
    assert in_a_process_of_its_own(replace(wishes, rollback=True), None) == 0
    assert convex.documents() == before

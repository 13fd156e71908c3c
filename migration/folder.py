"""The work folder of a migration: which run it is, and how far it has come.

``state.json`` says which stage is done; ``work.sqlite`` (`work`) holds what is to be imported. Both survive a kill at
any moment.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, cast

from migration.dump import private_folder
from migration.errors import MigrationError
from migration.wishes import Only, Wishes
from migration.work import Work

if os.name == "posix":
    import fcntl

Stage = Literal["new", "exported", "transformed", "imported", "done"]
STAGES: tuple[Stage, ...] = ("new", "exported", "transformed", "imported", "done")


@dataclass(frozen=True, slots=True)
class State:
    """Which run this folder belongs to."""

    run: str
    source: str
    place: str
    dump: str
    only: Only | None
    files: str | None
    started_at_ms: float
    stage: Stage = "new"
    taken_at_ms: float = 0.0
    dry: bool = False
    withdraw: bool = False

    @property
    def under_way(self) -> bool:
        """Whether something of it may be in Convex already, and not all."""
        return self.reached("transformed") and not self.reached("imported") and not self.dry

    def reached(self, stage: Stage) -> bool:
        """Whether this stage is done."""
        return STAGES.index(self.stage) >= STAGES.index(stage)


class Folder:
    """A work folder, locked while it is open. Raises MigrationError where another process works in it."""

    def __init__(self, state_dir: Path, source: str) -> None:
        self.path = private_folder(state_dir / "migration" / source)
        self._lock = (self.path / ".lock").open("w")
        if os.name == "posix":
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                self._lock.close()
                raise MigrationError(f"A migration is at work in {self.path} already.") from None
        self.work = Work(self.path)

    def close(self) -> None:
        """Let go of it."""
        self.work.close()
        self._lock.close()

    def state(self) -> State | None:
        """The run that works here, if there is one."""
        try:
            return State(**cast("dict[str, Any]", json.loads((self.path / "state.json").read_text("utf-8"))))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, state: State) -> State:
        """Remember; the file changes at once or not at all."""
        draft = self.path / ".state.json"
        draft.write_text(json.dumps(asdict(state), ensure_ascii=False), "utf-8")
        draft.replace(self.path / "state.json")
        return state

    def new_run(self, source: str, place: str, wishes: Wishes) -> State:
        """A new run in place of the last one."""
        self.work.close()
        for name in ("export", "files"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        return self.write(
            State(
                run=secrets.token_hex(8),
                source=source,
                place=place,
                dump=str((wishes.dump or self.path / "export").resolve()),
                only=wishes.only,
                files=None if wishes.files is None else str(wishes.files.resolve()),
                started_at_ms=float(round(time.time() * 1000)),
                dry=wishes.dry_run,
                withdraw=wishes.withdraw,
            )
        )

    def reach(self, state: State, stage: Stage, **more: Any) -> State:
        """A stage is done."""
        return self.write(replace(state, stage=stage, **more))

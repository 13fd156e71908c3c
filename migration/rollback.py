"""The way back: taking out of Convex what one run brought, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from migration.deployment import Deployment, RefusedError
from migration.errors import MigrationError
from migration.progress import Progress


@dataclass(frozen=True, slots=True)
class Taken:
    """What a rollback did. ``kept``: users who have signed in since, or have something that the run did not bring."""

    run: str
    removed: int
    restored: int
    kept: int
    unlinked: int


async def runs_of(deployment: Deployment, source: str) -> list[str]:
    """The runs of a source that Convex knows, newest first. Raises MigrationError."""
    try:
        return [str(one["run"]) for one in await deployment.query("migration:runs", {"source": source})]
    except RefusedError as error:
        raise MigrationError(f"Convex at {deployment.url} could not be asked ({error}).") from None


async def roll_back(deployment: Deployment, run: str, progress: Progress) -> Taken:
    """Take a run back. It may be killed and begun again. Raises MigrationError."""
    counts = dict.fromkeys(("removed", "restored", "kept", "unlinked"), 0)
    progress.start("roll back", 0)
    while True:
        try:
            answer = await deployment.mutation("migration:rollback", {"run": run})
        except RefusedError as error:
            raise MigrationError(
                f"Convex at {deployment.url} could not take the run back ({error})."
            ) from None
        for name in counts:
            counts[name] += int(answer[name])
        progress.step(sum(int(answer[name]) for name in counts))
        if answer["done"]:
            progress.end()
            return Taken(run, **counts)

"""The queue of pieces to be made, as one worker sees it."""

from __future__ import annotations

from collections.abc import Collection
from functools import partial

from bot.backend.documents import Document, Job, job_of, metadata_document
from bot.backend.gateway import Convex
from bot.backend.identity import Signer
from handlers.model import GenerationId, GenerationMetadata, Progress, StorageId

LEASE_S = 90.0
"""A job that nobody has reported on for so long goes to somebody else."""


class Jobs:
    """The worker's calls, in the name of one worker. Every method raises errors of handlers.errors and nothing else."""

    def __init__(self, convex: Convex, signer: Signer, worker: str) -> None:
        self.worker = worker
        self._convex = convex
        self._token = partial(signer.worker, worker)

    async def claim(self, holds: Collection[GenerationId] = ()) -> Job | None:
        """Take the next waiting job, if there is one. ``holds``: the pieces that this worker knows to be its own."""
        # Repeatable because of what it holds: a job whose claim's answer was lost is handed out again.
        args = {"worker": self.worker, "leaseS": LEASE_S, "holds": list(holds)}
        job = await self._convex.mutation("jobs:claim", args, self._token, repeatable=True)
        return None if job is None else job_of(Document(job))

    async def progress(self, job: Job, progress: Progress) -> bool:
        """Report, and hold the lease for longer. False: the job was cancelled or is somebody else's by now."""
        args = self._names(job) | {
            "stage": progress.stage,
            "percent": progress.fraction * 100.0,
            "leaseS": LEASE_S,
        }
        if progress.seconds_left is not None:
            args["secondsLeft"] = progress.seconds_left
        answer = await self._convex.mutation("jobs:progress", args, self._token, repeatable=True)
        return Document(answer).flag("proceed")

    async def upload(self, mp3: bytes) -> StorageId:
        """Store a finished piece."""
        url = await self._convex.mutation("files:generateUploadUrl", {}, self._token, repeatable=True)
        return await self._convex.upload(Document({"url": url}).text("url"), mp3, "audio/mpeg")

    async def complete(self, job: Job, audio: StorageId, metadata: GenerationMetadata) -> bool:
        """Hand a piece in. False: it was cancelled or is somebody else's; the uploaded file is gone then."""
        args = self._names(job) | {"audioFileId": audio, "metadata": metadata_document(metadata)}
        answer = await self._convex.mutation("jobs:complete", args, self._token, repeatable=True)
        return Document(answer).flag("accepted")

    async def fail(self, job: Job, code: str, message: str, *, retry: bool) -> bool:
        """Give a job up; says whether it went back into the queue."""
        args = self._names(job) | {"code": code, "message": message, "retry": retry}
        answer = await self._convex.mutation("jobs:fail", args, self._token, repeatable=True)
        return Document(answer).flag("requeued")

    async def release(self, *, polite: bool = False, deadline_s: float = 5.0) -> int:
        """Put back everything that this worker holds; returns how many jobs."""
        count = await self._convex.mutation(
            "jobs:release",
            {"worker": self.worker, "polite": polite},
            self._token,
            repeatable=True,
            deadline_s=deadline_s,
        )
        return int(Document({"count": count}).number("count"))

    def _names(self, job: Job) -> dict[str, object]:
        return {"generationId": job.generation, "worker": self.worker, "attempt": job.attempt}

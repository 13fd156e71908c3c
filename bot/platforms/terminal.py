"""The terminal as a platform: one question, its progress on stderr, its answer as plain text."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from bot.bar import Bar
from bot.platforms import Services
from handlers.model import AccountId, MessageRef, Reply


def as_text(reply: Reply) -> str:
    """A reply as lines of plain text."""
    return "\n".join(_lines(reply)).strip()


def _lines(reply: Reply) -> Iterator[str]:
    if reply.text:
        yield reply.text
    if reply.card:
        card = reply.card
        yield f"{card.title} - {card.subtitle}" if card.subtitle else card.title
        width = max((len(field.name) for field in card.fields), default=0)
        for field in card.fields:
            yield f"  {field.name:<{width}}  {field.value}"
        if card.description:
            yield ""
            yield card.description
        if card.footer:
            yield card.footer
    for number, entry in enumerate(reply.entries, start=1):
        yield f"{number:>3}. {entry.title}" + (f" - {entry.detail}" if entry.detail else "")
    if reply.track:
        yield f"{reply.track.title} ({reply.track.duration_s:.1f} s)"
    if reply.download:
        yield f"{reply.download.filename} ({reply.download.size_bytes / 1e6:.1f} MB)"
    if reply.notice:
        yield reply.notice
    for menu in reply.menus:
        yield f"{menu.title}:"
        for choice in menu.choices:
            yield f"  {choice.label}  ({choice.line})"
    lines = [button.line for row in reply.buttons for button in row]
    if lines:
        yield "Next: " + "   ".join(lines)


class TerminalPlatform:
    """Shows the progress of the one piece asked for, and hands its final reply over."""

    name = "terminal"
    edit_interval_s = 0.2

    def __init__(self, services: Services, progress: TextIO | None = None) -> None:
        self._services = services
        # The watcher paces itself.
        self._bar = Bar(progress, gap_s=0.0)
        self._answers: dict[str, asyncio.Future[Reply]] = {}

    async def start(self) -> str:
        """Nothing to open."""
        return "ready"

    async def stop(self) -> None:
        """Nothing to close."""

    def expect(self, message: MessageRef) -> asyncio.Future[Reply]:
        """A future for the final reply in this message."""
        return self._answers.setdefault(message.message, asyncio.get_running_loop().create_future())

    async def edit(self, message: MessageRef, reply: Reply) -> None:
        """Draw the bar over the last one, or finish with what went wrong."""
        if reply.progress is not None:
            left_s = reply.progress.seconds_left
            left = "" if left_s is None else f", about {left_s:.0f} s left"
            self._bar.show(reply.progress.fraction, f"{reply.progress.stage}{left}")
        else:
            self._finish(message, reply)

    async def deliver(self, message: MessageRef, reply: Reply, *, nonce: str, to: AccountId) -> None:
        """Hand the finished piece over; a second time changes nothing."""
        del nonce, to  # the future takes one result only, and one person waits for it
        self._finish(message, reply)

    async def tell(self, account: AccountId, reply: Reply, *, nonce: str) -> None:
        """The owner of the terminal asks, and is told nothing besides."""
        del account, reply, nonce

    async def forget(self, account: AccountId) -> None:
        """Nothing is kept of anybody."""
        del account

    def _finish(self, message: MessageRef, reply: Reply) -> None:
        self._bar.clear()
        answer = self.expect(message)
        if not answer.done():
            answer.set_result(reply)

    async def save(self, reply: Reply, folder: Path) -> Path:
        """Put the reply's audio or file into a folder. Raises handlers.errors.RagaBotError, OSError."""
        if reply.download is not None:
            source = await self._services.download(reply.download.file)
            target = folder / reply.download.filename
        elif reply.track is not None:
            source = await self._services.audio(reply.track.audio)
            target = folder / reply.track.filename
        else:
            raise ValueError("there is no audio in this reply")
        await asyncio.to_thread(folder.mkdir, parents=True, exist_ok=True)
        await asyncio.to_thread(shutil.copyfile, source, target)
        return target

"""What the bot has really sent, laid out as the two chat programs lay it out: the pictures of the README."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from tests.bot.platforms.web.browser import chromium
from tests.peers.discord.world import Message as DiscordMessage
from tests.peers.telegram.world import Message as TelegramMessage
from tests.peers.telegram.world import StoredFile

Json = dict[str, Any]

_FACE = "font: 15px/1.4 'Noto Sans', 'Noto Sans Devanagari', 'DejaVu Sans', sans-serif"
_DISCORD = f"""
body {{ margin: 0; padding: 18px 22px; background: #313338; color: #dbdee1; {_FACE} }}
.message {{ display: grid; grid-template-columns: 40px 1fr; gap: 0 14px; margin-bottom: 18px }}
.face {{ width: 40px; height: 40px; border-radius: 50%; background: #e07a1f; color: #fff; font-size: 22px;
         display: grid; place-items: center }}
.who b {{ color: #fff; font-weight: 500 }}
.who i {{ font: 500 10px/1 sans-serif; background: #5865f2; color: #fff; border-radius: 3px; padding: 2px 4px }}
.embed {{ background: #2b2d31; border-left: 4px solid; border-radius: 4px; padding: 10px 14px; margin-top: 4px;
          max-width: 500px }}
.embed h2 {{ margin: 0 0 6px; font-size: 16px; color: #fff }}
.fields {{ display: grid; grid-template-columns: repeat(3, 1fr); gap: 8px; font-size: 13.5px; margin-top: 8px }}
.fields div {{ grid-column: span 3 }} .fields .inline {{ grid-column: span 1 }}
.fields b {{ display: block; color: #fff }}
.foot {{ font-size: 12px; color: #b5bac1; margin-top: 8px }}
.file {{ background: #2b2d31; border: 1px solid #3f4147; border-radius: 8px; padding: 12px 14px; margin-top: 6px;
         max-width: 400px; color: #00a8fc }}
.file small {{ display: block; color: #949ba4 }}
.row {{ display: flex; flex-wrap: wrap; gap: 8px; margin-top: 8px }}
.row span {{ background: #4e5058; color: #fff; border-radius: 4px; padding: 5px 14px; font-size: 14px }}
.row .menu {{ background: #1e1f22; color: #b5bac1; min-width: 360px }}
"""
_TELEGRAM = f"""
body {{ margin: 0; padding: 16px 18px; background: linear-gradient(#d9e7c4, #9cc39a); color: #000; {_FACE} }}
.said, .message {{ border-radius: 12px; padding: 7px 11px; margin-bottom: 4px; max-width: 430px; width: fit-content;
                   white-space: pre-wrap }}
.said {{ background: #effdde; margin-left: auto }}
.message {{ background: #fff }}
.file {{ display: flex; gap: 10px; align-items: center; margin-bottom: 6px }}
.file em {{ width: 42px; height: 42px; border-radius: 50%; background: #3390ec; color: #fff; display: grid;
            place-items: center; font-style: normal }}
.file small {{ display: block; color: #707579 }}
.message img {{ display: block; width: 452px; margin: -7px -11px 7px; border-radius: 12px 12px 0 0 }}
.row {{ display: flex; gap: 4px; max-width: 452px; margin-bottom: 4px }}
.row span {{ flex: 1; text-align: center; background: #5a8f56cc; color: #fff; border-radius: 8px; padding: 6px 4px;
             font-size: 14px }}
"""


async def keep_picture(name: str, page: str) -> None:
    """A picture of a chat where PICTURES names a folder: ``make pictures`` makes those of the README so."""
    folder = os.environ.get("PICTURES")
    if not folder:
        return
    async with chromium() as browser:
        visit = await browser.new_page(viewport={"width": 600, "height": 200}, device_scale_factor=2)
        await visit.set_content(page)
        await visit.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def discord_page(messages: Iterable[DiscordMessage]) -> str:
    """A channel of Discord."""
    return f"<style>{_DISCORD}</style>" + "".join(map(_discord, messages))


def telegram_page(messages: Iterable[TelegramMessage], files: Mapping[str, StoredFile]) -> str:
    """A chat of Telegram. ``files``: what its server keeps, by name."""
    return f"<style>{_TELEGRAM}</style>" + "".join(_telegram(one, files) for one in messages)


def _discord(message: DiscordMessage) -> str:
    parts = [_markdown(message.content)] if message.content else []
    parts += map(_embed, message.embeds)
    if (audio := message.audio) is not None:
        size = f"{audio['size'] / 2**20:.2f} MB"
        parts.append(f'<div class="file">♪ {escape(audio["filename"])}<small>{size}</small></div>')
    for row in message.components:
        parts.append(f'<div class="row">{"".join(map(_component, row["components"]))}</div>')
    who = '<div class="who"><b>Raga Bot</b> <i>APP</i></div>'
    return f'<div class="message"><div class="face">♪</div><div>{who}{"".join(parts)}</div></div>'


def _embed(embed: Json) -> str:
    fields = "".join(map(_field, embed.get("fields", ())))
    foot = embed.get("footer", {}).get("text", "")
    color = f"#{embed.get('color', 0):06x}"
    return (
        f'<div class="embed" style="border-color: {color}"><h2>{_markdown(embed.get("title", ""))}</h2>'
        f"{_markdown(embed.get('description', ''))}"
        f'<div class="fields">{fields}</div><div class="foot">{escape(foot)}</div></div>'
    )


def _field(one: Json) -> str:
    width = "inline" if one.get("inline") else ""
    return f'<div class="{width}"><b>{_markdown(one["name"])}</b>{_markdown(one["value"])}</div>'


def _component(one: Json) -> str:
    if one["type"] == 3:
        return f'<span class="menu">{escape(one.get("placeholder", ""))}</span>'
    return f"<span>{escape(one['label'])}</span>"


def _markdown(text: str) -> str:
    text = re.sub(r"<@\d+>", "@Asha", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", escape(text))
    text = re.sub(r"(?<!\\)\*(.+?)(?<!\\)\*", r"<i>\1</i>", text)
    return re.sub(r"\\([^\w\s])", r"\1", text).replace("\n", "<br>")


def _telegram(message: TelegramMessage, files: Mapping[str, StoredFile]) -> str:
    if not message.sender["is_bot"]:
        return f'<div class="said">{escape(message.text)}</div>'
    file = ""
    if (photo := message.photo) is not None:
        data = base64.b64encode(files[photo[-1]["file_id"]].data).decode()
        file = f'<img src="data:image/png;base64,{data}">'
    if (audio := message.audio) is not None:
        minutes, seconds = divmod(int(audio["duration"]), 60)
        who = f"{escape(audio['performer'])} · {minutes}:{seconds:02d}"
        file = f'<div class="file"><em>▶</em><div>{escape(audio["title"])}<small>{who}</small></div></div>'
    keyboard = (message.content.get("reply_markup") or {}).get("inline_keyboard", [])
    rows = "".join(f'<div class="row">{_labels(row)}</div>' for row in keyboard)
    # Its text is HTML as Telegram takes it, which the peer has checked.
    return f'<div class="message">{file}{message.text}</div>{rows}'


def _labels(row: Iterable[Json]) -> str:
    return "".join(f"<span>{escape(one['text'])}</span>" for one in row)

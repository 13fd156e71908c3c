"""The methods of the Bot API that the bot may call, with their checks; any other fails the test."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from tests.peers.telegram.markup import MarkupError, plain, units
from tests.peers.telegram.media import Media, Upload
from tests.peers.telegram.world import BOT, Chat, Json, Message, Refusal

if TYPE_CHECKING:
    from tests.peers.telegram.peer import TelegramPeer

Params = Mapping[str, Any]


def _json(params: Params, name: str) -> Any:
    value = params.get(name)
    if isinstance(value, Upload):
        raise Refusal(400, f"Bad Request: can't parse {name} JSON object")
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        raise Refusal(400, f"Bad Request: can't parse {name} JSON object") from None


def _int(params: Params, name: str) -> int | None:
    value = params.get(name)
    try:
        return None if value is None else int(value)
    except (TypeError, ValueError):
        raise Refusal(400, f"Bad Request: {name} is no number") from None


def member(person: Json, status: str) -> Json:
    """A member of a chat, as the API writes it."""
    rights = (
        "can_be_edited can_manage_chat can_delete_messages can_manage_video_chats can_restrict_members "
        "can_promote_members can_change_info can_invite_users can_post_stories can_edit_stories can_delete_stories"
    )
    more: Json = {"is_anonymous": False} if status in ("creator", "administrator") else {}
    if status == "administrator":
        more |= dict.fromkeys(rights.split(), False)
    return {"user": person, "status": status, **more, **({"until_date": 0} if status == "kicked" else {})}


class Methods:
    """By name, in small letters: Telegram does not tell capitals apart."""

    def __init__(self, peer: TelegramPeer) -> None:
        self._peer = peer
        self._media = Media(peer)
        self.known: dict[str, tuple[Callable[[Params], Awaitable[Any]], frozenset[str]]] = {}
        post = "chat_id reply_markup reply_parameters message_thread_id parse_mode"
        for name, method, takes in (
            ("getMe", self._get_me, ""),
            ("getChat", self._get_chat, "chat_id"),
            ("getChatMember", self._get_member, "chat_id user_id"),
            ("getUpdates", self._get_updates, "offset limit timeout allowed_updates"),
            ("setWebhook", self._set_webhook, "url allowed_updates secret_token"),
            ("deleteWebhook", self._delete_webhook, "drop_pending_updates"),
            ("setMyCommands", self._set_commands, "commands scope language_code"),
            ("sendMessage", self._send_message, f"{post} text link_preview_options"),
            ("sendPhoto", self._send_photo, f"{post} photo caption"),
            (
                "sendAudio",
                self._send_audio,
                f"{post} audio caption title performer duration thumbnail disable_notification",
            ),
            ("sendVoice", self._send_file("voice"), f"{post} voice caption duration"),
            (
                "sendDocument",
                self._send_file("document"),
                f"{post} document caption disable_content_type_detection",
            ),
            (
                "editMessageText",
                self._edit_text,
                "chat_id message_id text parse_mode reply_markup link_preview_options",
            ),
            ("editMessageMedia", self._edit_media, "chat_id message_id media reply_markup"),
            ("deleteMessage", self._delete, "chat_id message_id"),
            ("answerCallbackQuery", self._answer_callback, "callback_query_id text show_alert url"),
            (
                "answerInlineQuery",
                self._answer_inline,
                "inline_query_id results cache_time is_personal next_offset",
            ),
        ):
            self.known[name.casefold()] = (method, frozenset(takes.split()))

    async def _get_me(self, _: Params) -> Json:
        return BOT

    async def _get_chat(self, params: Params) -> Json:
        return self._chat(params).json() | {"accent_color_id": 0, "max_reaction_count": 11}

    async def _get_member(self, params: Params) -> Json:
        chat, user = self._chat(params), _int(params, "user_id")
        person = next((one.person for one in self._peer.chats.values() if one.ident == user), None)
        if chat.person is not None or person is None:
            raise Refusal(400, "Bad Request: PARTICIPANT_ID_INVALID")
        status = "creator" if user == chat.owner else "administrator" if user in chat.admins else "member"
        return member(person, status)

    async def _get_updates(self, params: Params) -> list[object]:
        allowed = _json(params, "allowed_updates")
        return await self._peer.updates.fetch(
            _int(params, "offset"), _int(params, "limit") or 100, _int(params, "timeout") or 0, allowed
        )

    async def _set_webhook(self, params: Params) -> bool:
        url = str(params.get("url", ""))
        if not url.startswith("https://"):
            raise Refusal(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self._peer.updates.set_webhook(
            url, str(params.get("secret_token", "")), _json(params, "allowed_updates")
        )
        return True

    async def _delete_webhook(self, _: Params) -> bool:
        self._peer.updates.set_webhook("", "", None)
        return True

    async def _set_commands(self, params: Params) -> bool:
        commands = _json(params, "commands")
        scope = (_json(params, "scope") or {"type": "default"})["type"]
        if len(commands) > 100:
            raise Refusal(400, "Bad Request: too many commands")
        for one in commands:
            name, description = one["command"], one["description"]
            if not (
                1 <= len(name) <= 32 and name.isascii() and name.replace("_", "").isalnum() and name.islower()
            ):
                raise Refusal(400, "Bad Request: BOT_COMMAND_INVALID")
            if not 1 <= units(description) <= 256:
                raise Refusal(400, "Bad Request: BOT_COMMAND_DESCRIPTION_INVALID")
        self._peer.commands[(scope, str(params.get("language_code", "")))] = commands
        return True

    async def _send_message(self, params: Params) -> Json:
        content = {
            "text": self._text(params, "text", 4096, required=True),
            "reply_markup": self._markup(params),
        }
        return self._post(params, content).json()

    async def _send_photo(self, params: Params) -> Json:
        if not self._chat(params).photos:
            raise Refusal(400, "Bad Request: not enough rights to send photos to the chat")
        content = {
            "photo": self._media.photo(params.get("photo")),
            "caption": self._text(params, "caption", 1024),
            "reply_markup": self._markup(params),
        }
        return self._post(params, content).json()

    async def _send_audio(self, params: Params) -> Json:
        self._media.check_thumbnail(params, params)
        content = {
            "audio": self._media.audio(params.get("audio"), params),
            "caption": self._text(params, "caption", 1024),
            "reply_markup": self._markup(params),
        }
        return self._post(params, content).json()

    def _send_file(self, kind: str) -> Callable[[Params], Awaitable[Json]]:
        async def send(params: Params) -> Json:
            content = {
                kind: self._media.file(params.get(kind), kind, params),
                "caption": self._text(params, "caption", 1024),
                "reply_markup": self._markup(params),
            }
            return self._post(params, content).json()

        return send

    async def _edit_text(self, params: Params) -> Json:
        message = self._own(params)
        if "text" not in message.content:
            raise Refusal(400, "Bad Request: there is no text in the message to edit")
        return self._change(
            message,
            {"text": self._text(params, "text", 4096, required=True), "reply_markup": self._markup(params)},
        )

    async def _edit_media(self, params: Params) -> Json:
        message = self._own(params)
        media = _json(params, "media") or {}
        if media.get("type") != "audio":
            raise Refusal(400, "Bad Request: unsupported media type")
        self._media.check_thumbnail(media, params)
        given: Any = media.get("media", "")
        if str(given).startswith("attach://"):
            given = params.get(str(given).removeprefix("attach://"))
        content = {
            "audio": self._media.audio(given, media),
            "caption": self._text(media, "caption", 1024),
            "reply_markup": self._markup(params),
        }
        return self._change(message, content)

    async def _delete(self, params: Params) -> bool:
        chat = self._chat(params)
        message = chat.messages.get(_int(params, "message_id") or 0)
        if message is None:
            raise Refusal(400, "Bad Request: message to delete not found")
        if message.date < self._peer.clock.date() - 48 * 3600:
            raise Refusal(400, "Bad Request: message can't be deleted for everyone")
        del chat.messages[message.ident]
        chat.deleted.add(message.ident)
        return True

    async def _answer_callback(self, params: Params) -> bool:
        ident = str(params.get("callback_query_id"))
        if units(str(params.get("text", ""))) > 200:
            raise Refusal(400, "Bad Request: MESSAGE_TOO_LONG")
        url = params.get("url")
        if url is not None and not str(url).startswith(f"https://t.me/{BOT['username']}?start="):
            raise Refusal(400, "Bad Request: URL_INVALID")
        self._peer.people.pressed_answer(ident, dict(params))
        return True

    async def _answer_inline(self, params: Params) -> bool:
        results = _json(params, "results")
        if len(results) > 50:
            raise Refusal(400, "Bad Request: RESULTS_TOO_MUCH")
        idents = [one["id"] for one in results]
        if len(set(idents)) != len(idents) or any(not 1 <= len(one.encode()) <= 64 for one in idents):
            raise Refusal(400, "Bad Request: RESULT_ID_INVALID")
        for one in results:
            if one["type"] == "audio":
                if one["audio_file_id"] not in self._peer.files:
                    raise Refusal(400, "Bad Request: wrong file identifier/HTTP URL specified")
                self._text(one, "caption", 1024)
            elif one["type"] == "article":
                content = one["input_message_content"]
                self._text({"text": content["message_text"], **content}, "text", 4096, required=True)
                self._check_markup(one.get("reply_markup"))
            else:
                raise Refusal(400, "Bad Request: RESULT_TYPE_INVALID")
        self._peer.people.inline_answer(str(params.get("inline_query_id")), results, dict(params))
        return True

    def _chat(self, params: Params) -> Chat:
        chat = self._peer.chats.get(_int(params, "chat_id") or 0)
        if chat is None:
            raise Refusal(400, "Bad Request: chat not found")
        if chat.moved_to is not None:
            raise Refusal(
                400,
                "Bad Request: group chat was upgraded to a supergroup chat",
                migrate_to_chat_id=chat.moved_to,
            )
        if chat.closed:
            said = "bot was blocked by the user" if chat.person else "bot was kicked from the group chat"
            raise Refusal(403, f"Forbidden: {said}")
        return chat

    def _own(self, params: Params) -> Message:
        chat = self._chat(params)
        message = chat.messages.get(_int(params, "message_id") or 0)
        if message is None:
            raise Refusal(400, "Bad Request: message to edit not found")
        if not message.sender["is_bot"]:
            raise Refusal(400, "Bad Request: message can't be edited")
        return message

    def _post(self, params: Params, content: Json) -> Message:
        peer, chat = self._peer, self._chat(params)
        thread = _int(params, "message_thread_id")
        if thread is not None and thread not in chat.topics:
            raise Refusal(400, "Bad Request: message thread not found")
        reply = _json(params, "reply_parameters") or {}
        reply_to = reply.get("message_id")
        if reply_to is not None and reply_to not in chat.messages:
            if not reply.get("allow_sending_without_reply"):
                raise Refusal(400, "Bad Request: message to be replied not found")
            reply_to = None
        peer.flood.count(chat.ident)
        content = {name: value for name, value in content.items() if value}
        message = Message(chat.next_id(), chat, BOT, peer.clock.date(), content, thread, reply_to)
        message.history.append(message.text)
        return chat.add(message)

    def _change(self, message: Message, content: Json) -> Json:
        content = {name: value for name, value in content.items() if value}
        if content == message.content:
            raise Refusal(
                400,
                "Bad Request: message is not modified: specified new message content and reply markup are exactly "
                "the same as a current content and reply markup of the message",
            )
        self._peer.flood.count(message.chat.ident)
        message.content = content
        message.history.append(message.text)
        return message.json()

    def _text(self, params: Params, name: str, most: int, *, required: bool = False) -> str:
        text = str(params.get(name) or "")
        mode = params.get("parse_mode")
        if mode not in (None, "HTML"):
            raise Refusal(400, "Bad Request: unsupported parse_mode")
        try:
            said = plain(text) if mode == "HTML" else text.strip()
        except MarkupError as error:
            raise Refusal(400, f"Bad Request: {error}") from None
        if required and not said:
            raise Refusal(400, "Bad Request: message text is empty")
        if units(said) > most:
            what = "caption" if name == "caption" else "message"
            raise Refusal(400, f"Bad Request: {what} is too long")
        return text

    def _markup(self, params: Params) -> Any:
        markup = _json(params, "reply_markup")
        self._check_markup(markup)
        return markup

    def _check_markup(self, markup: Any) -> None:
        rows = (markup or {}).get("inline_keyboard", [])
        if sum(map(len, rows)) > 100 or any(not 1 <= len(row) <= 8 for row in rows):
            raise Refusal(400, "Bad Request: reply markup is too long")
        for one in (one for row in rows for one in row):
            if not one.get("text"):
                raise Refusal(400, "Bad Request: text buttons are unallowed in the inline keyboard")
            data = one.get("callback_data")
            if data is not None and not 1 <= len(data.encode()) <= 64:
                raise Refusal(400, "Bad Request: BUTTON_DATA_INVALID")
            if (data is None) == (one.get("url") is None):
                raise Refusal(400, "Bad Request: BUTTON_TYPE_INVALID")

"""Everything that can go wrong in a way that a person should hear of. A docstring is the default message."""

from __future__ import annotations


class RagaBotError(Exception):
    """That did not work. Please try again in a moment."""

    code = "error"

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())

    @property
    def message(self) -> str:
        """The sentence to show."""
        return str(self.args[0])


class InvalidInputError(RagaBotError):
    """I could not read that. /help shows what each command takes."""

    code = "invalid"


class NotAuthenticatedError(RagaBotError):
    """I do not know who you are. Please sign in again."""

    code = "not_authenticated"


class NotFoundError(RagaBotError):
    """That is not there, or it is not yours."""

    code = "not_found"


class ForbiddenError(NotFoundError):
    """That is not for you to do."""

    # For whatever only asks whether something can be had, it is the same as not being there.
    code = "forbidden"


class TooManyError(RagaBotError):
    """That is a lot at once. Please wait until one of your pieces is done."""

    code = "too_many"


class DeletingError(RagaBotError):
    """Everything of yours is being deleted right now, as you asked. In a minute you can begin anew."""

    code = "deleting"


class UnavailableError(RagaBotError):
    """My memory is out of reach right now. Nothing is lost; please try again in a minute."""

    code = "unavailable"

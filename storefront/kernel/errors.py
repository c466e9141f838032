"""Refusals: the one kind of exception a person may read. Anything else that is raised is a bug.

A refusal names what happened in one sentence of the reader's language. Domains subclass these beside the action
that refuses; a single handler in `http.py` shows them as a flash, an error page or problem+json.
"""

from __future__ import annotations

from flask_babel import lazy_gettext as _l


class Refusal(Exception):
    """Something a person asked for and may not have, with the sentence that says so.

    `message` is a (lazily translated) sentence, `status` the HTTP status that fits.
    """

    message: object = _l("No pudimos hacer lo que pediste.")
    status: int = 400

    def __init__(self, message: object | None = None) -> None:
        if message is not None:
            self.message = message
        super().__init__(type(self).__name__)

    def __str__(self) -> str:
        return str(self.message)

    @property
    def code(self) -> str:
        """The stable name of this refusal for machines."""
        return type(self).__name__


class Invalid(Refusal):
    """What was typed cannot be used as it stands."""

    message = _l("Revisa los datos: hay algo que no podemos usar.")
    status = 422


class NotFound(Refusal):
    """There is no such thing here; said alike for what is missing and for what is somebody else's."""

    message = _l("No encontramos lo que buscas.")
    status = 404


class Forbidden(Refusal):
    """The person is known but may not do this."""

    message = _l("Tu cuenta no tiene permiso para hacer esto.")
    status = 403


class Conflict(Refusal):
    """The state of things does not allow it any more."""

    message = _l("Esto ya no se puede hacer: algo cambió mientras tanto.")
    status = 409


class Busy(Conflict):
    """Somebody else holds the rows; nothing was changed and trying again is safe."""

    message = _l("Hay mucha gente a la vez. No cambió nada; inténtalo de nuevo en unos segundos.")


class TooMany(Refusal):
    """Too many tries in a short time."""

    message = _l("Demasiados intentos seguidos. Espera un momento y vuelve a probar.")
    status = 429

"""Forms that make something make it once, however often they are sent.

A key is made with the page. The same form sent twice (a second tap while the first is on its way, a page reloaded) gets
the first one's answer; a form that comes back with something else in it makes something else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import SEEK_END
from typing import IO

from flask import request
from wtforms import HiddenField

from storefront.kernel.audit import Actor
from storefront.kernel.forms import Form
from storefront.kernel.idempotency import once, request_hash
from storefront.kernel.ids import new_token

# The button says what to do with what is made, not what it is.
_NOT_CONTENT = frozenset({"csrf_token", "key", "do"})


class MakingForm(Form):
    """A form that makes something. Without a key in what was sent, each sending counts as its own."""

    key = HiddenField(default=new_token)


@dataclass(frozen=True, slots=True)
class Made:
    """What the form made, by its code, and whether this sending was the one that made it."""

    code: str
    is_new: bool


def mark_of(key: str | None, what: str) -> str:
    """The mark of the form that this request sent: the same for a second tap, another for any other form."""
    fields = {name: texts for name, texts in request.form.lists() if name not in _NOT_CONTENT}
    files = [(name, file.filename, _size(file.stream)) for name, file in request.files.items(multi=True)]
    return request_hash({"what": what, "key": key, "fields": fields, "files": files})


def made_once(mark: str, by: Actor, make: Callable[[], str]) -> Made:
    """Run `make`, which returns a code, unless it ran for this mark before. What it raises leaves nothing behind."""
    fresh: list[bool] = []

    def work() -> dict[str, str]:
        code = make()
        fresh.append(True)
        return {"made": code}

    answer = once(f"{by.kind}:{by.id}", mark, mark, work)
    return Made(str(answer["made"]), bool(fresh))


def _size(stream: IO[bytes]) -> int:
    size = stream.seek(0, SEEK_END)
    stream.seek(0)
    return size

"""OFX, which some banks offer instead of a table: the same rows, under the names that a table's head would have.

Old files are SGML, whose tags are not closed, new ones XML; both are read by their tags alone, nothing is expanded.
"""

from __future__ import annotations

import re

_MOVEMENT = re.compile(r"<STMTTRN>(.*?)(?=<STMTTRN>|</STMTTRN>|</BANKTRANLIST>|\Z)", re.DOTALL | re.IGNORECASE)
_SIGNS = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&nbsp;": " ", "&amp;": "&"}


def is_ofx(text: str) -> bool:
    """Whether it begins as OFX does."""
    return bool(re.match(r"\s*(OFXHEADER|<\?OFX|<OFX>|<\?xml[^>]*\?>\s*<(\?OFX|OFX>))", text[:2_000], re.IGNORECASE))


def as_table(text: str) -> list[list[str]]:
    """Its movements as rows, with a head; the currency is the account's."""
    rows = [["fecha", "importe", "moneda", "descripción", "detalle", "referencia"]]
    currency = _value(text, "CURDEF")
    for found in _MOVEMENT.finditer(text):
        one = found[1]
        names = [_value(one, name) for name in ("NAME", "MEMO", "REFNUM")]
        rows.append([_value(one, "DTPOSTED")[:8], _value(one, "TRNAMT"), currency, *names])
    return rows


def _value(text: str, tag: str) -> str:
    found = re.search(rf"<{tag}>([^<\r\n]*)", text, re.IGNORECASE)
    value = found[1].strip() if found else ""
    for sign, plain in _SIGNS.items():
        value = value.replace(sign, plain)
    return value

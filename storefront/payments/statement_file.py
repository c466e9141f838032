"""A bank's statement as a table of text, whatever the bank: which rows are money that came in. Pure.

Banks agree on nothing: semicolons or tabs, Latin-1, a letterhead above the table, 1.234,56 or 1,234.56, one column with
signs or two columns for in and out. What can be read is read; a row that cannot says why, and stops no other.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from itertools import islice

from flask_babel import lazy_gettext as _l

from storefront.kernel.errors import Invalid
from storefront.kernel.money import BadAmount, exponent, parse_money

LARGEST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 5_000
LONGEST_TEXT = 300
LETTERHEAD_ROWS = 30

_DATES = ("fecha", "data", "date", "dia")
_IN = ("abono", "abonos", "deposito", "depositos", "credito", "creditos", "haber", "ingreso", "ingresos", "entrada",
       "entradas", "credit", "paid in", "recibido")  # fmt: skip
_SIGNED = ("importe", "monto", "valor", "amount", "movimiento", "quantia")
_TEXTS = ("descripcion", "concepto", "detalle", "referencia", "glosa", "historico", "descricao", "description",
          "lancamento", "nombre", "ordenante", "remitente", "memo", "observacion", "observaciones", "title",
          "beneficiario", "documento", "leyenda")  # fmt: skip
_MONTHS = {name: number for number, names in enumerate(
    (("ene", "jan"), ("feb", "fev"), ("mar",), ("abr", "apr"), ("may", "mai"), ("jun",), ("jul",), ("ago", "aug"),
     ("sep", "set"), ("oct", "out"), ("nov",), ("dic", "dez", "dec")), start=1) for name in names}  # fmt: skip


class NotAStatement(Invalid):
    """No table with dates and amounts was found."""

    message = _l("No encontramos fechas e importes en ese archivo. Descarga tus movimientos como CSV y súbelos.")


class HugeStatement(Invalid):
    """More than anybody looks through at once."""

    message = _l("El archivo es muy grande. Descarga menos días, por ejemplo el último mes.")


@dataclass(frozen=True, slots=True)
class MoneyIn:
    """One row of money that came in. `fingerprint` is the same for the same row of the same account, in every file."""

    row: int
    on: date
    amount_minor: int
    text: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A row that could not be read, by its number in the file, and why: "date" or "amount"."""

    row: int
    why: str


@dataclass(slots=True)
class Statement:
    """What was found in a file; `skipped` counts rows of money that went out."""

    money_in: list[MoneyIn] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class _Columns:
    on: int
    amount: int
    texts: tuple[int, ...]


def read_statement(content: bytes, currency: str) -> Statement:
    """The money that came in. Raises NotAStatement or HugeStatement; a wrong row is in `unread`."""
    if len(content) > LARGEST_BYTES:
        raise HugeStatement
    rows = _table(content)
    top, columns = _find_columns(rows)
    found, seen = Statement(), Counter[str]()
    for number, row in enumerate(rows[top + 1 :], start=top + 2):
        if not any(cell.strip() for cell in row):
            continue
        _read_row(number, row, columns, currency, found, seen)
        if len(found.money_in) + len(found.unread) > MOST_ROWS:
            raise HugeStatement
    if not (found.money_in or found.unread or found.skipped):
        raise NotAStatement
    return found


def _table(content: bytes) -> list[list[str]]:
    if b"\x00" in content[:4_096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotAStatement
    text = _decoded(content)
    sample = text[:20_000]
    delimiter = max(";\t,|", key=lambda sign: (_regularity(sample, sign), sample.count(sign)))
    try:
        return list(islice(csv.reader(io.StringIO(text), delimiter=delimiter), 4 * MOST_ROWS))
    except csv.Error as error:
        raise NotAStatement from error


def _decoded(content: bytes) -> str:
    for encoding in ("utf-16",) if content.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "cp1252"):
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    return content.decode("latin-1")


def _regularity(sample: str, sign: str) -> int:
    """How many lines have the commonest number of this sign, if that is one at least."""
    counts = Counter(line.count(sign) for line in sample.splitlines() if line.strip())
    counts.pop(0, None)
    return max(counts.values(), default=0)


def _plain(text: str) -> str:
    bare = unicodedata.normalize("NFKD", text.lower()).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9 ]+", " ", bare).strip()


def _find_columns(rows: Sequence[Sequence[str]]) -> tuple[int, _Columns]:
    for number, row in enumerate(rows[:LETTERHEAD_ROWS]):
        names = [_plain(cell) for cell in row]
        on, amount = _named(names, _DATES), _named(names, _IN)
        if amount is None:
            amount = _named(names, _SIGNED)
        if on is not None and amount is not None and on != amount:
            texts = tuple(i for i, name in enumerate(names) if i not in {on, amount} and _speaks_of(name, _TEXTS))
            return number, _Columns(on, amount, texts)
    raise NotAStatement


def _named(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((i for i, name in enumerate(names) if _speaks_of(name, wanted)), None)


def _speaks_of(name: str, wanted: Sequence[str]) -> bool:
    return any(re.search(rf"\b{word}\b", name) for word in wanted)


def _read_row(
    number: int, row: Sequence[str], columns: _Columns, currency: str, found: Statement, seen: Counter[str]
) -> None:
    if len(row) <= max(columns.on, columns.amount):
        return
    typed = row[columns.amount].strip()
    if not re.search(r"\d", typed):
        found.skipped += bool(re.search(r"\d", row[columns.on]))
        return
    on = read_date(row[columns.on])
    if on is None:
        found.unread.append(Unread(number, "date"))
        return
    try:
        minor = _amount(typed, currency)
    except BadAmount:
        found.unread.append(Unread(number, "amount"))
        return
    if minor <= 0:
        found.skipped += 1
        return
    text = " · ".join(dict.fromkeys(cell.strip() for i in columns.texts if i < len(row) and (cell := row[i]).strip()))
    text = re.sub(r"\s+", " ", text)[:LONGEST_TEXT]
    # Two payments of one day may look the same: each is told from the other by its turn.
    what = f"{on}|{minor}|{text}"
    seen[what] += 1
    mark = hashlib.sha256(f"{what}|{seen[what]}".encode()).hexdigest()
    found.money_in.append(MoneyIn(number, on, minor, text, mark))


def _amount(typed: str, currency: str) -> int:
    """Minor units; money that went out is negative, by a minus before or after, or by brackets."""
    bare = typed.replace("\u2212", "-")
    outward = bare.startswith("(") or "-" in bare
    figure = re.sub(r"[()+\-]", "", bare)
    if exponent(currency) == 0:
        figure = re.sub(r"[.,]00(?=\D*$)", "", figure)  # some banks write centavos that the currency does not have
    minor = parse_money(figure, currency).minor
    return -minor if outward else minor


def read_date(typed: str) -> date | None:
    """A date as banks write it: 2026-11-23, 23/11/2026, 23-11-26, 23 nov 2026. The day comes before the month."""
    text = _plain(typed)
    if found := re.match(r"(\d{4}) (\d{1,2}) (\d{1,2})\b", text):
        year, month, day = map(int, found.groups())
    elif found := re.match(r"(\d{1,2}) (\d{1,2}) (\d{4}|\d{2})\b", text):
        day, month, year = map(int, found.groups())
    elif found := re.match(r"(\d{1,2}) (?:de )?([a-z]{3})[a-z]* (?:de )?(\d{4}|\d{2})\b", text):
        day, month, year = int(found[1]), _MONTHS.get(found[2], 0), int(found[3])
    elif found := re.match(r"(\d{4})(\d{2})(\d{2})$", text):
        year, month, day = map(int, found.groups())
    else:
        return None
    try:
        return date(year + 2000 if year < 100 else year, month, day)
    except ValueError:
        return None

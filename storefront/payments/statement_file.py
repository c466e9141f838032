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
from storefront.kernel.money import EXPONENTS, BadAmount, exponent, parse_money
from storefront.payments import ofx

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
          "beneficiario", "documento", "leyenda", "transaction type", "reference")  # fmt: skip
_WAYS = ("tipo", "tipo de movimiento", "d c", "debito credito", "cargo abono", "signo", "natureza", "naturaleza")
_OUTWARD = ("d", "db", "debito", "cargo", "debe", "retiro", "egreso", "salida", "saida")
_CURRENCIES = ("moneda", "divisa", "moeda", "currency")
_TOTALS = ("total", "totales", "saldo", "subtotal", "totais")
_SIGNS = {"US$": "USD", "U$S": "USD", "R$": "BRL", "S/": "PEN", "Bs": "BOB"}
_MONTHS = {name: number for number, names in enumerate(
    (("ene", "jan"), ("feb", "fev"), ("mar",), ("abr", "apr"), ("may", "mai"), ("jun",), ("jul",), ("ago", "aug"),
     ("sep", "set"), ("oct", "out"), ("nov",), ("dic", "dez", "dec")), start=1) for name in names}  # fmt: skip


class NotAStatement(Invalid):
    """No table with dates and amounts was found."""

    message = _l("No encontramos fechas e importes en ese archivo. Descarga tus movimientos como CSV y súbelos.")


class AWebPage(NotAStatement):
    """What a browser saves, whatever it is called; often the bank's own page after the session ended."""

    message = _l(
        "Ese archivo es una página web, no tus movimientos. Entra otra vez a tu banco y elige «Descargar en CSV»."
    )


class ASpreadsheet(NotAStatement):
    """An Excel workbook."""

    message = _l(
        "Ese archivo es de Excel. Ábrelo, elige «Guardar como» y el tipo «CSV (delimitado por comas)», y sube ese otro."
    )


class APrintedPage(NotAStatement):
    """A PDF or a picture."""

    message = _l("De un PDF o una foto no podemos leer movimientos. Descárgalos de tu banco como CSV.")


class OtherCurrency(NotAStatement):
    """The account's currency is not the shop's."""

    message = _l("Esa cuenta es de otra moneda. Sube los movimientos de la cuenta en que cobras.")


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
    """A row that could not be read, by its number in the file, and why: "date", "amount" or "currency"."""

    row: int
    why: str


@dataclass(slots=True)
class Statement:
    """What was found in a file; `skipped` counts rows of money that went out, and `beside` those that are no movement:
    totals, balances, notes. With the others they are all the rows below the table's head."""

    money_in: list[MoneyIn] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    skipped: int = 0
    beside: int = 0


@dataclass(frozen=True, slots=True)
class _Columns:
    on: int
    amount: int
    texts: tuple[int, ...]
    way: int | None = None
    currency: int | None = None


def read_statement(content: bytes, currency: str) -> Statement:
    """The money that came in. Raises NotAStatement or HugeStatement; a wrong row is in `unread`."""
    _refuse_other_kinds(content)
    if len(content) > LARGEST_BYTES:
        raise HugeStatement
    text = _decoded(content)
    rows = ofx.as_table(text) if ofx.is_ofx(text) else _table(text)
    top, columns = _find_columns(rows, currency)
    found, seen = Statement(), Counter[str]()
    for number, row in enumerate(rows[top + 1 :], start=top + 2):
        if not any(cell.strip() for cell in row):
            continue
        _read_row(number, row, columns, currency, found, seen)
        if len(found.money_in) + len(found.unread) + found.skipped > MOST_ROWS:
            raise HugeStatement
    if not (found.money_in or found.unread or found.skipped):
        raise NotAStatement
    return found


def _refuse_other_kinds(content: bytes) -> None:
    """Files that are no text, or a page: told by what they begin with, not by their name."""
    begin = content[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if begin.startswith((b"pk\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ASpreadsheet
    if begin.startswith((b"%pdf", b"\x89png", b"\xff\xd8\xff", b"gif8")) or begin[4:8] == b"ftyp":
        raise APrintedPage
    if re.match(rb"<(!doctype html|html|head|body|table|meta|script)\b", begin):
        raise AWebPage
    if b"\x00" in content[:4_096] and not content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise NotAStatement


def _table(text: str) -> list[list[str]]:
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


def _find_columns(rows: Sequence[Sequence[str]], currency: str) -> tuple[int, _Columns]:
    for number, row in enumerate(rows[:LETTERHEAD_ROWS]):
        names = [_plain(cell) for cell in row]
        on, amount = _named(names, _DATES), _amount_column(names, rows[number + 1 :])
        if on is None or amount is None:
            continue
        if _currency_in(row[amount]) not in {None, currency}:
            raise OtherCurrency
        rest = [i for i in range(len(names)) if i not in {on, amount}]
        texts = tuple(i for i in rest if _speaks_of(names[i], _TEXTS))
        way = next((i for i in rest if names[i] in _WAYS), None)
        return number, _Columns(on, amount, texts, way, next((i for i in rest if names[i] in _CURRENCIES), None))
    raise NotAStatement


def _named(names: Sequence[str], wanted: Sequence[str]) -> int | None:
    return next((i for i, name in enumerate(names) if _speaks_of(name, wanted)), None)


def _amount_column(names: Sequence[str], below: Sequence[Sequence[str]]) -> int | None:
    """The column of money that came in, else one with signs: never a day ("Fecha valor"), a balance or a word."""
    for wanted in (_IN, _SIGNED):
        for i, name in enumerate(names):
            if not _speaks_of(name, wanted) or _speaks_of(name, (*_DATES, "saldo", "balance", "tipo")):
                continue
            if any(len(row) > i and re.search(r"\d", row[i]) and not read_date(row[i]) for row in below[:200]):
                return i
    return None


def _currency_in(text: str) -> str | None:
    """The currency that is named beside an amount, if one is."""
    if sign := re.search(r"(US\$|U\$S|R\$|S/|(?<![A-Za-z])Bs)", text):
        return _SIGNS[sign[1]]
    code = re.search(r"(?<![A-Za-z])([A-Z]{3})(?![A-Za-z])", text)
    return code[1] if code and code[1] in EXPONENTS else None


def _speaks_of(name: str, wanted: Sequence[str]) -> bool:
    return any(re.search(rf"\b{word}\b", name) for word in wanted)


def _read_row(
    number: int, row: Sequence[str], columns: _Columns, currency: str, found: Statement, seen: Counter[str]
) -> None:
    typed = row[columns.amount].strip() if len(row) > columns.amount else ""
    day = row[columns.on].strip() if len(row) > columns.on else ""
    if not re.search(r"\d", typed) or not day or _speaks_of(_plain(day), _TOTALS):
        is_movement = len(row) > columns.amount and read_date(day) is not None
        found.skipped, found.beside = found.skipped + is_movement, found.beside + (not is_movement)
        return
    on, minor = read_date(day), _minor_of(typed, row, columns, currency)
    if on is None or not isinstance(minor, int):
        found.unread.append(Unread(number, "date" if on is None else str(minor)))
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


def _minor_of(typed: str, row: Sequence[str], columns: _Columns, currency: str) -> int | str:
    """Minor units, negative for money that went out, or why they cannot be read."""
    named = row[columns.currency].strip() if columns.currency is not None and columns.currency < len(row) else ""
    if {_currency_in(typed), _currency_in(named.upper())} - {None, currency}:
        return "currency"
    try:
        minor = _amount(typed, currency)
    except BadAmount:
        return "amount"
    way = _plain(row[columns.way]) if columns.way is not None and columns.way < len(row) else ""
    return -abs(minor) if way in _OUTWARD else minor


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

"""Statements as banks of the region write them; the layout is theirs, the people, accounts and amounts are invented.

Each is (file, currency, what came in, rows of money out, rows beside, rows that cannot be read).
"""

# ruff: noqa: E501 (rows of a file keep their own lines)

from __future__ import annotations

from datetime import date
from typing import NamedTuple


class Dialect(NamedTuple):
    """One bank's file and what is in it."""

    content: bytes
    currency: str
    money_in: list[tuple[date, int, str]]
    out: int
    beside: int = 0
    unread: list[tuple[int, str]] = []


def day(number: int, month: int = 11) -> date:
    """A day of 2026."""
    return date(2026, month, number)


BBVA_MX = Dialect(
    'Día\tConcepto / Referencia\tcargo\tAbono\tSaldo\n20-11-2026\t"SPEI RECIBIDOBANORTE/0093210\n A7K2XX DORA JUAREZ"\t\t'
    "1,250.00\t9,999.00\n20-11-2026\tCOMISION\t35.00\t\t9,964.00\n".encode("latin-1"),
    "MXN", [(day(20), 125_000, "SPEI RECIBIDOBANORTE/0093210 A7K2XX DORA JUAREZ")], 1,
)  # fmt: skip
BANORTE = Dialect(
    "Cuenta,Fecha De Operación,Fecha,Referencia,Descripción,Cod. Transac,Sucursal,Depósitos,Retiros,Saldo,Movimiento,"
    "Descripción Detallada\n'0123456789,20/11/2026,20/11/2026,0000123,SPEI RECIBIDO,200,8846,\"$1,250.00\",-,\"$9,999.00\",1,"
    "DE DORA JUAREZ A7K2XX\n'0123456789,21/11/2026,21/11/2026,0000124,PAGO LUZ,300,8846,-,$450.00,\"$9,549.00\",2,CFE\n"
    "Total,,,,,,,\"$1,250.00\",$450.00,,,\n".encode(),
    "MXN", [(day(20), 125_000, "0000123 · SPEI RECIBIDO · DE DORA JUAREZ A7K2XX")], 1, 1,
)  # fmt: skip
SANTANDER = Dialect(
    "Cuenta;Fecha valor;Fecha;Concepto;Importe;Saldo\r\n65-1;20/11/2026;20/11/2026;ABONO TRANSFERENCIA SPEI DORA;+1.250,00;"
    "9.999,00\r\n65-1;21/11/2026;21/11/2026;COMPRA;-350,90;9.648,10\r\nSaldo final;;;;9.648,10;\r\n".encode("cp1252"),
    "MXN", [(day(20), 125_000, "ABONO TRANSFERENCIA SPEI DORA")], 1, 1,
)  # fmt: skip
BANCOLOMBIA = Dialect(
    "FECHA,DESCRIPCIÓN,SUCURSAL,DCTO.,VALOR,SALDO\n2026/11/20,TRANSF QR DORA JUAREZ,,,\"125,000.00\",\"999,000.00\"\n"
    "2026/11/20,CUOTA MANEJO,,,\"-14,900.00\",\"984,100.00\"\n".encode("latin-1"),
    "COP", [(day(20), 12_500_000, "TRANSF QR DORA JUAREZ")], 1,
)  # fmt: skip
BCP = Dialect(
    "Cuenta:;191-0000000-0-00\nMoneda:;Soles\n\nFecha;Fecha valuta;Descripción operación;Monto;Saldo;Sucursal - agencia;"
    "Operación - Número;Operación - Hora;Usuario\n20/11/2026;;YAPE DORA JUAREZ;125.50;999.00;111-008;00012345;10:33:01;U1\n"
    "21/11/2026;;PAGO SERVICIO;-80.00;919.00;111-008;00012346;11:00:00;U1\n".encode("utf-8-sig"),
    "PEN", [(day(20), 12_550, "YAPE DORA JUAREZ")], 1,
)  # fmt: skip
BANCO_DE_CHILE = Dialect(
    "Cartola histórica;;;;;\nSr(a).:;Ana Pérez;;;;\n;;;;;\nFecha;Descripción;Canal o Sucursal;Cargos (CLP);Abonos (CLP);"
    "Saldo (CLP)\n20/11/2026;TRASPASO DE: DORA JUAREZ;INTERNET;;12.500;999.000\n21/11/2026;PAGO: AGUAS;INTERNET;9.990;;"
    "989.010\nTotales;;;9.990;12.500;\n".encode("cp1252"),
    "CLP", [(day(20), 12_500, "TRASPASO DE: DORA JUAREZ")], 1, 1,
)  # fmt: skip
ITAU_BR = Dialect(
    "data;lançamento;ag./origem;valor (R$);saldos (R$)\n20/11/2026;PIX TRANSF DORA20/11;;1.250,00;\n"
    "20/11/2026;SALDO DO DIA;;;9.999,00\n21/11/2026;TAR PACOTE;;-9,90;\n".encode("latin-1"),
    "BRL", [(day(20), 125_000, "PIX TRANSF DORA20/11")], 2,
)  # fmt: skip
NUBANK = Dialect(
    b"Data,Valor,Identificador,Descri\xc3\xa7\xc3\xa3o\n20/11/2026,125.50,6560-aa,Transfer\xc3\xaancia recebida pelo Pix - "
    b"DORA\n21/11/2026,-80.00,6560-ab,Compra no d\xc3\xa9bito\n",
    "BRL", [(day(20), 12_550, "Transferência recebida pelo Pix - DORA")], 1,
)  # fmt: skip
MERCADO_PAGO = Dialect(
    b"INITIAL_BALANCE;CREDITS;DEBITS;FINAL_BALANCE\n100,00;1.250,00;-80,00;1.270,00\n\nRELEASE_DATE;TRANSACTION_TYPE;"
    b"REFERENCE_ID;TRANSACTION_NET_AMOUNT;PARTIAL_BALANCE\n20-11-2026;Transferencia recibida Dora;9001;1.250,00;1.350,00\n"
    b"21-11-2026;Pago;9002;-80,00;1.270,00\n",
    "ARS", [(day(20), 125_000, "Transferencia recibida Dora · 9001")], 1,
)  # fmt: skip
WITH_A_WAY = Dialect(
    b"Fecha;Glosa;Tipo;Monto;Moneda\n20-nov-26;DEPOSITO DORA;C;1.250,00;BOB\n21-nov-26;RETIRO ATM;D;200,00;BOB\n"
    b"22-nov-26;ABONO EXTERIOR;C;50,00;USD\n23-nov-26;DEPOSITO EVA;C;US$ 70,00;BOB\n24-nov-26;DEPOSITO ANA;C;Bs 70,50;BOB\n",
    "BOB", [(day(20), 125_000, "DEPOSITO DORA"), (day(24), 7_050, "DEPOSITO ANA")], 1, 0,
    [(4, "currency"), (5, "currency")],
)  # fmt: skip
IN_PORTUGUESE = Dialect(
    "Data\tHistórico\tValor\n5 de dez de 2026\tPix recebido Dora\tR$ 1.250,00\n06/DEZ/26\tTarifa\t(R$ 9,90)\n".encode("utf-16"),
    "BRL", [(day(5, 12), 125_000, "Pix recebido Dora")], 1,
)  # fmt: skip
OFX_SGML = Dialect(
    b"OFXHEADER:100\nDATA:OFXSGML\nCHARSET:1252\n\n<OFX><BANKMSGSRSV1><STMTTRNRS><STMTRS><CURDEF>BRL\n<BANKTRANLIST>\n"
    b"<STMTTRN>\n<TRNTYPE>CREDIT\n<DTPOSTED>20261120100000[-3:BRT]\n<TRNAMT>1250.00\n<FITID>1\n<MEMO>PIX DORA &amp; FILHOS\n"
    b"</STMTTRN>\n<STMTTRN>\n<TRNTYPE>DEBIT\n<DTPOSTED>20261121\n<TRNAMT>-9.90\n<FITID>2\n<MEMO>TARIFA\n</STMTTRN>\n"
    b"</BANKTRANLIST></STMTRS></STMTTRNRS></BANKMSGSRSV1></OFX>",
    "BRL", [(day(20), 125_000, "PIX DORA & FILHOS")], 1,
)  # fmt: skip
OFX_XML = Dialect(
    b'<?xml version="1.0" encoding="UTF-8"?>\n<?OFX OFXHEADER="200"?>\n<OFX><CURDEF>MXN</CURDEF><BANKTRANLIST><STMTTRN>'
    b"<DTPOSTED>20261120</DTPOSTED><TRNAMT>1250.00</TRNAMT><NAME>DORA</NAME></STMTTRN></BANKTRANLIST></OFX>",
    "MXN", [(day(20), 125_000, "DORA")], 0,
)  # fmt: skip

DIALECTS = {name: value for name, value in globals().items() if isinstance(value, Dialect)}

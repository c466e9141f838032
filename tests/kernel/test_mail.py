"""Mail: written once with what caused it, sent once, with nothing smuggled into its head."""

from __future__ import annotations

import contextlib
import smtplib
import socket
from collections.abc import Iterator
from datetime import timedelta
from email.message import EmailMessage
from typing import Any

import pytest
import time_machine
from aiosmtpd.controller import Controller
from flask import Flask
from sqlalchemy import select, update

from storefront.kernel import clock, outbox
from storefront.kernel.db import db, transaction
from storefront.kernel.mail import (
    MAX_ATTEMPTS,
    BadAddress,
    MailMessage,
    MailQueued,
    MailState,
    NotSent,
    PlatformMail,
    deliver,
    deliver_platform,
    forget_sent,
    init_mail,
    send,
    smtp_transport,
)
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.tenancy import Shop, acting_for
from tests.kernel.edge import edge_app_on

LETTERS = {
    "email/hola/subject.txt": "{% trans %}Hola{% endtrans %}, {{ name }}\n",
    "email/hola/body.txt": "{{ home_url }}/pedido {{ name }} {{ mail_locale }}\n",
    "email/hola/body.html": "<html><head><style>p { color: #123456 }</style></head>"
    "<body><p>{{ name }}</p></body></html>",
}


@pytest.fixture
def edge(app: Flask, bakery: Shop) -> Iterator[Flask]:
    small = edge_app_on(app, MAIL_FROM="Portales <hola@portales.test>")
    small.jinja_loader.mapping.update(LETTERS)  # type: ignore[union-attr]
    small.jinja_env.add_extension("jinja2.ext.i18n")
    init_mail(small)
    known = dict(outbox._subscribers)
    outbox.subscribe({MailQueued: ["mail.deliver"]})
    with small.app_context():
        yield small
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()
    outbox._subscribers.update(known)


class Server:
    """Stands for the mail server: keeps what it is given, or refuses as told."""

    def __init__(self, app: Flask, *failures: Exception) -> None:
        self.taken: list[EmailMessage] = []
        self.failures = list(failures)
        app.extensions["portales.mail"] = self

    def __call__(self, message: EmailMessage) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(message)


def write(**changes: Any) -> None:
    send("hola", **{"to": "dora@example.com", "once": "order-confirmed:7", "name": "Dora", **changes})


def letters() -> list[MailMessage]:
    return list(
        db.session.scalars(select(MailMessage).order_by(MailMessage.id).execution_options(populate_existing=True))
    )


def test_a_letter_is_written_once_for_its_occasion(edge: Flask, bakery: Shop) -> None:
    with acting_for(bakery):
        write()
        write(name="Otra")
        write(once="order-confirmed:8")

        assert [letter.once for letter in letters()] == ["order-confirmed:7", "order-confirmed:8"]
        assert letters()[0].subject == "Hola, Dora"
        assert letters()[0].body_text == f"{bakery.base_url}/pedido Dora es_MX\n"
        assert 'style="color: #123456' in letters()[0].body_html
        assert len(db.session.scalars(select(OutboxRow.id)).all()) == 2


def test_the_same_occasion_at_another_shop_is_another_letter(edge: Flask, bakery: Shop, crafts: Shop) -> None:
    for shop in (bakery, crafts):
        with acting_for(shop):
            write()
            assert len(letters()) == 1


def test_a_letter_whose_cause_was_undone_was_never_written(edge: Flask, bakery: Shop) -> None:
    with acting_for(bakery):
        with contextlib.suppress(ZeroDivisionError), transaction():
            write()
            _ = 1 / 0
        assert letters() == []
        assert db.session.scalars(select(OutboxRow.id)).all() == []


@pytest.mark.parametrize(
    "address",
    [
        "", "dora", "dora@example.com\nBcc: todos@example.com", "dora@example.com, beto@example.com", "a b@example.com",
        "Dora <dora@example.com>", "dora@example.com\r", "x" * 300 + "@example.com", "dora@exa\x00mple.com",
    ],
)  # fmt: skip
def test_only_one_plain_address_is_written_to(edge: Flask, bakery: Shop, address: str) -> None:
    with acting_for(bakery):
        with pytest.raises(BadAddress):
            write(to=address)
        assert letters() == []


def test_nothing_typed_becomes_a_header(edge: Flask, bakery: Shop) -> None:
    server = Server(edge)
    with acting_for(bakery):
        write(name="Dora\r\nBcc: todos@example.com\r\n\r\n<b>x</b>")
        deliver(mail_id=letters()[0].id)

    [message] = server.taken
    assert message["Bcc"] is None
    assert message["Subject"] == "Hola, Dora Bcc: todos@example.com <b>x</b>"
    expected = "From To Subject Date Message-ID Auto-Submitted Content-Language Reply-To MIME-Version Content-Type"
    assert sorted(message.keys()) == sorted(expected.split())


def test_what_is_typed_is_text_in_the_letters_html(edge: Flask, bakery: Shop) -> None:
    with acting_for(bakery):
        write(name="<script>alert(1)</script>")
        assert "<script>" not in letters()[0].body_html


def test_a_letter_is_sent_once_however_often_its_job_runs(edge: Flask, bakery: Shop) -> None:
    server = Server(edge)
    with acting_for(bakery):
        write()
        for _ in range(3):
            deliver(mail_id=letters()[0].id)
        assert letters()[0].state is MailState.SENT

    [message] = server.taken
    assert message["From"] == "Panadería La Espiga <hola@portales.test>"
    assert message["To"] == "dora@example.com"
    assert message["Reply-To"].startswith("Panadería La Espiga <")


def test_a_letter_being_sent_is_left_alone_until_its_sender_is_surely_dead(edge: Flask, bakery: Shop) -> None:
    server = Server(edge)
    start = clock.now()
    with time_machine.travel(start, tick=False) as clock_hand, acting_for(bakery):
        write()
        [letter] = letters()
        with transaction():  # what a process that died in the middle leaves behind
            db.session.execute(
                update(MailMessage).values(
                    state=MailState.SENDING, attempts=1, sending_until=start + timedelta(minutes=2)
                )
            )
        with pytest.raises(NotSent):  # so that the job comes back: whoever had the letter may be gone
            deliver(mail_id=letter.id)
        assert server.taken == []

        clock_hand.move_to(start + timedelta(minutes=3))
        deliver(mail_id=letter.id)
        deliver(mail_id=letter.id)
    assert len(server.taken) == 1


def test_a_repeat_carries_the_same_message_id_and_another_letter_another(edge: Flask, bakery: Shop) -> None:
    server = Server(edge)
    with acting_for(bakery):
        write()
        write(once="order-confirmed:8")
        first, second = letters()
        deliver(mail_id=first.id)
        with transaction():
            db.session.execute(update(MailMessage).where(MailMessage.id == first.id).values(state=MailState.QUEUED))
        deliver(mail_id=first.id)
        deliver(mail_id=second.id)

    ids = [message["Message-ID"] for message in server.taken]
    assert ids[0] == ids[1] != ids[2]


def test_a_server_that_is_away_is_asked_again_and_not_for_ever(edge: Flask, bakery: Shop) -> None:
    server = Server(edge, *[ConnectionRefusedError("away")] * (MAX_ATTEMPTS + 5))
    with acting_for(bakery):
        write()
        for _ in range(MAX_ATTEMPTS - 1):
            with pytest.raises(NotSent):
                deliver(mail_id=letters()[0].id)
            assert letters()[0].state is MailState.QUEUED
        deliver(mail_id=letters()[0].id)
        assert letters()[0].state is MailState.FAILED
        deliver(mail_id=letters()[0].id)
    assert len(server.failures) == 5


def test_a_recipient_refused_for_good_is_not_tried_again(edge: Flask, bakery: Shop) -> None:
    Server(edge, smtplib.SMTPRecipientsRefused({"dora@example.com": (550, b"no such dora@example.com")}))
    with acting_for(bakery):
        write()
        deliver(mail_id=letters()[0].id)
        [letter] = letters()
    assert letter.state is MailState.FAILED
    assert "dora" not in (letter.last_error or "")


def test_another_shop_cannot_send_it(edge: Flask, bakery: Shop, crafts: Shop) -> None:
    server = Server(edge)
    with acting_for(bakery):
        write()
        mail_id = letters()[0].id
    with acting_for(crafts):
        deliver(mail_id=mail_id)
    assert server.taken == []


def test_the_platforms_letters_go_out_by_themselves_and_one_bad_one_holds_up_no_other(edge: Flask) -> None:
    server = Server(edge, ConnectionResetError("cut"))
    for number in (1, 2):
        write(once=f"welcome:{number}", to=f"dora{number}@example.com")
    write(once="welcome:1")

    deliver_platform.run()
    assert [message["To"] for message in server.taken] == ["dora2@example.com"]
    deliver_platform.run()
    deliver_platform.run()

    assert [message["To"] for message in server.taken] == ["dora2@example.com", "dora1@example.com"]
    assert server.taken[0]["From"] == "Portales <hola@portales.test>"
    assert db.session.scalar(select(PlatformMail.body_text).limit(1)) == "https://portales.test/pedido Dora es\n"


def test_sent_letters_are_forgotten_after_thirty_days(edge: Flask, bakery: Shop) -> None:
    Server(edge)
    start = clock.now()
    with time_machine.travel(start, tick=False) as clock_hand, acting_for(bakery):
        write()
        deliver(mail_id=letters()[0].id)
        write(once="waiting")
        clock_hand.move_to(start + timedelta(days=31))
        forget_sent.run()
        assert [letter.once for letter in letters()] == ["waiting"]


def test_production_does_not_start_without_a_mail_server() -> None:
    bare = Flask("bare")
    bare.config["PRODUCTION"] = True
    with pytest.raises(RuntimeError, match="SMTP_URL"):
        init_mail(bare)


class Mailbox:
    """An SMTP server of the standard kind, in this process."""

    def __init__(self) -> None:
        self.got: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802 (aiosmtpd's name)
        self.got.append(envelope.content)
        return "250 OK"


def test_the_transport_speaks_smtp() -> None:
    mailbox = Mailbox()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        message = EmailMessage()
        message["From"], message["To"], message["Subject"] = "a@portales.test", "dora@example.com", "Pan y café"
        message.set_content("hola")
        smtp_transport(f"smtp://127.0.0.1:{port}")(message)
    finally:
        controller.stop()
    assert b"hola" in mailbox.got[0]


def test_the_sheet_of_every_letter_stands_alone(app: Flask, bakery: Shop) -> None:
    """No link to a style, a script or a picture elsewhere; styles written into the elements; the shop's name on top."""
    from css_inline import inline

    page = (
        "{% extends 'email/_layout.html' %}{% block title %}Tu pedido{% endblock %}"
        "{% block content %}<p class='note'>Listo</p><a class='button' href='{{ home_url }}/p'>Ver</a>{% endblock %}"
    )
    with acting_for(bakery), app.test_request_context():
        html = app.jinja_env.from_string(page).render(shop=bakery, home_url=bakery.base_url, mail_locale="es_MX")
    inlined = inline(html, load_remote_stylesheets=False, keep_style_tags=False)

    assert "<style" not in inlined
    assert "<script" not in inlined
    assert "<link" not in inlined
    assert 'lang="es-MX"' in inlined
    assert inlined.count("Panadería La Espiga") == 2
    assert "background-color: #2f5d4a" in inlined
    assert "<title>Tu pedido</title>" in inlined

"""Three shops furnished alike: each kind of thing a shop can have, once for each, with the shop's name in its texts.

A text of one shop that turns up in another shop's answer is a leak, whatever the reason; so every free text carries
the shop's canary. Things are kept by name, as the outside knows them: codes, slugs, tokens, keys.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from PIL import Image
from sqlalchemy import select, update

from storefront.cart.actions import add_booking, add_goods
from storefront.cart.models import CartLine
from storefront.catalogue.models import Product, ProductImage, ProductKind, Variant
from storefront.catalogue.pictures import NewImage, add_image
from storefront.changes.proposing import Wish, propose
from storefront.customers.models import Address, Consent, Customer
from storefront.delivery import offers
from storefront.delivery.contracts import ContractTerms, ZoneDetails, add_zone, set_contract
from storefront.delivery.models import Offer, Shipment
from storefront.delivery.scopes import together
from storefront.drafts.actions import DraftDetails, save
from storefront.giftcards.actions import NewCard
from storefront.giftcards.models import PaidWith
from storefront.inventory.actions import adjust_stock
from storefront.inventory.bundles import put_in
from storefront.kernel import clock, jobs
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, transaction
from storefront.kernel.ids import new_token
from storefront.kernel.mail import MailMessage
from storefront.kernel.media import store_image
from storefront.kernel.outbox import OutboxRow
from storefront.kernel.storage import storage
from storefront.kernel.tenancy import Shop, acting_for, acting_for_partner, current_shop, directory
from storefront.orders.actions import cancel_order, confirm_order, hand_over, mark_ready
from storefront.orders.models import FulfilmentMethod, Order
from storefront.orders.placing import NewLine, NewOrder, place_order
from storefront.payments import accounts as provider_accounts
from storefront.payments.actions import open_attempt, record_cash
from storefront.payments.contesting import settle
from storefront.payments.disputes import Dispute
from storefront.payments.gift_cards import issue
from storefront.payments.gift_orders import Gift, buy
from storefront.payments.models import BankLineState, Difference, DifferenceKind, Refund
from storefront.payments.proofs import submit_proof
from storefront.payments.provider import DisputeState as Contested
from storefront.payments.provider import DisputeStatus, Tokens
from storefront.payments.queries import latest_card_attempt
from storefront.payments.statements import bank_lines, import_statement
from storefront.payments.transfers import record_transfer
from storefront.pricing.discounts import Kind
from storefront.promotions.setup import PromotionDetails, create_promotion
from storefront.receipts.actions import Buyer, issue_receipt
from storefront.receipts.making_accounts import ask_for_file, make_file
from storefront.receipts.models import AccountsFile, DocumentState, ElectronicDocument, Receipt
from storefront.receipts.stamping import file_key
from storefront.reservations.actions import Contact, walk_in
from storefront.reservations.models import Unit
from storefront.reservations.setup import ServiceSettings, close_day, create_resource, make_bookable
from storefront.returns import deciding
from storefront.returns.asking import Wanted, ask
from tenants.links import make_link
from tenants.models import Domain, Invitation, LinkPurpose, Membership, Role, Staff, Tenant
from tenants.team import invitation_url, invite
from tests.factories.catalogue import a_category, a_product, described
from tests.factories.delivery import DOOR
from tests.factories.orders import a_time
from tests.world import password_hash

EVERY_DAY = {day: [["09:00", "18:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def canary(shop: Shop) -> str:
    """The word that only this shop's texts contain."""
    return f"CANARIO-{shop.slug.upper()}"


@dataclass
class Furniture:
    """A shop's things by name, and the ids of its people."""

    shop: Shop
    things: dict[str, str] = field(default_factory=dict)
    people: dict[str, int] = field(default_factory=dict)
    carts: dict[str, str] = field(default_factory=dict)

    @property
    def owner(self) -> Actor:
        """Whoever does what the shop does."""
        return Actor("staff", self.people.get("owner"), canary(self.shop))


@dataclass(frozen=True)
class Firm:
    """A courier firm with two riders and a key."""

    partner_id: int
    slug: str
    riders: tuple[int, int]
    key: str


def furnish(shop: Shop, firm: Firm) -> Furniture:
    """Put one of everything into a shop that a courier firm serves."""
    made = Furniture(shop)
    for write in (
        _settings, _people, _shelves, _promotions, _gift_cards, _customers, _carts, _bookings, _orders, _bought_card,
        lambda it: _deliveries(it, firm), *EXTRA,
    ):  # fmt: skip
        write(made)
        db.session.remove()
    return made


EXTRA: list[Callable[[Furniture], None]] = []
"""What later floors add: each gets the furniture so far."""


def _invoice(it: Furniture, receipt: Receipt) -> str:
    """A document that a provider stamped, with its files."""
    at = clock.now()
    document = ElectronicDocument(
        receipt_id=receipt.id, provider="play", key=new_token(), state=DocumentState.STAMPED, requested_by="",
        number=f"F-{canary(it.shop)}", has_pdf=True, requested_at=at, asked_at=at, stamped_at=at,
    )  # fmt: skip
    with transaction():
        db.session.add(document)
        db.session.flush()
        code = document.code
    for kind in ("xml", "pdf"):
        storage().put(file_key(code, kind), f"{kind} {canary(it.shop)}".encode(), f"application/{kind}")
    return code


def _settings(it: Furniture) -> None:
    at, word = clock.now(), canary(it.shop)
    with acting_for(it.shop), transaction():
        db.session.execute(
            update(Tenant)
            .where(Tenant.id == it.shop.id)
            .values(
                bank_details=f"Banco {word}",
                address=f"Calle {word}",
                hours=f"Horario {word}",
                payment_account=None,
                gift_amounts=[5_000],
            )
        )
        domain = Domain(
            tenant_id=it.shop.id, host=f"www.{word.lower()}.example", proof=new_token(), verified_at=at, created_at=at
        )
        db.session.add(domain)
        db.session.flush()
        it.things["domain"] = domain.host
        tokens = Tokens(f"{it.shop.id}", f"access {word}", f"refresh {word}", at + timedelta(days=180))
        provider_accounts.keep("mercadopago", tokens, it.owner)
    directory().forget()  # type: ignore[attr-defined]
    found = directory().by_id(it.shop.id)
    assert found is not None
    it.shop = found


def _people(it: Furniture) -> None:
    at, slug = clock.now(), it.shop.slug
    with acting_for(it.shop), transaction():
        for name, role in (
            ("owner", Role.OWNER),
            ("manager", Role.MANAGER),
            ("clerk", Role.CLERK),
            ("spare", Role.CLERK),
        ):
            person = Staff(
                name=f"{name} {canary(it.shop)}",
                email=f"{name}@{slug}.example",
                password_hash=password_hash(),
                created_at=at,
            )
            db.session.add(person)
            db.session.flush()
            db.session.add(Membership(staff_id=person.id, tenant_id=it.shop.id, role=role, created_at=at))
            it.people[name] = person.id
            it.things[f"staff.{name}"] = person.code
    for name, purpose, address in (
        ("reset link", LinkPurpose.RESET, None),
        ("e-mail link", LinkPurpose.EMAIL, f"nuevo@{slug}.example"),
    ):
        it.things[name] = make_link(purpose, it.people["spare"], address=address)
    with acting_for(it.shop):
        for name in ("invitation", "other invitation"):
            invite(f"{name} {canary(it.shop)}", Role.CLERK, it.owner, name)
            it.things[name] = invitation_url(name).rsplit("/", 1)[1]
        it.things["invitation code"] = db.session.scalars(select(Invitation.code).order_by(Invitation.id)).first() or ""


def _photo(colour: str) -> io.BytesIO:
    stream = io.BytesIO()
    Image.new("RGB", (420, 300), colour).save(stream, "JPEG")
    stream.seek(0)
    return stream


def _shelves(it: Furniture) -> None:
    word = canary(it.shop)
    with acting_for(it.shop):
        shelf, other = a_category(f"Estante {word}"), a_category(f"Otro estante {word}")
        it.things |= {"category": shelf.slug, "category code": shelf.code, "other category code": other.code}
        made = a_product(f"Pan {word}", stock=50, category=f"Estante {word}")
        described(made, f"Descripción {word}", word.lower())
        draft = a_product(f"Borrador {word}", published=False)
        bundle = a_product(f"Paquete {word}")
        put_in(bundle.variant_id, made.variant_id, 2, it.owner)
        it.things |= {
            "product": made.slug, "product code": made.code, "variant": made.variant_code,
            "draft": draft.slug, "draft code": draft.code, "bundle": bundle.variant_code,
        }  # fmt: skip
        for number, colour in enumerate(("peru", "teal")):
            stored = store_image(_photo(colour))
            image = NewImage(stored.key, stored.width, stored.height, stored.placeholder, f"Foto {word}")
            add_image(made.id, image, by=it.owner)
            it.things[f"image key {number}"] = stored.key
        codes = db.session.scalars(
            select(ProductImage.code).where(ProductImage.product_id == made.id).order_by(ProductImage.position)
        ).all()
        it.things |= {"image": codes[-1], "first image": codes[0]}
        variant_id = db.session.scalars(select(Variant.id).where(Variant.code == made.variant_code)).one()
        adjust_stock(variant_id, on_hand=40, reason="counted", text=f"Nota {word}", by=it.owner)


def _promotions(it: Furniture) -> None:
    word = canary(it.shop)
    with acting_for(it.shop):
        limited_to = {"categories": [it.things["category code"]], "products": [it.things["product code"]]}
        it.things["coupon"] = f"CUPON{it.shop.id}"
        details = PromotionDetails(f"Oferta {word}", Kind.PERCENT, 500, coupon=it.things["coupon"], **limited_to)
        it.things["promotion"] = create_promotion(details, new_token(), it.owner)


def _gift_cards(it: Furniture) -> None:
    word = canary(it.shop)
    with acting_for(it.shop):
        for name in ("gift card", "other gift card"):
            new = NewCard(
                5_000, PaidWith.CASH, f"{name} {word}", f"{name.split()[0]}{it.shop.id}@example.com", f"Nota {word}"
            )
            issued = issue(new, it.owner)
            it.things |= {name: issued.code, f"{name} secret": issued.secret}


def _bought_card(it: Furniture) -> None:
    """A gift card that a customer bought and has not handed over yet."""
    word = canary(it.shop)
    with acting_for(it.shop):
        gift = Gift(
            5_000, f"Ana {word}", None, f"Nota {word}", None, f"Dora {word}", "dora@example.com", None, "bank_transfer",
            it.people["customer"],
        )  # fmt: skip
        order, _attempt = buy(gift, Actor("customer", it.people["customer"], "Dora"))
        it.things |= {"gift order": order.code, "gift token": order.token}
        record_transfer(order.id, it.owner)
        _run_jobs("payments")


def _customers(it: Furniture) -> None:
    at, word = clock.now(), canary(it.shop)
    with acting_for(it.shop), transaction():
        for number, name in enumerate(("customer", "neighbour")):
            person = Customer(
                code=f"C{number}{it.shop.id}XYZ",
                name=f"{name} {word}",
                email=None if number else "dora@example.com",
                phone=f"+52951111000{number}",
                created_at=at,
            )
            db.session.add(person)
            db.session.flush()
            home = Address(
                code=f"A{number}{it.shop.id}XYZ", customer_id=person.id, label=f"Casa {word}", used_at=at,
                details={**DOOR, "recipient": f"{name} {word}"},
            )  # fmt: skip
            db.session.add(home)
            db.session.add(
                Consent(
                    subject=f"customer:{person.id}", purpose="personalisation", granted=True, text_shown=word, at=at
                )
            )
            it.people[name] = person.id
            it.things[f"{name} code"] = person.code
            it.things[f"{name} address"] = home.code


def _made(it: Furniture, code: str = "product code") -> Product:
    return db.session.scalars(select(Product).where(Product.code == it.things[code])).one()


def _variant_id(it: Furniture) -> int:
    return db.session.scalars(select(Variant.id).where(Variant.code == it.things["variant"])).one()


def _carts(it: Furniture) -> None:
    for name in ("customer", "neighbour"):
        with acting_for(it.shop):
            cart = add_goods(None, _variant_id(it), 2, locale=it.shop.locale, customer_id=it.people[name])
            it.carts[name] = cart.token
            it.things[f"{name} line"] = db.session.scalars(
                select(CartLine.code).where(CartLine.cart_id == cart.id)
            ).one()
    with acting_for(it.shop):
        cart = add_goods(None, _variant_id(it), 1)
        word = canary(it.shop)
        it.things["draft"] = save(cart.token, DraftDetails(f"Borrador {word}", words=f"Nota {word}"), it.owner)
        it.things["draft token"] = cart.token


def _bookings(it: Furniture) -> None:
    word = canary(it.shop)
    with acting_for(it.shop):
        tour = a_product(f"Recorrido {word}", kind=ProductKind.SERVICE)
        guide = create_resource(f"Guía {word}", 4, EVERY_DAY, it.owner)
        make_bookable(tour.id, guide.id, ServiceSettings(Unit.TIME), it.owner)
        it.things |= {"service": tour.slug, "service code": tour.code, "service variant": tour.variant_code}
        it.things |= {"resource": guide.code, "feed": guide.feed_token}
        at = a_time(tour)
        it.things["slot"] = at.isoformat()
        who = Contact(f"Reserva {word}", "+529511119999", f"Nota {word}")
        it.things["booking"] = walk_in(tour.id, at, contact=who, by=it.owner).code
        it.carts["booked"] = add_booking(None, tour.variant_code, at).token
        closed = (clock.now() + timedelta(days=20)).date()
        close_day(guide.code, closed, f"Feriado {word}", it.owner)
        it.things["closed day"] = closed.isoformat()


def _order(it: Furniture, name: str, pay: str, who: str = "customer", *, delivered: bool = False) -> Order:
    product, word = _made(it), canary(it.shop)
    with transaction():
        order = place_order(
            NewOrder(
                placement_key=f"{it.shop.slug}-{name}",
                lines=[NewLine(ProductKind.GOODS, product.id, _variant_id(it), f"Pan {word}", "", "", 1, 2_500)],
                payment_method=pay,
                fulfilment_method=FulfilmentMethod.DELIVERY if delivered else FulfilmentMethod.PICKUP,
                address={**DOOR, "recipient": f"Dora {word}"} if delivered else None,
                contact_name=f"Dora {word}",
                contact_phone="+529511112233",
                contact_email="dora@example.com",
                customer_id=it.people[who],
                note=f"Nota {word}",
            ),
            Actor("customer", it.people[who], "Dora"),
        )
        open_attempt(order.id, pay)
    it.things |= {f"{name} order": order.code, f"{name} token": order.token}
    return order


def _run_jobs(*domains: str) -> None:
    """Run what the outbox holds for these domains; the mails of all the others are nobody's business here."""
    waiting = select(OutboxRow.id, OutboxRow.job).where(OutboxRow.done_at.is_(None)).order_by(OutboxRow.id)
    while ids := [row.id for row in db.session.execute(waiting) if row.job.partition(".")[0] in domains]:
        db.session.rollback()
        assert {jobs.run_delivery(current_shop().id, row_id) for row_id in ids} == {"done"}
    db.session.rollback()


def _orders(it: Furniture) -> None:
    """One order for each way to pay and each stage that a button of the dashboard acts on."""
    with acting_for(it.shop):
        _order(it, "new", "pay_at_shop")
        _order(it, "neighbour", "pay_at_shop", "neighbour")
        _order(it, "card", "card")
        _order(it, "unproven", "bank_transfer")
        record_transfer(_order(it, "seen", "bank_transfer").id, it.owner)
        by_transfer = _order(it, "transfer", "bank_transfer")
        proof = submit_proof(by_transfer.id, _photo("seagreen"), f"Ref {canary(it.shop)}", it.owner)
        it.things |= {"proof": proof.code, "proof key": proof.image_key}
        import_statement(f"Fecha,Concepto,Abono\n20/11/2026,Dora {canary(it.shop)},2500\n".encode(), it.owner)
        it.things["bank line"] = bank_lines(BankLineState.WAITING, 1).items[0].code
        confirm_order(_order(it, "confirmed", "pay_at_shop").id, it.owner)
        changing = _order(it, "changing", "pay_at_shop")
        wish = Wish({1: 2}, {})
        it.things["change"] = propose(changing.id, wish, "asked", f"Cambio {canary(it.shop)}", it.owner).code
        ready = _order(it, "ready", "pay_at_shop")
        confirm_order(ready.id, it.owner)
        mark_ready(ready.id, it.owner)
        receipt = issue_receipt(ready.id, Buyer(f"Dora {canary(it.shop)}"), it.owner)
        it.things |= {"receipt": receipt.code, "invoice": _invoice(it, receipt)}
        paid = _order(it, "paid", "pay_at_shop")
        record_cash(paid.id, it.owner)
        returned = _order(it, "returned", "pay_at_shop")
        record_cash(returned.id, it.owner)
        cancel_order(returned.id, f"Motivo {canary(it.shop)}", it.owner)
        _run_jobs("payments")
        undone = select(OutboxRow.id).where(OutboxRow.done_at.is_(None)).order_by(OutboxRow.id)
        letter = db.session.scalars(undone).first()
        with transaction():
            db.session.execute(update(OutboxRow).where(OutboxRow.id == letter).values(dead_at=clock.now()))
        mail = db.session.scalars(select(MailMessage.id).order_by(MailMessage.id)).first()
        assert mail is not None, "no job wrote to anybody"
        it.things |= {"letter": str(letter), "shop id": str(it.shop.id), "mail": str(mail)}
        with transaction():
            found = Difference(
                day=clock.now().date(), kind=DifferenceKind.PAYMENT_UNKNOWN, subject=f"ch_{canary(it.shop)}",
                order_id=paid.id, currency=it.shop.currency, found_at=clock.now(),
            )  # fmt: skip
            db.session.add(found)
            db.session.flush()
            it.things["difference"] = found.code
        it.things["dispute"] = _dispute(it, _order(it, "contested", "card"))
        it.things["accounts file"] = ask_for_file(clock.now().date(), it.owner)
        make_file(db.session.scalars(select(AccountsFile.id)).one())
        _returns(it)
        it.things["refund"] = db.session.scalars(select(Refund.code).order_by(Refund.id)).first() or ""


def _returns(it: Furniture) -> None:
    """What customers bring back: asked for, agreed to, and there."""
    for name in ("returnable", "asked", "approved", "received"):
        order = _order(it, name, "pay_at_shop")
        record_cash(order.id, it.owner)
        hand_over(order.id, it.owner)
        with transaction():
            days = {"return_days": 30, "version": Order.version + 1}
            db.session.execute(update(Order).where(Order.id == order.id).values(days))
        if name == "returnable":
            continue
        wanted = Wanted({1: 1}, "damaged", f"Se rompió {canary(it.shop)}")
        found = ask(order.id, wanted, it.owner, _photo("tomato"))
        it.things[f"{name} return"] = found.code
        if name != "asked":
            deciding.approve(found.id, it.owner, f"Sí {canary(it.shop)}")
        if name == "received":
            deciding.receive(found.id, {1: deciding.Came(1)}, it.owner)


def _dispute(it: Furniture, order: Order) -> str:
    """A payment that was contested, and what the shop wrote about it."""
    attempt_id, at = latest_card_attempt(order.id), clock.now()
    told = Contested(
        f"dp_{canary(it.shop)}", DisputeStatus.NEEDS_RESPONSE, "fraudulent", order.total_minor, order.currency, "ch_1",
        "pi_1", at, at + timedelta(days=7), submitted=False, moves=(),
    )  # fmt: skip
    assert attempt_id is not None
    assert settle(attempt_id, told, None)
    with transaction():
        dispute = db.session.scalars(select(Dispute)).one()
        dispute.evidence = {"product": "Pan", "story": f"Respuesta {canary(it.shop)}", "files": {}}
        return dispute.code


def _deliveries(it: Furniture, firm: Firm) -> None:
    """Parcels in the stages a courier sees: one waiting for the shop, one offered, one leased, two with riders."""
    partner_id, partner_slug = firm.partner_id, firm.slug
    riders = {"assigned": firm.riders[0], "colleague": firm.riders[1]}
    with acting_for(it.shop):
        it.things["zone"] = add_zone(ZoneDetails(f"Zona {canary(it.shop)}", 4_000), it.owner)
        it.things["other zone"] = add_zone(ZoneDetails(f"Otra {canary(it.shop)}", 4_000), it.owner)
        set_contract(partner_slug, ContractTerms(), it.owner)
        it.things["partner"] = partner_slug
        for name in ("preparing", "leased", "assigned", "colleague", "offered"):
            order = _order(it, name, "cash_on_delivery", delivered=True)
            confirm_order(order.id, it.owner)
            _run_jobs("delivery")
            if name != "preparing":
                mark_ready(order.id, it.owner)
                _run_jobs("delivery")
            parcel = db.session.scalars(select(Shipment).where(Shipment.order_id == order.id)).one()
            it.things |= {f"{name} shipment": parcel.code, f"{name} tracking": parcel.token}
            parcel_id = parcel.id
            db.session.rollback()
            if name != "preparing":
                takes = riders.get(name)
                handed = _hand_over(parcel_id, it.shop, partner_id, takes, lease=name == "leased")
                it.things |= {f"{name} {key}": value for key, value in handed.items()}


def _hand_over(parcel_id: int, shop: Shop, partner_id: int, rider_id: int | None, *, lease: bool) -> dict[str, str]:
    """Lease the parcel's offer, or take it for a rider, or leave it in the queue."""
    with acting_for_partner(partner_id):
        if lease:
            offers.receive(10, 600, shop.id)
        row = db.session.execute(select(Offer.ref, Offer.lease_token).where(Offer.shipment_id == parcel_id)).one()
        db.session.rollback()
        if rider_id is None:
            return {"offer": row.ref, "lease": str(row.lease_token)}
        with together(shop.id):
            return {"offer": row.ref, "work": offers.take(row.ref, rider_id, Actor("rider", rider_id, "Efraín"))}

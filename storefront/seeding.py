"""The demonstration: three shops that look alive, made through the same actions that people use.

Content and pictures are in `storefront/demo`; here they are put into the database, with a past written under a
pretended clock, orders in every state, bookings this week and deliveries under way. Shops that exist are left alone.
"""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from multiprocessing import get_context
from typing import Any
from uuid import uuid4

import httpx
from PIL import Image, ImageDraw
from slugify import slugify
from sqlalchemy import select

from storefront.cart.actions import add_booking, add_goods, use_coupon
from storefront.cart.queries import cart_view
from storefront.catalogue import actions as catalogue
from storefront.catalogue.actions import Price, ProductTexts, VariantRow
from storefront.catalogue.categories import category_named, rename_category
from storefront.catalogue.deposits import set_deposit
from storefront.catalogue.models import Category, Product, ProductKind, Variant
from storefront.catalogue.pictures import NewImage, add_image
from storefront.checkout.actions import CheckoutDetails, place
from storefront.checkout.queries import bill, buyer_of, extras_of, load_of
from storefront.customers.address import PostalAddress
from storefront.delivery import offers, partners
from storefront.delivery.contracts import ContractTerms, ZoneDetails, add_zone, set_contract
from storefront.delivery.models import Assignment, Offer, Partner, RateKind, Rider, Shipment
from storefront.delivery.rates import Step, quote
from storefront.delivery.states import PartnerKind, ShipmentState
from storefront.delivery.tracking import Report, record_reports
from storefront.demo import illustrations
from storefront.demo.content import DemoCategory, DemoCustomer, DemoProduct, DemoPromotion, DemoShop
from storefront.demo.people import CUSTOMERS, PARTNERS
from storefront.demo.shops import SHOPS
from storefront.drafts import actions as drafts
from storefront.drafts.actions import DraftDetails
from storefront.inventory.actions import adjust_stock
from storefront.inventory.bundles import put_in
from storefront.kernel import clock, jobs
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, settings, transaction
from storefront.kernel.errors import Refusal
from storefront.kernel.media import store_image
from storefront.kernel.tenancy import Shop, across_shops, acting_for, acting_for_partner, current_shop, directory
from storefront.orders import actions as orders
from storefront.orders.models import Order
from storefront.orders.states import FulfilmentMethod
from storefront.payments import door, proofs
from storefront.payments.actions import record_cash
from storefront.payments.capabilities import capability
from storefront.payments.charges import Charge, ask_for
from storefront.payments.gift_orders import Gift, buy
from storefront.payments.transfers import record_transfer
from storefront.pricing.deposits import Share
from storefront.pricing.discounts import Kind
from storefront.pricing.extras import NO_TIP, Tip
from storefront.promotions.audiences import Audience
from storefront.promotions.setup import PromotionDetails, create_promotion
from storefront.receipts.actions import Buyer, issue_receipt
from storefront.reservations import actions as bookings
from storefront.reservations.availability import free_slots, free_stay
from storefront.reservations.models import Booking, BookingState, Unit
from storefront.reservations.queries import needed_service
from storefront.reservations.setup import ServiceSettings, create_resource, make_bookable
from storefront.returns.asking import Wanted
from storefront.returns.asking import ask as ask_to_return
from storefront.returns.terms import terms_of
from tenants import actions as building
from tenants.actions import NewShop
from tenants.contacts import Contact
from tenants.models import Role
from tenants.people import Credentials

PASSWORD = "arcada-de-colores"  # noqa: S105 (the demonstration's own, printed for everybody)
PIN = "246810"
OPERATOR = ("Olga Ruiz", "olga@example.com")
SEEDER = Actor("system", None, "Demostración")
RATIO: dict[str, illustrations.Ratio] = {"mostrador": "1:1", "taller": "4:5", "vitrina": "4:5", "posada": "3:2"}
PICTURE_SIZE = 1200


def missing_shops() -> list[DemoShop]:
    """The demonstration's shops that are not there yet."""
    return [shop for shop in SHOPS if _by_slug(shop.slug) is None]


def _by_slug(slug: str) -> Shop | None:
    found = directory().by_slug(slug)  # type: ignore[attr-defined]  # the platform's directory also knows slugs
    return found if isinstance(found, Shop) else None


def seed(say: Callable[[str], None]) -> None:
    """Make the shops that are missing, with all they sell: enough to serve pages and to log in."""
    missing = missing_shops()
    if not missing:
        return
    _register_partners()
    building.create_operator(*OPERATOR, PASSWORD)
    for demo in missing:
        say(f"{demo.name}: {len(demo.products)} productos")
        shop = _open(demo)
        with acting_for(shop):
            if demo.products:
                _fill(demo)
            building.publish_shop(SEEDER)
            for slug, _name, home, _rider, _phone in PARTNERS:
                if home == demo.slug:
                    set_contract(slug, ContractTerms(fee_minor=3_000), SEEDER)
        if demo.status == "suspended":
            building.suspend(shop.id, "Cuenta de demostración suspendida.", Actor("operator", None, OPERATOR[0]))


def bring_to_life(say: Callable[[str], None]) -> None:
    """Give the shops their pictures and their past, where they have none yet. Takes a minute; pages work meanwhile."""
    waiting = [(demo, shop) for demo in SHOPS if (shop := _by_slug(demo.slug)) is not None and shop.cover_key is None]
    names = [(p.picture, RATIO[demo.theme]) for demo, _shop in waiting for p in demo.products]
    names += [(demo.cover, "3:2") for demo, _shop in waiting]
    if not waiting:
        return
    with ProcessPoolExecutor(max(1, (os.cpu_count() or 2) - 1), mp_context=get_context("spawn")) as drawers:
        drawn = {name: drawers.submit(illustrations.render, name, PICTURE_SIZE, ratio) for name, ratio in names}
        for demo, shop in waiting:
            say(f"{demo.name}: ilustraciones")
            with acting_for(shop):
                _take_cards(demo)
                _hang_pictures(demo, drawn)
    for demo, shop in waiting:
        say(f"{demo.name}: pedidos y reservas")
        _live(shop, demo)


# --- shops, staff, partners ---------------------------------------------------------------------------------------


def staff_email(name: str) -> str:
    """How a member of the demonstration's staff logs in: their first name, without accents."""
    return f"{slugify(name.split(maxsplit=1)[0])}@example.com"


def _open(demo: DemoShop) -> Shop:
    owner = Credentials(Contact(email=staff_email(demo.owner)), PASSWORD, demo.owner)
    opened = building.open_shop(
        NewShop(
            name=demo.name,
            country=demo.country,
            slug=demo.slug,
            phone=demo.phone,
            email=demo.email,
            address=demo.address,
            hours=demo.hours_said,
            tagline=demo.tagline,
            theme=demo.theme,
            hue=demo.hue,
            bank_details=demo.bank_details,
            languages=tuple(locale for locale in demo.locales if not demo.locale.startswith(locale)),
            tastes=demo.tastes,
        ),
        owner,
    )
    with acting_for(opened.shop):
        building.change_tenant(
            "set_up",
            SEEDER,
            None,
            payment_methods=list(demo.payment_methods),
            packaging_minor=demo.packaging_minor,
            packaging_for=["delivery"] if demo.packaging_minor else [],
            takes_tips=bool(demo.tips),
            tip_percents=list(demo.tips),
            return_days=demo.returns[0],
            return_policy=demo.returns[1],
            gift_amounts=list(demo.gift_amounts),
            gift_least_minor=demo.gift_between[0],
            gift_most_minor=demo.gift_between[1],
        )
        for name in demo.staff:
            building.add_staff(Credentials(Contact(email=staff_email(name)), PASSWORD, name), Role.CLERK, SEEDER)
    return opened.shop


def _register_partners() -> None:
    for slug, name, home, rider, phone in PARTNERS:
        with across_shops("the demonstration's couriers"):
            kind = PartnerKind.BIKE if slug == "bicis" else next(k for k in PartnerKind if k is not PartnerKind.BIKE)
            country = next(shop.country for shop in SHOPS if shop.slug == home)
            partner_id = partners.register_partner(slug, name, phone, kind, country)
        with acting_for_partner(partner_id):
            partners.add_rider(rider, phone, PIN)


def _take_cards(demo: DemoShop) -> None:
    """An account at the provider's stand-in, which may charge at once; a real provider asks its owner first."""
    if not door.takes_cards() or door.gateway().live or "card" not in demo.payment_methods:
        return
    base = settings().stripe_api_base
    if base is None:
        return
    with contextlib.suppress(Refusal, httpx.HTTPError):
        key = f"demo:{current_shop().id}:account"
        account = door.gateway().create_account(demo.name, demo.email, demo.country, key)
        httpx.post(f"{base}/_control", json={"complete_account": account.id}, timeout=5).raise_for_status()
        for method in demo.payment_methods:
            can = capability(method)
            if can is not None and can.asked_for:
                door.gateway().ask_for(account.id, method)
        building.change_tenant("card_account_made", SEEDER, None, payment_account=account.id)


# --- what is sold -------------------------------------------------------------------------------------------------


def _fill(demo: DemoShop) -> None:
    categories, shelves = {}, {category.slug: category for category in demo.categories}
    for category in demo.categories:
        made = category_named(category.name, by=SEEDER)
        if category.translations:
            made = rename_category(made.id, category.name, translations=_words(category.translations), by=SEEDER)
        categories[category.slug] = made.id
    resources: dict[str, int] = {}
    # A shop shows what is newest first, so the list's first is made last.
    for product in reversed(demo.products):
        _add_product(product, categories[product.category], shelves[product.category], resources)
    for slug, part, units in [(slug, *one) for slug, parts in demo.bundles for one in parts]:
        put_in(_first_variant(slug) or 0, _first_variant(part) or 0, units, SEEDER)
    for gift in demo.promotions:
        _promise(gift, categories)
    for zone in demo.zones:
        details = ZoneDetails(zone.name, zone.price_minor, zone.free_above_minor, zone.localities, zone.region)
        if zone.by_weight:
            steps = [Step(*step) for step in zone.by_weight]
            details = replace(details, kind=RateKind.BY_WEIGHT, steps=steps, assumed_g=500)
        add_zone(details, SEEDER)


def _promise(gift: DemoPromotion, shelves: Mapping[str, int]) -> None:
    wanted = [shelves[slug] for slug in gift.categories]
    codes = db.session.scalars(select(Category.code).where(Category.id.in_(wanted))).all()
    details = PromotionDetails(
        gift.name,
        Kind.PERCENT,
        gift.percent * 100,
        coupon=gift.coupon,
        categories=codes,
        minimum_minor=gift.minimum_minor,
        audience=Audience(gift.audience),
        audience_number=gift.audience_number,
        usage_limit=gift.usage_limit,
    )
    create_promotion(details, str(uuid4()), SEEDER)


def _words(translations: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, str]]:
    return {locale: dict(words) for locale, words in translations.items()}


def _add_product(demo: DemoProduct, category_id: int, shelf: DemoCategory, resources: dict[str, int]) -> None:
    texts = ProductTexts(demo.name, demo.description, ProductKind(demo.kind), category_id, demo.tags, shelf.tax_class)
    with transaction():
        product = catalogue.create_product(texts, Price(demo.price_minor), by=SEEDER)
        product.slug = demo.slug
        first = db.session.scalars(select(Variant).where(Variant.product_id == product.id)).one()
        rows = [
            VariantRow(
                variant.name,
                Price(variant.price_minor or demo.price_minor),
                code=first.code if number == 0 else "",
                sku=variant.sku,
                weight_g=shelf.weight_g if demo.kind == "goods" else None,
            )
            for number, variant in enumerate(demo.variants)
        ]
        made = catalogue.save_variants(product.id, rows, by=SEEDER)
        for variant, row in zip(made, demo.variants, strict=False):
            if row.stock is not None:
                adjust_stock(variant.id, on_hand=row.stock, reason="counted", by=SEEDER)
        if demo.translations:
            catalogue.translate_product(product.id, _words(demo.translations), by=SEEDER)
        catalogue.publish(product.id, by=SEEDER)
    if demo.service is not None:
        service = demo.service
        if service.resource not in resources:
            resources[service.resource] = create_resource(service.resource, service.capacity, service.hours, SEEDER).id
        make_bookable(
            product.id,
            resources[service.resource],
            ServiceSettings(
                unit=Unit(service.unit),
                duration_min=service.duration_min,
                step_min=service.step_min,
                min_notice_min=service.min_notice_min,
                horizon_days=service.horizon_days,
                check_in=time.fromisoformat(service.check_in),
                check_out=time.fromisoformat(service.check_out),
            ),
            SEEDER,
        )


def _hang_pictures(demo: DemoShop, drawn: dict[str, Future[bytes]]) -> None:
    ids = dict(db.session.execute(select(Product.slug, Product.id)).tuples().all())
    for product in demo.products:
        kept = store_image(io.BytesIO(drawn[product.picture].result()))
        image = NewImage(kept.key, kept.width, kept.height, kept.placeholder, product.alt)
        add_image(ids[product.slug], image, by=SEEDER)
    cover = store_image(io.BytesIO(drawn[demo.cover].result()))
    building.change_tenant("cover_hung", SEEDER, None, cover_key=cover.key)


# --- a past and a present -----------------------------------------------------------------------------------------


@contextmanager
def _at(shop: Shop, days_ago: float, hour: int) -> Iterator[datetime]:
    """The clock stands at a local hour some days ago."""
    day = datetime.now(shop.zone) - timedelta(days=days_ago)
    instant = min(day.replace(hour=hour, minute=7 * hour % 60, second=0, microsecond=0), datetime.now(shop.zone))
    with clock.pretending(instant):
        yield instant


def _live(shop: Shop, demo: DemoShop) -> None:
    """Give a shop its orders and bookings, oldest first, and let its jobs run."""
    people = [person for person in CUSTOMERS if person.shop == demo.slug]
    if not people or not demo.products:
        return
    goods = [p for p in demo.products if p.kind == "goods"]
    if goods:
        coupon = next((gift.coupon for gift in demo.promotions if gift.coupon), None)
        _sell(shop, goods, people, coupon)
        _prepare(shop, goods, people)
    _book(shop, [p for p in demo.products if p.service is not None], people)
    with acting_for(shop):
        if demo.gift_amounts:
            _give_a_card(demo, people)
        jobs.drain()
        for slug, percent in demo.deposits:
            product_id = db.session.scalars(select(Product.id).where(Product.slug == slug)).one()
            set_deposit(product_id, Share(percent), SEEDER)


def _give_a_card(demo: DemoShop, people: Sequence[DemoCustomer]) -> None:
    """One customer buys another a gift card, and its transfer is seen."""
    buyer, friend = people[0], people[-1]
    gift = Gift(
        demo.gift_amounts[0], friend.name, None, "¡Feliz cumpleaños!", None, buyer.name, buyer.email or demo.email,
        buyer.phone, "bank_transfer",
    )  # fmt: skip
    order, _attempt = buy(gift, Actor("customer", None, ""))
    record_transfer(order.id, Actor("staff", None, demo.name))


SALES: tuple[tuple[float, int, str, bool, str], ...] = (
    (12, 9, "pay_at_shop", False, "finished"), (11, 12, "cash_on_delivery", True, "delivered"),
    (9, 10, "bank_transfer", True, "delivered"), (8, 17, "pay_at_shop", False, "finished"),
    (7, 11, "cash_on_delivery", True, "delivered"), (6, 13, "pay_at_shop", False, "cancelled"),
    (5, 16, "bank_transfer", False, "expired"), (4, 10, "cash_on_delivery", True, "delivered"),
    (3, 12, "pay_at_shop", False, "finished"), (3, 15, "cash_on_delivery", True, "delivered"),
    (2, 9, "bank_transfer", True, "delivered"), (1, 18, "pay_at_shop", False, "finished"),
    (0.9, 9, "cash_on_delivery", True, "on_the_way"), (0.8, 10, "cash_on_delivery", True, "taken"),
    (0.7, 11, "bank_transfer", True, "offered"), (0.6, 12, "pay_at_shop", False, "ready"),
    (0.5, 13, "cash_on_delivery", True, "confirmed"), (0.4, 14, "bank_transfer", True, "proof"),
    (0.3, 15, "bank_transfer", False, "proof"), (0.2, 16, "cash_on_delivery", True, "placed"),
    (0.1, 17, "pay_at_shop", False, "placed"), (0.05, 18, "bank_transfer", False, "placed"),
)  # fmt: skip
"""Days ago, local hour, way of paying, whether it is delivered, and how far it has come."""


def _sell(shop: Shop, goods: Sequence[DemoProduct], people: Sequence[DemoCustomer], coupon: str | None) -> None:
    for number, (days, hour, pay, delivered, until) in enumerate(SALES):
        person = _pick([p for p in people if p.address] if delivered else people, number)
        wanted = [_pick(goods, 3 * number + step * 7) for step in range(1 + number % 3)]
        with _at(shop, days, hour):
            order_id = _order(shop, person, wanted, pay, delivered, coupon if number % 4 == 0 else None)
            # Beat knows today's date only: it may let an order of last week expire under our hands.
            with contextlib.suppress(Refusal):
                if order_id is not None:
                    _advance(shop, order_id, until)


def _prepare(shop: Shop, goods: Sequence[DemoProduct], people: Sequence[DemoCustomer]) -> None:
    """A wish from a chat that waits for its customer, one that is only saved, and an amount asked for by a link."""
    with acting_for(shop), contextlib.suppress(Refusal):
        for number, sent in enumerate((True, False)):
            person, variant_id = _pick(people, number), _first_variant(_pick(goods, number + 2).slug)
            if variant_id is not None:
                details = DraftDetails(person.name, person.phone, person.email or None)
                code = drafts.save(add_goods(None, variant_id, 1).token, details, SEEDER)
                if sent:
                    drafts.send(code, timedelta(days=3), SEEDER, hold=True)
        ask_for(Charge("Pedido especial para una fiesta", 12_000, timedelta(days=7)), SEEDER)


def _pick(items: Sequence[Any], number: int) -> Any:
    return items[number % len(items)]


def _order(
    shop: Shop, person: DemoCustomer, wanted: Sequence[DemoProduct], pay: str, delivered: bool, coupon: str | None
) -> int | None:
    """Place an order as the customer would; None when the shop does not offer it in this way."""
    with acting_for(shop):
        token: str | None = None
        for product in {product.slug: product for product in wanted}.values():
            variant_id = _first_variant(product.slug)
            if variant_id is not None:
                with contextlib.suppress(Refusal):  # sold out by now: the customer takes the rest
                    token = add_goods(token, variant_id, 1 + len(product.name) % 2).token
        if coupon and token:
            use_coupon(token, coupon)
        return _check_out(person, token, pay, _address(person) if delivered else None)


def _first_variant(slug: str) -> int | None:
    return db.session.scalar(
        select(Variant.id)
        .join(Product, (Product.tenant_id == Variant.tenant_id) & (Product.id == Variant.product_id))
        .where(Product.slug == slug)
        .order_by(Variant.position)
        .limit(1)
    )


def _address(person: DemoCustomer) -> PostalAddress | None:
    if person.address is None:
        return None
    home = person.address
    return PostalAddress(
        recipient=person.name, phone=person.phone, street=home.street, neighbourhood=home.neighbourhood,
        locality=home.locality, region=home.region, country=home.country, postcode=home.postcode,
        reference=home.reference, instructions=home.instructions, lat=home.lat, lng=home.lng,
    )  # fmt: skip


def _check_out(person: DemoCustomer, token: str | None, pay: str, address: PostalAddress | None) -> int | None:
    shop = current_shop()
    if token is None or pay not in shop.payment_methods:
        return None
    view = cart_view(token, buyer=buyer_of(None, person.phone, person.email or None))
    delivery = quote(address, view.totals.subtotal_minor, load_of(view)) if address else None
    if (address and delivery is None) or any(line.trouble for line in view.lines):
        return None
    by = Actor("customer", None, "")
    method = FulfilmentMethod.DELIVERY if address else FulfilmentMethod.PICKUP
    tip = Tip(percent=max(shop.tip_percents)) if shop.takes_tips and len(person.name) % 2 else NO_TIP
    details = CheckoutDetails(
        name=person.name,
        phone=person.phone,
        email=person.email or None,
        fulfilment_method=method,
        tip=tip,
        address=address,
        payment_method=pay,
        shown=bill(view, delivery, extras_of(view, method, tip)).stamp,
        note=person.note,
        locale=person.locale if person.locale in shop.locales else shop.locale,
    )
    placed = place(token, details, str(uuid4()), by)
    return db.session.scalar(select(Order.id).where(Order.token == placed.order_token))


def _advance(shop: Shop, order_id: int, until: str) -> None:
    """Move an order along, the way its shop, its customer and its courier would, and stop at `until`."""
    owner = Actor("staff", None, shop.name)
    with acting_for(shop):
        jobs.drain()
        if until == "cancelled":
            orders.cancel_order(order_id, "La clienta o el cliente lo pidió", owner)
    if until == "expired":
        with clock.pretending(clock.now() + timedelta(days=2)), acting_for(shop):
            orders.expire_order(order_id)
    if until in {"placed", "cancelled", "expired"} or not _accept(shop, order_id, until, owner):
        return
    with acting_for(shop):
        orders.mark_ready(order_id, owner)
        jobs.drain()
        if until == "finished":
            _sell_at_the_counter(order_id, owner)
    if until in {"taken", "on_the_way", "delivered"}:
        _carry(shop, order_id, until)


def _accept(shop: Shop, order_id: int, until: str, owner: Actor) -> bool:
    """The shop says yes, after it saw the money if that comes first. False when the order is to stop here."""
    with acting_for(shop):
        pay, code = db.session.execute(select(Order.payment_method, Order.code).where(Order.id == order_id)).one()
        if pay == "bank_transfer":
            proof = proofs.submit_proof(order_id, _receipt(code), f"REF {code}", Actor("customer", None, ""))
            if until == "proof":
                return False
            proofs.accept_proof(proof.code, owner)
        else:
            orders.confirm_order(order_id, owner)
        jobs.drain()
    return until != "confirmed"


def _sell_at_the_counter(order_id: int, owner: Actor) -> None:
    if db.session.scalar(select(Order.payment_method).where(Order.id == order_id)) != "bank_transfer":
        record_cash(order_id, owner)
    orders.hand_over(order_id, owner)
    issue_receipt(order_id, Buyer(), owner)
    if terms_of(order_id).may_be_asked:
        wanted = Wanted({1: 1}, "size", "Me quedó corto de mangas.")
        ask_to_return(order_id, wanted, Actor("customer", None, ""))
    jobs.drain()


def _receipt(code: str) -> io.BytesIO:
    """A drawn picture of a transfer's receipt: the demonstration holds no photograph."""
    paper = Image.new("RGB", (720, 960), "#f4efe4")
    pen = ImageDraw.Draw(paper)
    pen.rectangle((60, 60, 660, 900), fill="#ffffff", outline="#c9bfa8", width=3)
    pen.ellipse((310, 120, 410, 220), fill="#3f7d5a")
    pen.line((335, 172, 353, 192, 388, 148), fill="#ffffff", width=10)
    for row, width in enumerate((300, 420, 380, 440, 260, 400, 340)):
        top = 290 + row * 74
        pen.rectangle((120, top, 120 + width, top + 20), fill="#d9d2c1" if row % 2 else "#a89f8a")
    pen.rectangle((120, 820, 120 + 8 * (hash_of(code) % 50), 836), fill="#b5563c")
    stream = io.BytesIO()
    paper.save(stream, "JPEG", quality=80)
    stream.seek(0)
    return stream


def hash_of(code: str) -> int:
    """A small number made of a code, the same on every run."""
    return sum(ord(letter) * place for place, letter in enumerate(code, start=1))


def _carry(shop: Shop, order_id: int, until: str) -> None:
    """Let the shop's courier take the parcel from the queue and report on the way."""
    with acting_for(shop):
        parcel = db.session.execute(
            select(Shipment.id, Shipment.delivery_code, Shipment.cod_due_minor).where(Shipment.order_id == order_id)
        ).first()
    partner_id = _partner_of(shop)
    if parcel is None or partner_id is None:
        return
    with acting_for_partner(partner_id):
        ref = db.session.scalar(
            select(Offer.ref)
            .where(Offer.tenant_id == shop.id, Offer.shipment_id == parcel.id)
            .order_by(Offer.id.desc())
        )
        rider_id, rider_name = _rider_of()
    if ref is None:
        return
    rider = Actor("rider", rider_id, rider_name)
    with acting_for(shop, partner_id):
        offers.take(ref, rider_id, rider)
        assignment = db.session.scalar(select(Assignment.ref).where(Assignment.offer_ref == ref))
        db.session.rollback()
    steps = {
        "taken": [],
        "on_the_way": [ShipmentState.PICKED_UP, ShipmentState.OUT_FOR_DELIVERY],
        "delivered": [ShipmentState.PICKED_UP, ShipmentState.OUT_FOR_DELIVERY, ShipmentState.DELIVERED],
    }[until]
    at = clock.now()
    for number, step in enumerate(steps):
        done = step is ShipmentState.DELIVERED
        report = Report(
            event_id=f"demo-{shop.slug}-{order_id}-{number}",
            assignment_id=str(assignment),
            code=step,
            occurred_at=at + timedelta(minutes=number),
            delivery_code=parcel.delivery_code if done else None,
            cod_collected_minor=(parcel.cod_due_minor or None) if done else None,
        )
        with clock.pretending(at + timedelta(minutes=number)), acting_for_partner(partner_id):
            record_reports([report], rider)
        with clock.pretending(at + timedelta(minutes=number)), acting_for(shop):
            jobs.drain()


def _partner_of(shop: Shop) -> int | None:
    slug = next((slug for slug, _name, home, *_ in PARTNERS if home == shop.slug), None)
    return partner_id_of(slug) if slug else None


def partner_id_of(slug: str) -> int | None:
    """The id of a partner of the demonstration, or None."""
    with across_shops("the demonstration's couriers"):
        return db.session.scalar(select(Partner.id).where(Partner.slug == slug))


def _rider_of() -> tuple[int, str]:
    rider = db.session.execute(select(Rider.id, Rider.name).order_by(Rider.id).limit(1)).one()
    return rider.id, rider.name


BOOKINGS: tuple[tuple[int, int, str], ...] = (
    (-2, 2, "done"), (-1, 3, "arrived"), (0, 1, "confirmed"), (0, 2, "arrived"), (1, 2, "confirmed"),
    (1, 1, "requested"), (2, 3, "confirmed"), (3, 1, "requested"), (4, 2, "confirmed"), (6, 2, "confirmed"),
)  # fmt: skip
"""Days from today, how many places or nights, and how far it has come."""


def _book(shop: Shop, services: Sequence[DemoProduct], people: Sequence[DemoCustomer]) -> None:
    if not services:
        return
    for number, (days, many, until) in enumerate(BOOKINGS):
        product, person = _pick(services, number * 2), _pick(people, number)
        made_at = min(days - 3, -1)
        # As with the orders: beat may let go of what is held in the past.
        with _at(shop, -made_at, 11), contextlib.suppress(Refusal):
            _book_one(shop, product, person, days, many, until)


def _book_one(shop: Shop, demo: DemoProduct, person: DemoCustomer, days: int, many: int, until: str) -> None:
    with acting_for(shop):
        variant_code, product_id = db.session.execute(
            select(Variant.code, Product.id)
            .join(Product, (Product.tenant_id == Variant.tenant_id) & (Product.id == Variant.product_id))
            .where(Product.slug == demo.slug)
            .order_by(Variant.position)
            .limit(1)
        ).one()
        day = (datetime.now(shop.zone) + timedelta(days=days)).date()
        service = needed_service(product_id)
        if service.by_night:
            stay = free_stay(product_id, day, many)
            starts_at, places, nights = stay.starts_at, 1, many
            free = stay.free
        else:
            open_slots = [slot for slot in free_slots(product_id, day, days=7) if slot.free > 0]
            if not open_slots:
                return
            starts_at, places, nights = open_slots[0].starts_at, min(many, open_slots[0].free), 1
            free = open_slots[0].free
        if free < places:
            return
        token = add_booking(None, variant_code, starts_at, quantity=places, nights=nights).token
        order_id = _check_out(person, token, "pay_at_shop", None)
        if order_id is None or until == "requested":
            return
        owner = Actor("staff", None, shop.name)
        orders.confirm_order(order_id, owner)
        code = db.session.scalar(select(Booking.code).where(Booking.order_id == order_id))
    if starts_at > datetime.now(UTC) or code is None or until not in {"arrived", "done"}:
        return
    with clock.pretending(starts_at + timedelta(minutes=5)), acting_for(shop):
        bookings.mark(code, BookingState.ARRIVED, owner)
        if until == "done":
            bookings.mark(code, BookingState.DONE, owner)
            record_cash(order_id, owner)

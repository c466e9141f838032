"""Filling and emptying a cart. Goods are not held here; times are, for a quarter of an hour.

Every change takes the cart's row first, so that two taps, two tabs and an order being placed follow one another.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import case, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from storefront.cart.models import HOLD_CAUSE, MOST_LINES, MOST_OF_ONE, Cart, CartLine
from storefront.catalogue.models import Product, ProductKind, ProductStatus, Variant
from storefront.inventory.actions import release_holds
from storefront.inventory.queries import available
from storefront.kernel import clock
from storefront.kernel.audit import Actor
from storefront.kernel.db import db, lock_rows, transaction
from storefront.kernel.errors import Conflict, Invalid, NotFound
from storefront.kernel.ids import new_code, new_token, normal_code, token_hash
from storefront.kernel.tenancy import current_shop
from storefront.promotions.queries import LONGEST_COUPON, coupon_exists
from storefront.reservations.actions import cancel_bookings, hold_slot

HOLD_FOR = timedelta(minutes=15)
"""How long a time stays kept for a cart."""

KEEP_UNTOUCHED = timedelta(days=60)
KEEP_REMOVED = timedelta(days=1)


class NotForSale(Conflict):
    """The variant is not on sale, or not in this way."""

    message = _l("Ese producto ya no está a la venta.")


class SoldOutForNow(Conflict):
    """Nothing of it is left."""

    message = _l("Ese producto está agotado. No lo agregamos a tu carrito.")


class CartFull(Conflict):
    """The cart holds as many lines as it can."""

    message = _l("Tu carrito ya tiene %(most)d productos. Pide estos primero o quita alguno.", most=MOST_LINES)


class BadQuantity(Invalid):
    """A number of pieces that cannot be ordered."""

    message = _l("Elige una cantidad entre 1 y %(most)d.", most=MOST_OF_ONE)


class UnknownCoupon(Invalid):
    """No open promotion has this code."""

    message = _l("Ese cupón no existe o ya terminó. Revisa cómo está escrito.")


class LineNotFound(NotFound):
    """No such line in this cart."""


@dataclass(frozen=True, slots=True)
class CartRef:
    """A cart after a change: its id, the token its owner keeps, and how many things are in it."""

    id: int
    token: str
    count: int


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken out, in words for the sentence that offers to put it back."""

    cart: CartRef
    code: str
    name: str


# --- putting in ---------------------------------------------------------------------------------------------------


def add_goods(
    cart_token: str | None, variant_id: int, quantity: int, *, locale: str = "", customer_id: int | None = None
) -> CartRef:
    """Put so many of a variant into the cart of `cart_token`, or into a new one. Adds to what is already there.

    Nothing is held: what is left is checked again when ordering. Raises NotForSale, SoldOutForNow, BadQuantity or
    CartFull.
    """
    return _add_goods(cart_token, Variant.id == variant_id, quantity, locale, customer_id)


def add_goods_by_code(
    cart_token: str | None, variant_code: str, quantity: int, *, locale: str = "", customer_id: int | None = None
) -> CartRef:
    """The same, for the code that pages carry."""
    return _add_goods(cart_token, Variant.code == variant_code, quantity, locale, customer_id)


def _add_goods(token: str | None, which: Any, quantity: int, locale: str, customer_id: int | None) -> CartRef:
    _require_quantity(quantity)
    with transaction():
        offer = _offer(which, ProductKind.GOODS)
        left = available([offer.id]).get(offer.id)
        if left is not None and left <= 0:
            raise SoldOutForNow
        cart = _open_cart(token, locale, customer_id, besides=offer.id)
        _require_room(cart.lines)
        at = clock.now()
        values = {
            "tenant_id": current_shop().id,
            "cart_id": cart.id,
            "code": new_code(),
            "variant_id": offer.id,
            "quantity": quantity,
            "seen_name": _name(offer),
            "seen_minor": offer.price_minor,
            "added_at": at,
        }
        upsert = insert(CartLine).values(**values)
        now_in = db.session.scalar(
            upsert.on_conflict_do_update(
                index_elements=["tenant_id", "cart_id", "variant_id"],
                index_where=CartLine.removed_at.is_(None) & CartLine.starts_at.is_(None),
                set_={
                    "quantity": func.least(MOST_OF_ONE, CartLine.quantity + upsert.excluded.quantity),
                    "seen_minor": upsert.excluded.seen_minor,
                    "seen_name": upsert.excluded.seen_name,
                },
            ).returning(CartLine.quantity)
        )
    return CartRef(cart.id, cart.token, cart.count + int(now_in or 0))


def add_booking(  # noqa: PLR0913 - when, how many and how long are all one wish; the last two say whose cart it is
    cart_token: str | None,
    variant_code: str,
    starts_at: datetime,
    *,
    quantity: int = 1,
    nights: int | None = None,
    locale: str = "",
    customer_id: int | None = None,
    by_staff: bool = False,
) -> CartRef:
    """Keep a time or a stay for this cart for HOLD_FOR, and put it in.

    `starts_at` is aware; `nights` only for stays. The shop itself (`by_staff`) needs no notice.
    Raises SlotTaken with the nearest free times, NotForSale or BadQuantity.
    """
    _require_quantity(quantity)
    with transaction():
        offer = _offer(Variant.code == variant_code, ProductKind.SERVICE)
        cart = _open_cart(cart_token, locale, customer_id)
        _require_room(cart.lines)
        at = clock.now()
        until = at + HOLD_FOR
        booking = hold_slot(
            offer.product_id, starts_at, quantity=quantity, nights=nights or 1, until=until, by_staff=by_staff
        )
        db.session.add(
            CartLine(
                cart_id=cart.id,
                code=new_code(),
                variant_id=offer.id,
                quantity=quantity,
                seen_name=_name(offer),
                seen_minor=offer.price_minor,
                starts_at=booking.starts_at,
                nights=booking.nights,
                booking_id=booking.id,
                added_at=at,
            )
        )
    return CartRef(cart.id, cart.token, cart.count + 1)


# --- changing and taking out --------------------------------------------------------------------------------------


def set_quantity(cart_token: str | None, line_code: str, quantity: int) -> CartRef:
    """Change how many pieces of a line are wanted; the present price counts as seen. A reservation is chosen anew."""
    _require_quantity(quantity)
    with transaction():
        cart = _own_cart(cart_token)
        line = _own_line(cart.id, line_code)
        if line.booking_id is not None:
            raise Invalid(_l("Para cambiar una reserva, quítala y elige otra vez."))
        line.quantity = quantity
        price = db.session.scalar(select(Variant.price_minor).where(Variant.id == line.variant_id))
        line.seen_minor = line.seen_minor if price is None else price
        return _ref(cart)


def remove_line(cart_token: str | None, line_code: str, by: Actor) -> Removed:
    """Take a line out and give its time back. The line can be put back for a day (`restore_line`)."""
    with transaction():
        cart = _own_cart(cart_token)
        line = _own_line(cart.id, line_code)
        line.removed_at = clock.now()
        if line.booking_id is not None:
            _give_back([line.booking_id], by)
        return Removed(_ref(cart), line.code, line.seen_name)


def restore_line(cart_token: str | None, line_code: str) -> CartRef:
    """Put a removed line back; a reservation is held anew. Raises SlotTaken when somebody else has the time now."""
    with transaction():
        cart = _own_cart(cart_token)
        line = _own_line(cart.id, line_code, removed=True)
        if line.starts_at is None:
            _merge(cart.id, line)
        else:
            offer = _offer(Variant.id == line.variant_id, ProductKind.SERVICE)
            line.booking_id = hold_slot(
                offer.product_id,
                line.starts_at,
                quantity=line.quantity,
                nights=line.nights or 1,
                until=clock.now() + HOLD_FOR,
            ).id
            line.removed_at = None
        return _ref(cart)


def drop_troubled(cart_token: str | None, line_codes: list[str]) -> CartRef:
    """Take out every line of `line_codes` at once: those that a page said cannot be ordered."""
    with transaction():
        cart = _own_cart(cart_token)
        db.session.execute(
            update(CartLine)
            .where(CartLine.cart_id == cart.id, CartLine.code.in_(line_codes), CartLine.removed_at.is_(None))
            .values(removed_at=clock.now())
            .execution_options(synchronize_session=False)
        )
        return _ref(cart)


# --- its coupon ---------------------------------------------------------------------------------------------------


def use_coupon(cart_token: str | None, typed: str) -> None:
    """Keep a typed code with the cart; what it takes off is said by the cart's totals. Raises UnknownCoupon."""
    code = normal_code(typed)[:LONGEST_COUPON]
    with transaction():
        if not code or not coupon_exists(code):
            raise UnknownCoupon
        cart = lock_cart(cart_token)
        if cart is None:
            raise LineNotFound
        cart.coupon = code
        cart.updated_at = clock.now()


def drop_coupon(cart_token: str | None) -> None:
    """Take the coupon off the cart again."""
    with transaction():
        cart = lock_cart(cart_token)
        if cart is not None:
            cart.coupon = None


# --- for the checkout ---------------------------------------------------------------------------------------------


def lock_cart(cart_token: str | None) -> Cart | None:
    """Take the cart's row until the end of the transaction; None for an unknown token."""
    if not cart_token:
        return None
    return db.session.scalars(
        select(Cart)
        .where(Cart.token_hash == token_hash(cart_token))
        .with_for_update()
        .execution_options(populate_existing=True)
    ).first()


def lock_cart_by_id(cart_id: int) -> Cart | None:
    """The same, for whoever knows its id."""
    found = lock_rows(Cart, [cart_id])
    return found[0] if found else None


def let_go(cart: Cart) -> None:
    """Give back the goods that are held for a cart, whose row is locked: it takes them itself now, or not at all."""
    if cart.held_until is not None:
        release_holds(HOLD_CAUSE, cart.id)
        cart.held_until = None
        db.session.flush()


def empty_into_order(cart: Cart, order_token: str) -> None:
    """The cart has become an order: its lines go, its bookings are the order's now, it remembers the secret link."""
    db.session.execute(delete(CartLine).where(CartLine.cart_id == cart.id).execution_options(synchronize_session=False))
    cart.order_token = order_token
    cart.coupon = None
    cart.updated_at = clock.now()


# --- tidying ------------------------------------------------------------------------------------------------------


def tidy_carts() -> int:
    """Forget removed lines after a day and carts that nobody touched for two months. Returns how many carts went."""
    at = clock.now()
    with transaction():
        db.session.execute(
            delete(CartLine).where(CartLine.removed_at < at - KEEP_REMOVED).execution_options(synchronize_session=False)
        )
        gone = db.session.execute(
            delete(Cart)
            .where(Cart.updated_at < at - KEEP_UNTOUCHED)
            .returning(Cart.id)
            .execution_options(synchronize_session=False)
        ).all()
    return len(gone)


# --- inside -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Opened:
    id: int
    token: str
    lines: int
    count: int


def _pieces() -> Any:
    """How much one line counts in the number beside the cart: its pieces, or one for a reservation."""
    return case((CartLine.starts_at.is_(None), CartLine.quantity), else_=1)


def _open_cart(token: str | None, locale: str, customer_id: int | None, besides: int | None = None) -> _Opened:
    """Lock the cart of `token`, or make one. Lines and count leave out goods of the variant `besides`."""
    shop, at = current_shop(), clock.now()
    if token:
        inside = CartLine.cart_id == Cart.id
        inside &= CartLine.removed_at.is_(None)
        if besides is not None:
            inside &= (CartLine.variant_id != besides) | CartLine.starts_at.is_not(None)
        mine = (CartLine.tenant_id == shop.id) & inside
        values: dict[str, Any] = {"updated_at": at}
        if customer_id is not None:
            values["customer_id"] = customer_id
        found = db.session.execute(
            update(Cart)
            .where(Cart.token_hash == token_hash(token))
            .values(**values)
            .returning(
                Cart.id,
                select(func.count()).where(mine).correlate(Cart).scalar_subquery().label("lines"),
                select(func.coalesce(func.sum(_pieces()), 0)).where(mine).correlate(Cart).scalar_subquery().label("n"),
            )
            .execution_options(synchronize_session=False)
        ).first()
        if found is not None:
            return _Opened(found.id, token, found.lines, int(found.n))
    token = new_token()
    cart_id = db.session.scalar(
        insert(Cart)
        .values(
            tenant_id=shop.id,
            token_hash=token_hash(token),
            customer_id=customer_id,
            locale=locale or shop.locale,
            created_at=at,
            updated_at=at,
        )
        .returning(Cart.id)
    )
    return _Opened(int(cart_id or 0), token, 0, 0)


def _own_cart(token: str | None) -> _Opened:
    cart = lock_cart(token)
    if cart is None or token is None:
        raise LineNotFound
    cart.updated_at = clock.now()
    return _Opened(cart.id, token, 0, 0)


def _own_line(cart_id: int, code: str, *, removed: bool = False) -> CartLine:
    line = db.session.scalars(select(CartLine).where(CartLine.cart_id == cart_id, CartLine.code == code)).first()
    if line is None or (line.removed_at is not None) != removed:
        raise LineNotFound
    return line


def _ref(cart: _Opened) -> CartRef:
    db.session.flush()
    count = db.session.scalar(
        select(func.coalesce(func.sum(_pieces()), 0)).where(CartLine.cart_id == cart.id, CartLine.removed_at.is_(None))
    )
    return CartRef(cart.id, cart.token, int(count or 0))


def _merge(cart_id: int, line: CartLine) -> None:
    """Put removed goods back, into the line of the same variant if one was added in the meantime."""
    twin = db.session.scalars(
        select(CartLine).where(
            CartLine.cart_id == cart_id,
            CartLine.variant_id == line.variant_id,
            CartLine.starts_at.is_(None),
            CartLine.removed_at.is_(None),
        )
    ).first()
    if twin is None:
        line.removed_at = None
        return
    twin.quantity = min(MOST_OF_ONE, twin.quantity + line.quantity)
    db.session.delete(line)


def _offer(which: Any, kind: ProductKind) -> Any:
    offer = db.session.execute(
        select(Variant.id, Variant.product_id, Variant.name, Variant.price_minor, Product.name.label("product_name"))
        .join(Product, Product.id == Variant.product_id)
        .where(which, Variant.active, Product.status == ProductStatus.PUBLISHED, Product.kind == kind)
    ).first()
    if offer is None:
        raise NotForSale
    return offer


def _name(offer: Any) -> str:
    return f"{offer.product_name} · {offer.name}" if offer.name else str(offer.product_name)


def _require_quantity(quantity: int) -> None:
    if not 1 <= quantity <= MOST_OF_ONE:
        raise BadQuantity


def _require_room(lines: int) -> None:
    if lines >= MOST_LINES:
        raise CartFull


def _give_back(booking_ids: list[int], by: Actor) -> None:
    cancel_bookings(booking_ids, by, "")

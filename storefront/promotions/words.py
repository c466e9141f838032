"""What a customer is told about the coupon they typed."""

from __future__ import annotations

from flask_babel import gettext as _

from storefront.kernel.filters import money
from storefront.kernel.money import Money
from storefront.pricing.basket import Totals
from storefront.pricing.discounts import WhyNot
from storefront.promotions.queries import Offers, Trouble


def coupon_note(offers: Offers, sums: Totals) -> str | None:
    """Why the typed coupon takes nothing off, in one sentence; None when it does, or none was typed."""
    if offers.coupon is None:
        return None
    if offers.trouble is not None:
        return {
            Trouble.OVER: _("El cupón %(code)s ya terminó o se agotó.", code=offers.coupon),
            Trouble.NOT_YET: _("El cupón %(code)s todavía no empieza.", code=offers.coupon),
            Trouble.USED_BY_YOU: _("Ya usaste el cupón %(code)s las veces que se puede.", code=offers.coupon),
        }[offers.trouble]
    found = next((one for one in sums.unused if one.discount_id == offers.coupon_id), None)
    if found is None:
        return None
    code, missing = offers.coupon, money(Money(found.missing_minor, sums.currency))
    return {
        WhyNot.BELOW_MINIMUM: _("Te faltan %(missing)s para usar el cupón %(code)s.", missing=missing, code=code),
        WhyNot.NOTHING_FITS: _("El cupón %(code)s no es para lo que llevas.", code=code),
        WhyNot.NOT_FIRST: _("El cupón %(code)s es solo para un primer pedido.", code=code),
        WhyNot.NOT_BOUGHT: _(
            "El cupón %(code)s es para quien ya compró aquí: se usa al pedir con el teléfono o correo de entonces.",
            code=code,
        ),
        WhyNot.NOT_AWAY: _(
            "El cupón %(code)s es para quien compró hace tiempo: se usa al pedir con el teléfono o correo de entonces.",
            code=code,
        ),
        WhyNot.NOT_REGULAR: _(
            "El cupón %(code)s es para clientes frecuentes: se usa al pedir con su teléfono o correo de siempre.",
            code=code,
        ),
        WhyNot.NO_DELIVERY: _("El cupón %(code)s quita el costo de la entrega, si te lo llevamos.", code=code),
        WhyNot.USED_UP: _("El cupón %(code)s ya terminó o se agotó.", code=code),
        WhyNot.BEATEN: _("Ya tienes una promoción mejor que el cupón %(code)s.", code=code),
    }[found.why]

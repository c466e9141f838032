"""The one page on which an order is finished: as few things to type as the order allows."""

from __future__ import annotations

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from wtforms import HiddenField, RadioField, SelectChoice, SelectField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length, Optional, ValidationError

from storefront.checkout.queries import Place
from storefront.customers.address import PostalAddress
from storefront.delivery.points import LONGEST_TEXT, point_in
from storefront.delivery.rates import origin_of_shop
from storefront.kernel.errors import Invalid
from storefront.kernel.filters import money, money_minor
from storefront.kernel.forms import CoordinateField, EmailField, Form, MoneyField, PhoneField
from storefront.kernel.tenancy import current_shop
from storefront.orders.states import FulfilmentMethod
from storefront.pricing.extras import NO_TIP, Tip, most_tip_minor, share_minor

DELIVERY, PICKUP = FulfilmentMethod.DELIVERY.value, FulfilmentMethod.PICKUP.value
OTHER_TIP = "other"


def _choice(place: Place) -> SelectChoice:
    """A place with its price, since a list of many shows nothing else."""
    return SelectChoice(place.value, f"{place.label} · {price_word(place)}")


def price_word(place: Place) -> str:
    """What delivery to a place costs, in a word or two."""
    if place.is_to_be_named:
        return _("La tienda te dice el precio")
    if place.by_distance:
        return _("Según la distancia")
    if place.price is None:
        return _("Es demasiado")
    return money(place.price) if place.price else _("Gratis")


class CheckoutForm(Form):
    """Who, how, where and how to pay. Fields that a choice makes needless are not asked for."""

    key = HiddenField(validators=[InputRequired(), Length(max=64)])
    shown = HiddenField()
    name = StringField(
        _l("Tu nombre"), [DataRequired(_l("Escribe tu nombre.")), Length(max=120)], render_kw={"autocomplete": "name"}
    )
    phone = PhoneField(
        _l("Teléfono o WhatsApp"),
        [InputRequired(_l("Escribe tu teléfono."))],
        description=_l("Solo para avisarte de tu pedido."),
        render_kw={"autocomplete": "tel"},
    )
    how = RadioField(_l("¿Cómo quieres recibirlo?"), choices=[], validate_choice=False)
    place = SelectField(_l("¿A dónde lo llevamos?"), choices=[], validate_choice=False)
    locality = StringField(
        _l("Ciudad, pueblo o barrio"), [Length(max=120)], render_kw={"autocomplete": "address-level2"}
    )
    street = StringField(
        _l("Calle y número, o cómo se llama el lugar"),
        [Length(max=200)],
        render_kw={"autocomplete": "street-address"},
    )
    reference = StringField(
        _l("Referencia para encontrarlo"),
        [Optional(), Length(max=200)],
        description=_l("Por ejemplo: casa azul frente a la iglesia."),
    )
    lat = CoordinateField(_l("Latitud"), [Optional()], limit=90)
    lng = CoordinateField(_l("Longitud"), [Optional()], limit=180)
    point = StringField(
        _l("Enlace del mapa o código plus"),
        [Optional(), Length(max=LONGEST_TEXT)],
        description=_l("Busca tu casa en el mapa, copia el enlace y pégalo aquí; o usa tu ubicación."),
        render_kw={"autocomplete": "off"},
    )
    pay = RadioField(_l("¿Cómo quieres pagar?"), choices=[], validate_choice=False)
    email = EmailField(
        _l("Correo"),
        [Optional()],
        description=_l("Para enviarte la confirmación."),
        render_kw={"autocomplete": "email"},
    )
    coupon = StringField(_l("¿Tienes un cupón?"), [Optional(), Length(max=40)], render_kw={"autocomplete": "off"})
    note = TextAreaField(_l("Nota para la tienda"), [Optional(), Length(max=500)])
    gift_card = StringField(
        _l("¿Tienes una tarjeta de regalo?"),
        [Optional(), Length(max=60)],
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"},
    )
    unread = ""
    """Why what was pasted for the map could not be read."""
    is_covered = False
    """Whether a gift card pays all of it, so that no other way needs to be chosen."""
    tip = RadioField(_l("¿Quieres dejar propina?"), choices=[], validate_choice=False)
    tip_amount = MoneyField(_l("¿Cuánto de propina?"), [Optional()])

    def offer_tips(self, subtotal_minor: int) -> None:
        """Say which tips can be given on top of goods worth so much, none of them chosen; else nothing is asked."""
        shop = current_shop()
        self._goods_minor = subtotal_minor if shop.takes_tips else 0
        self.tips: list[dict[str, str]] = []
        if self._goods_minor:
            shares = [
                {"value": str(one), "label": f"{one} %", "price": money_minor(share_minor(one, subtotal_minor))}
                for one in shop.tip_percents
            ]
            none, other = {"value": "", "label": _("Sin propina")}, {"value": OTHER_TIP, "label": _("Otra cantidad")}
            self.tips = [none, *shares, other]
        if self.tip.data not in {one["value"] for one in self.tips}:
            self.tip.data = ""
        if sentence := self._wrong_tip():
            self.tip_amount.errors = (sentence,)

    def _wrong_tip(self) -> str | None:
        """Why the amount that was typed is no tip; an empty one is missed only when the order is placed."""
        if self.tip.data != OTHER_TIP or self.tip_amount.data is None:
            return None
        if self.tip_amount.data < 0 or self.tip_amount.data > most_tip_minor(self._goods_minor):
            return _("Como máximo %(most)s.", most=money_minor(most_tip_minor(self._goods_minor)))
        return None

    @property
    def chosen_tip(self) -> Tip:
        """What was chosen to be given on top."""
        if self.tip.data == OTHER_TIP:
            amount = self.tip_amount.data
            return NO_TIP if amount is None or self._wrong_tip() else Tip(amount_minor=amount)
        return Tip(percent=int(self.tip.data)) if self.tip.data else NO_TIP

    def offer(self, ways: list[str], places: list[Place]) -> None:
        """Say which ways of receiving and which places there are; a choice outside them falls back to the first."""
        names = {PICKUP: _("Recoger en la tienda"), DELIVERY: _("Que me lo lleven")}
        self.how.choices = [SelectChoice(way, names[way]) for way in ways]
        if self.how.data not in ways:
            self.how.data = ways[0] if ways else ""
        self.offer_places(places)

    def offer_places(self, places: list[Place]) -> None:
        """Say where something can be brought, with what that costs."""
        self.place.choices = [SelectChoice("", _("Elige…")), *(_choice(place) for place in places)]
        self._places = {place.value: place for place in places}
        if self.goes_by_distance and self.point.data:
            self._read_point()

    @property
    def goes_by_distance(self) -> bool:
        """Whether the price of the delivery depends on how far it is."""
        place = self.chosen_place
        return self.to_be_delivered and place is not None and place.by_distance

    @property
    def has_point(self) -> bool:
        """Whether it is known where on the map it goes."""
        return self.lat.data is not None and self.lng.data is not None

    def _read_point(self) -> None:
        """What was pasted says where it is; what cannot be read says why."""
        origin = origin_of_shop()
        try:
            self.lat.data, self.lng.data = point_in(self.point.data or "", origin.point if origin else None)
            self.lat.raw_data = self.lng.raw_data = None
        except Invalid as refusal:
            self.lat.data = self.lng.data = None
            self.unread = str(refusal)
            self.point.errors = (self.unread,)

    @property
    def to_be_delivered(self) -> bool:
        """Whether delivery was chosen."""
        return bool(self.how.data == DELIVERY)

    @property
    def chosen_place(self) -> Place | None:
        """The place on the list that was chosen."""
        return self._places.get(self.place.data or "")

    def validate_place(self, field: Any) -> None:
        """A delivery needs a place of the list."""
        if self.to_be_delivered and self.chosen_place is None:
            raise ValidationError(_("Elige a dónde lo llevamos."))

    def validate_pay(self, field: Any) -> None:
        """One of the ways that go with the rest, where anything is left to pay."""
        if self.is_covered:
            return
        if field.data not in [value for value, *_rest in field.iter_choices()]:
            raise ValidationError(_("Elige cómo quieres pagar."))

    def validate(self, extra_validators: Any = None) -> bool:
        """What only a delivery needs is missed only where a delivery was chosen."""
        good = bool(super().validate(extra_validators))
        missing = {}
        if self.tip.data == OTHER_TIP and not self.tip_amount.errors:
            nothing = _("Escribe cuánto, o elige «Sin propina».") if self.tip_amount.data is None else None
            if sentence := nothing or self._wrong_tip():
                missing["tip_amount"] = sentence
        if self.unread:
            missing["point"] = self.unread
        elif self.goes_by_distance and not self.has_point:
            missing["point"] = _("Pega aquí el enlace del mapa o el código plus de a dónde va.")
        if self.to_be_delivered and not self.street.data:
            missing["street"] = _("Escribe dónde es: una calle, un lugar o una seña.")
        if self.to_be_delivered and self.chosen_place is not None and not self.place_is_named:
            missing["locality"] = _("Escribe en qué ciudad, pueblo o barrio es.")
        for name, sentence in missing.items():
            self[name].errors = [*self[name].errors, sentence]
        return good and not missing

    @property
    def place_is_named(self) -> bool:
        """Whether a delivery says in which town it goes."""
        place = self.chosen_place
        return place is not None and bool(place.locality or self.locality.data)

    def address(self) -> PostalAddress | None:
        """Where to deliver, as far as it is known; None without a place."""
        place = self.chosen_place
        if not self.to_be_delivered or place is None:
            return None
        return PostalAddress(
            recipient=self.name.data or "",
            phone=self.phone.data or "",
            street=self.street.data or "",
            locality=place.locality or self.locality.data or "",
            region=place.region,
            country=current_shop().country,
            reference=self.reference.data or "",
            lat=self.lat.data,
            lng=self.lng.data,
        )

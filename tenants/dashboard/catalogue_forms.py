"""What an owner types about products. Each refusal has its sentence, and what was typed stays on the screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import MultipleFileField
from wtforms import (
    BooleanField,
    FieldList,
    FormField,
    HiddenField,
    RadioField,
    SelectChoice,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.validators import DataRequired, InputRequired, Length, NumberRange, Optional

from storefront.catalogue.actions import BadPrice, Price, ProductTexts, SkuTaken, VariantRow
from storefront.catalogue.assortment import EditableCategory, EditableProduct, EditableVariant
from storefront.catalogue.models import HEAVIEST_G, ProductKind, Translations
from storefront.catalogue.naming import NameNeeded
from storefront.catalogue.queries import language_of
from storefront.inventory.actions import LARGEST_COUNT, BadCount, CountChanged, StillHeld
from storefront.inventory.queries import CountRow
from storefront.inventory.shelf import Draft, Offer
from storefront.kernel.countries import COUNTRIES
from storefront.kernel.errors import Refusal
from storefront.kernel.filters import percent
from storefront.kernel.forms import Form, GramsField, MoneyField, ParsedField
from storefront.kernel.making import MakingForm
from storefront.kernel.taxes import GENERAL, classes_of
from storefront.kernel.tenancy import current_shop

BLANK_ROWS = 3
WEIGHT = [Optional(), NumberRange(1, HEAVIEST_G, _l("Es demasiado peso para una pieza."))]


def tax_choices() -> list[SelectChoice]:
    """The tax classes of the shop's country, with their rates."""
    shop = current_shop()
    name = COUNTRIES[shop.country].tax_name
    return [
        SelectChoice(one.code, one.name if one.exempt else f"{one.name} · {name} {percent(one.rate_bp)}")
        for one in classes_of(shop)
    ]


def option(value: str, label: Any) -> SelectChoice:
    """A choice whose words are translated when they are shown."""
    return SelectChoice(value, label)


class CountField(ParsedField):
    """How many there are: a whole number, or nothing."""

    def parse(self, text: str) -> int:
        """The number; thousands may be separated."""
        digits = text.replace(",", "").replace(".", "").replace(" ", "")
        if not digits.isascii() or not digits.isdigit() or len(digits) > 9 or int(digits) > LARGEST_COUNT:
            raise BadCount
        return int(digits)


def hidden_number(text: str | None) -> int | None:
    """The number in a hidden field; None when there is none or somebody put something else there."""
    return int(text) if text and text.isascii() and text.isdigit() and len(text) < 10 else None


class ProductForm(MakingForm):
    """The short form: name, price, how many; the rest is folded away."""

    name = StringField(_l("Nombre"), [DataRequired(_l("Escribe el nombre del producto.")), Length(max=120)])
    price = MoneyField(_l("Precio"), [InputRequired(_l("Escribe el precio."))])
    stock = CountField(
        _l("¿Cuántas hay?"), [Optional()], description=_l("Déjalo vacío si lo preparas por encargo o no lo cuentas.")
    )
    photos = MultipleFileField(_l("Fotos"), [Optional()], description=_l("JPG, PNG o WebP, hasta 12 MB cada una."))
    description = TextAreaField(_l("Descripción"), [Optional(), Length(max=5_000)])
    category = SelectField(_l("Categoría"), [Optional()], choices=[])
    new_category = StringField(_l("O escribe una categoría nueva"), [Optional(), Length(max=60)])
    kind = RadioField(
        _l("¿Qué es?"),
        choices=[
            option(ProductKind.GOODS.value, _l("Un producto que se entrega")),
            option(ProductKind.SERVICE.value, _l("Un servicio que se reserva")),
        ],
        default=ProductKind.GOODS.value,
    )
    tax_class = SelectField(_l("Impuesto"), [Optional()], choices=[], default=GENERAL)
    known_tags = SelectMultipleField(_l("Las que ya usas"), choices=[], validate_choice=False)
    tags = StringField(
        _l("Escribe otras"), [Optional(), Length(max=400)], description=_l("Separadas por comas: dulce, sin gluten.")
    )
    compare = MoneyField(
        _l("Precio anterior"), [Optional()], description=_l("Se muestra tachado. Debe ser mayor que el precio.")
    )
    sku = StringField(_l("Clave interna"), [Optional(), Length(max=40)])
    weight = GramsField(
        _l("Peso en gramos"), WEIGHT, description=_l("Ya empacado. Hace falta si cobras la entrega por peso.")
    )
    version = HiddenField()
    seen = HiddenField()

    def offer_taxes(self) -> None:
        """Let one of the country's classes be chosen; where there is only one, nobody is asked."""
        self.tax_class.choices = tax_choices()

    def offer_categories(self, shelves: Sequence[EditableCategory]) -> None:
        """Let one of these shelves be chosen."""
        self.category.choices = [
            SelectChoice("", _("Sin categoría")),
            *(SelectChoice(one.code, one.name) for one in shelves),
        ]

    def offer_tags(self, used: Sequence[str]) -> None:
        """Let the words that the shop uses already be picked by a tap."""
        self.known_tags.choices = [SelectChoice(tag, tag) for tag in used]

    def drop_offer(self) -> None:
        """Leave out what belongs to a single variant: the product has several."""
        for name in ("price", "stock", "compare", "sku", "weight", "seen"):
            del self[name]  # type: ignore[no-untyped-call]  # wtforms is not annotated

    def draft(self, shelves: Sequence[EditableCategory], variant: EditableVariant | None) -> Draft:
        """What was typed, for a new product or for one whose only variant is `variant`."""
        chosen = next((one.id for one in shelves if one.code == self.category.data), None)
        texts = ProductTexts(
            name=self.name.data or "",
            description=self.description.data or "",
            kind=ProductKind(self.kind.data),
            category_id=chosen,
            tags=[*self._picked_tags(), *(self.tags.data or "").split(",")],
            tax_class=self.tax_class.data or GENERAL,
        )
        return Draft(texts, self._offer(variant), new_category=self.new_category.data or "")

    def _picked_tags(self) -> list[str]:
        offered = {choice.value for choice in self.known_tags.choices or ()}
        return [tag for tag in self.known_tags.data or () if tag in offered]

    def _offer(self, variant: EditableVariant | None) -> Offer:
        if "price" not in self:
            return Offer(VariantRow("", Price(0)), None)
        row = VariantRow(
            name=variant.name if variant else "",
            price=Price(self.price.data, self.compare.data),
            code=variant.code if variant else "",
            sku=self.sku.data or "",
            active=variant.active if variant else True,
            weight_g=self.weight.data,
        )
        return Offer(row, self.stock.data, hidden_number(self.seen.data))


def fill_product_form(
    form: ProductForm, product: EditableProduct, shelves: Sequence[EditableCategory], counts: dict[str, CountRow]
) -> None:
    """Show a stored product in a form nobody has typed in yet."""
    form.name.data, form.description.data = product.name, product.description
    form.kind.data, form.tax_class.data = product.kind.value, product.tax_class
    offered = {choice.value for choice in form.known_tags.choices or ()}
    form.known_tags.data = [tag for tag in product.tags if tag in offered]
    form.tags.data = ", ".join(tag for tag in product.tags if tag not in offered)
    form.category.data = next((one.code for one in shelves if one.id == product.category_id), "")
    form.version.data = str(product.version)
    variant = product.only_variant
    if variant is not None:
        count = counts[variant.code].on_hand if variant.code in counts else None
        form.price.data, form.compare.data, form.sku.data = variant.price_minor, variant.compare_minor, variant.sku
        form.weight.data = variant.weight_g
        form.stock.data, form.seen.data = count, "" if count is None else str(count)


class VariantForm(Form):
    """One row of the variants editor."""

    code = HiddenField()
    name = StringField(_l("Opción"), [Optional(), Length(max=80)])
    price = MoneyField(_l("Precio"))
    stock = CountField(_l("Hay"), [Optional()])
    sku = StringField(_l("Clave"), [Optional(), Length(max=40)])
    weight = GramsField(_l("Gramos"), WEIGHT)
    active = BooleanField(_l("A la venta"), default=True)
    seen = HiddenField()

    @property
    def is_blank(self) -> bool:
        """Whether it is a new row nobody typed in."""
        return not (self.code.data or self.name.data or (self.price.raw_data and self.price.raw_data[0].strip()))

    def validate(self, extra_validators: Any = None) -> bool:
        """A row somebody typed in needs a price, and a new one its name; a blank one needs nothing."""
        if self.is_blank:
            return True
        fine = super().validate(extra_validators)
        if fine and self.price.data is None:
            self.price.errors = (*self.price.errors, _("Escribe el precio de esta opción."))
            fine = False
        if fine and not self.name.data and not self.code.data:
            self.name.errors = (*self.name.errors, _("Escribe cómo se llama esta opción."))
            fine = False
        return bool(fine)

    def offer(self, known: dict[str, EditableVariant]) -> Offer:
        """What the row says; a known variant keeps its former price where that still makes sense."""
        before = known.get(self.code.data or "")
        former = before.compare_minor if before else None
        price = self.price.data or 0
        row = VariantRow(
            name=self.name.data or "",
            price=Price(price, former if former is not None and former > price else None),
            code=self.code.data or "",
            sku=self.sku.data or "",
            active=bool(self.active.data),
            weight_g=self.weight.data,
        )
        return Offer(row, self.stock.data, hidden_number(self.seen.data))


class VariantsForm(Form):
    """All variants of a product, and some blank rows for new ones."""

    version = HiddenField()
    rows = FieldList(FormField(VariantForm), max_entries=60)

    def validate(self, extra_validators: Any = None) -> bool:
        """Each row is fine, and where there is a choice to make, each option on sale has a name to choose it by."""
        fine = bool(super().validate(extra_validators))
        on_sale = [row for row in self.written() if row.active.data]
        for row in on_sale if len(on_sale) > 1 else ():
            if not row.name.data:
                row.name.errors = (*row.name.errors, _("Ponle un nombre para distinguirla de las otras."))
                fine = False
        return fine

    def written(self) -> list[VariantForm]:
        """The rows somebody typed in, in order."""
        return [entry.form for entry in self.rows if not entry.form.is_blank]

    def add_blanks(self, many: int = BLANK_ROWS) -> None:
        """Add blank rows, as far as there is room."""
        for _number in range(min(many, 60 - len(self.rows))):
            self.rows.append_entry({"active": True})


def fill_variants_form(form: VariantsForm, product: EditableProduct, counts: dict[str, CountRow]) -> None:
    """Show stored variants in an editor nobody has typed in yet."""
    form.version.data = str(product.version)
    for variant in product.variants:
        count = counts[variant.code].on_hand if variant.code in counts else None
        form.rows.append_entry(
            {
                "code": variant.code,
                "name": variant.name,
                "price": variant.price_minor,
                "stock": count,
                "sku": variant.sku,
                "weight": variant.weight_g,
                "active": variant.active,
                "seen": "" if count is None else str(count),
            }
        )
    form.add_blanks()


class TranslationForm(Form):
    """A product's texts in one other language."""

    name = StringField(_l("Nombre"), [Optional(), Length(max=120)])
    description = TextAreaField(_l("Descripción"), [Optional(), Length(max=5_000)])


class CategoryForm(MakingForm):
    """A shelf's name."""

    name = StringField(_l("Nombre de la categoría"), [DataRequired(_l("Escribe un nombre.")), Length(max=60)])


class CategoryTranslationForm(Form):
    """A shelf's name in one other language."""

    name = StringField(_l("Nombre"), [Optional(), Length(max=60)])


class PictureForm(Form):
    """What a picture shows, in words."""

    alt = StringField(_l("¿Qué se ve en la foto?"), [Optional(), Length(max=200)])


def translations_of(forms: Iterable[tuple[str, Form]]) -> Translations:
    """What was typed, by language."""
    return {language: {name: str(text or "") for name, text in form.data.items()} for language, form in forms}


_PLACES: dict[type[Refusal], str] = {
    NameNeeded: "name",
    BadPrice: "compare",
    SkuTaken: "sku",
    BadCount: "stock",
    StillHeld: "stock",
    CountChanged: "stock",
}


def show_refusal(form: Form, refusal: Refusal) -> None:
    """Put a refusal's sentence beside the field it is about, or on top of the form."""
    place = _PLACES.get(type(refusal), "")
    if place and place in form:
        form[place].errors = (*form[place].errors, str(refusal))
    else:
        form.form_errors = [*form.form_errors, str(refusal)]


def one_earlier(ids: list[int], moved: int) -> list[int]:
    """The ids with `moved` one place nearer to the front."""
    place = ids.index(moved)
    if place > 0:
        ids[place - 1], ids[place] = ids[place], ids[place - 1]
    return ids


def other_languages() -> list[str]:
    """The languages of the shop's pages beside its own."""
    shop = current_shop()
    own = language_of(shop.locale)
    return [one for one in dict.fromkeys(language_of(locale) for locale in shop.locales) if one != own]

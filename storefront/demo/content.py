"""The shapes of a demonstration shop's data. Nothing here knows how it is stored.

Money is in minor units of the shop's currency (none for CLP), durations and notices in minutes, times of day local to
the shop. `translations` has the catalogue's own form: language to field to text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

Translations: TypeAlias = Mapping[str, Mapping[str, str]]
Hours: TypeAlias = Mapping[str, list[list[str]]]
"""mon…sun to [from, to] pairs; a day that is missing is closed."""

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@dataclass(frozen=True, slots=True)
class DemoVariant:
    """One thing to choose. No price of its own: the product's; no stock: made to order, never counted."""

    name: str
    sku: str
    price_minor: int | None = None
    stock: int | None = None


@dataclass(frozen=True, slots=True)
class DemoService:
    """How a product is reserved. Each window of `hours` of a tour or workshop holds exactly one departure."""

    unit: Literal["time", "night"]
    resource: str
    capacity: int
    hours: Hours
    duration_min: int = 60
    step_min: int = 60
    min_notice_min: int = 120
    horizon_days: int = 60
    check_in: str = "15:00"
    check_out: str = "12:00"

    @property
    def departures(self) -> tuple[str, ...]:
        """Times of day at which it begins, whatever the day."""
        return tuple(sorted({window[0] for windows in self.hours.values() for window in windows}))


@dataclass(frozen=True, slots=True)
class DemoProduct:
    """One product or service; `picture` names an illustration and `alt` says what it shows."""

    slug: str
    name: str
    kind: Literal["goods", "service"]
    category: str
    description: str
    price_minor: int
    variants: tuple[DemoVariant, ...]
    tags: tuple[str, ...]
    picture: str
    alt: str
    service: DemoService | None = None
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DemoCategory:
    """A shelf of the shop; products name it by `slug`."""

    slug: str
    name: str
    translations: Translations = field(default_factory=dict)
    weight_g: int | None = None
    """What one of its products weighs, packed."""
    tax_class: str = "general"


@dataclass(frozen=True, slots=True)
class DemoZone:
    """Where the shop delivers and for how much; no localities means the whole region, no region everywhere.

    `by_weight` holds pairs of up to how many grams (None: however many) and the price.
    """

    name: str
    region: str | None
    localities: tuple[str, ...]
    price_minor: int
    free_above_minor: int | None = None
    by_weight: tuple[tuple[int | None, int], ...] = ()


@dataclass(frozen=True, slots=True)
class DemoPromotion:
    """What a shop gives away; `percent` of the categories it names by slug, or of everything. No code: by itself."""

    name: str
    percent: int
    coupon: str = ""
    categories: tuple[str, ...] = ()
    minimum_minor: int = 0
    audience: str = "everybody"
    audience_number: int | None = None
    usage_limit: int | None = None


@dataclass(frozen=True, slots=True)
class DemoShop:
    """A whole shop, as its owner would have entered it."""

    slug: str
    name: str
    owner: str
    staff: tuple[str, ...]
    country: str
    currency: str
    locale: str
    locales: tuple[str, ...]
    timezone: str
    status: Literal["live", "suspended"]
    theme: str
    hue: int
    tagline: str
    about: str
    address: str
    phone: str
    email: str
    hours: Hours
    payment_methods: tuple[str, ...]
    bank_details: str
    cover: str
    cover_alt: str
    categories: tuple[DemoCategory, ...]
    zones: tuple[DemoZone, ...]
    tastes: tuple[str, ...]
    products: tuple[DemoProduct, ...]
    house_rules: tuple[str, ...] = ()
    promotions: tuple[DemoPromotion, ...] = ()
    hours_said: str = ""
    """The hours as the shop writes them on its door."""
    deposits: tuple[tuple[str, int], ...] = ()
    """Products, by slug, that are ordered with a deposit, and how many per cent of them that is."""
    packaging_minor: int = 0
    """What packaging costs for what is delivered."""
    tips: tuple[int, ...] = ()
    """The percentages that are suggested as a tip; none: the shop takes no tips."""
    returns: tuple[int, str] = (0, "")
    """For how many days goods may come back, and in which words the shop says so."""
    bundles: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = ()
    """What is in a product that is a bundle: so many of which others, by their first variant."""
    gift_amounts: tuple[int, ...] = ()
    """For how much its gift cards are sold; none: it sells no cards."""
    gift_between: tuple[int, int] = (0, 0)
    """Between which bounds another amount may be written."""
    translations: Translations = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DemoAddress:
    """Where a customer receives, with the landmark people really give; `region` is a code of the country's pack."""

    label: str
    street: str
    neighbourhood: str
    locality: str
    region: str
    country: str
    reference: str
    lat: float
    lng: float
    postcode: str = ""
    instructions: str = ""


@dataclass(frozen=True, slots=True)
class DemoCustomer:
    """An invented customer of one shop. `note` is what they would write on an order."""

    shop: str
    name: str
    phone: str
    email: str
    locale: str
    tastes: tuple[str, ...] = ()
    address: DemoAddress | None = None
    note: str = ""


def goods(  # noqa: PLR0913, PLR0917 - one product is one line of a catalogue, read from left to right
    slug: str,
    name: str,
    category: str,
    price_minor: int,
    description: str,
    alt: str,
    tags: tuple[str, ...],
    variants: tuple[DemoVariant, ...] = (),
    *,
    stock: int | None = None,
    picture: str = "",
) -> DemoProduct:
    """Return a product to sell. Without variants it gets one, with an article number made of its slug."""
    only = (DemoVariant("", slug.upper(), None, stock),)
    return DemoProduct(
        slug, name, "goods", category, description, price_minor, variants or only, tags, picture or slug, alt
    )


def every(days: tuple[str, ...], *windows: tuple[str, str]) -> dict[str, list[list[str]]]:
    """Return the same opening windows for each of the days."""
    return {day: [list(window) for window in windows] for day in days}

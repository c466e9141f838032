"""All the demonstration's shops: three that sell and one that is suspended."""

from storefront.demo import espiga, illimani, posada
from storefront.demo.content import DAYS, DemoCategory, DemoShop, every

FLORES = DemoShop(
    slug="flores",
    name="Flores del Valle",
    owner="Norma Castaño",
    staff=(),
    country="CO",
    currency="COP",
    locale="es_CO",
    locales=("es",),
    timezone="America/Bogota",
    status="suspended",
    theme="vitrina",
    hue=350,
    tagline="Ramos del día, cortados esta mañana",
    about="Flores de la sabana, sin cámara fría.",
    address="Carrera 43 n.º 10-21, Medellín. Junto al paradero de la esquina.",
    phone="+573215550100",
    email="ramos@flores.example.com",
    hours=every(DAYS[:6], ("08:00", "18:00")),
    payment_methods=("pay_at_shop",),
    bank_details="Banco de Ejemplo (datos ficticios, no consignes)\nCuenta 000-000000-00",
    cover="portada-flores",
    cover_alt="Macetas de colores con flores abiertas contra una pared de rayas",
    categories=(DemoCategory("ramos", "Ramos"),),
    zones=(),
    tastes=(),
    products=(),
)

SHOPS: tuple[DemoShop, ...] = (espiga.SHOP, illimani.SHOP, posada.SHOP, FLORES)


def shop_called(slug: str) -> DemoShop:
    """Return the shop with that slug. Raises KeyError."""
    return {shop.slug: shop for shop in SHOPS}[slug]

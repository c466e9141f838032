"""Posada Cerro Alegre, Valparaíso: five kinds of room and what there is to do around them."""

from storefront.demo.content import DAYS, DemoCategory, DemoProduct, DemoService, DemoShop, DemoVariant, every

ALWAYS = every(DAYS, ("00:00", "23:59"))
DAY = 24 * 60


def room(
    slug: str, name: str, price_minor: int, count: int, words: tuple[str, str], tags: tuple[str, ...]
) -> DemoProduct:
    """Return a kind of room, by the night; `words` are its description and what its picture shows."""
    service = DemoService("night", name, count, ALWAYS, DAY, DAY, min_notice_min=180, horizon_days=240)
    variants = (DemoVariant("Por noche", slug.upper()),)
    return DemoProduct(slug, name, "service", "piezas", words[0], price_minor, variants, tags, slug, words[1], service)


def outing(  # noqa: PLR0913, PLR0917 - one outing is one line of the programme, read from left to right
    slug: str,
    name: str,
    price_minor: int,
    when: DemoService,
    words: tuple[str, str],
    tags: tuple[str, ...],
    category: str = "paseos",
) -> DemoProduct:
    """Return something to join or to hire, by the place; `words` are its description and what its picture shows."""
    variants = (DemoVariant("Por persona" if when.capacity > 1 else "", slug.upper()),)
    return DemoProduct(slug, name, "service", category, words[0], price_minor, variants, tags, slug, words[1], when)


ROOMS = (
    room("pieza-bahia", "Pieza Bahía", 68000, 2,
         ("Cama de dos plazas y ventanal a la bahía. Baño privado, estufa y escritorio. Segundo piso, sin ascensor. "
          "Desayuno incluido.",
          "Dormitorio con cama azul y una ventana desde donde se ve una lancha en la bahía"),
         ("en pareja", "vista al mar", "desayuno incluido")),
    room("pieza-doble", "Pieza de dos camas", 62000, 3,
         ("Dos camas de plaza y media, mirando a los techos del cerro. Baño privado y calefacción. Primer piso, con "
          "acceso sin gradas. Desayuno incluido.",
          "Dos camas con cubrecamas rojos bajo una ventana con casas de colores"),
         ("amigos", "sin escaleras", "desayuno incluido")),
    room("buhardilla", "Buhardilla del entretecho", 45000, 1,
         ("Para una persona: vigas a la vista, cama de plaza y media y baño compartido con otra pieza. Cuidado con "
          "la cabeza si mides más de 1,85 m. Desayuno incluido.",
          "Pieza bajo el techo con vigas de madera, guirnalda de luces y cama verde"),
         ("viajar solo", "económico", "desayuno incluido")),
    room("suite-balcon", "Suite con balcón", 98000, 1,
         ("La más grande: cama king, balcón con baranda antigua, tina y sillón para leer. Tercer piso, por "
          "escalera. Desayuno en la pieza si lo pides la noche anterior.",
          "Suite clara con puertas abiertas a un balcón sobre el puerto"),
         ("en pareja", "vista al mar", "desayuno incluido")),
    room("pieza-familiar", "Pieza familiar", 89000, 2,
         ("Cama de dos plazas y un camarote para niñas y niños de hasta 12 años. Cuna sin costo. Baño privado con "
          "tina. Desayuno incluido.",
          "Dormitorio con camarote de madera, cama azul y alfombra redonda"),
         ("con niños", "desayuno incluido")),
)  # fmt: skip

OUTINGS = (
    outing("tour-murales", "Caminata de murales y escaleras", 18000,
           DemoService("time", "Guía Marcela", 12, every(DAYS, ("10:00", "12:30"), ("16:00", "18:30")), 150, 150,
                       180, 90),
           ("Dos horas y media a pie por los cerros Alegre y Concepción, con quienes conocen a los muralistas. "
            "Muchas gradas; sale con llovizna. Termina en el ascensor Reina Victoria.",
            "Dos personas frente a un mural de una mujer con flores, junto a una escalera pintada"),
           ("caminar", "arte", "amigos")),
    outing("tour-lancha", "Paseo en lancha por la bahía", 12000,
           DemoService("time", "Lancha Doña Rosa", 10,
                       every(DAYS, ("11:00", "12:00"), ("13:00", "14:00"), ("17:00", "18:00")), 60, 60, 120, 60),
           ("Una hora desde el muelle Prat, con chaleco salvavidas para todas las tallas. Se suspende con bandera "
            "roja y te devolvemos el dinero completo.",
            "Lancha roja con pasajeros frente a las grúas y las casas del puerto"),
           ("mar", "con niños", "amigos")),
    outing("tour-vinos", "Día en el valle de Casablanca", 74000,
           DemoService("time", "Furgón del valle", 8, every(("tue", "thu", "sat"), ("09:30", "17:30")), 480, 480,
                       2 * DAY, 90),
           ("Dos viñas pequeñas, degustación y almuerzo. Traslado desde la posada. Mayores de 18 años; hay jugo de "
            "uva para quien maneja o no bebe.",
            "Botella y copa de vino tinto frente a hileras de viñas"),
           ("en pareja", "vino", "comer bien")),
    outing("taller-cocina", "Taller de cocina porteña", 36000,
           DemoService("time", "Cocina de la posada", 6, every(("wed", "fri", "sun"), ("11:00", "14:30")), 210, 210,
                       DAY, 60),
           ("Vamos al mercado El Cardonal, cocinamos caldillo y pescado del día, y comemos juntos. Cuéntanos antes "
            "si tienes alergias; hay versión sin mariscos.",
            "Olla de greda humeante, un pescado sobre la tabla y frascos en la repisa"),
           ("comer bien", "amigos", "con niños")),
    outing("tour-fotos", "Fotografía al atardecer", 24000,
           DemoService("time", "Guía Iván", 6, every(("mon", "wed", "fri", "sat"), ("18:00", "20:30")), 150, 150,
                       240, 60),
           ("De mirador en mirador hasta que se encienden los cerros. Sirve cualquier cámara, también la del "
            "teléfono. Te prestamos trípode.",
            "Cámara sobre un trípode frente a los cerros iluminados al anochecer"),
           ("caminar", "arte", "en pareja")),
)  # fmt: skip

EXTRAS = (
    outing("desayuno", "Desayuno en la terraza", 9500,
           DemoService("time", "Mesas de la terraza", 16, every(DAYS, ("08:00", "11:00")), 60, 30, 720, 60),
           ("Pan amasado, palta, huevos de campo, fruta y café de grano, mirando el puerto. Para quienes no alojan "
            "aquí; si te quedas con nosotros ya está incluido.",
            "Mesa con tostada de palta, huevo, jugo y una taza roja frente a la bahía"),
           ("comer bien", "vista al mar", "en pareja"), "servicios"),
    outing("cena-marina", "Cena marina de los viernes", 28000,
           DemoService("time", "Comedor", 14, every(("fri",), ("20:30", "23:00")), 150, 150, DAY, 60),
           ("Paila marina, pan recién hecho y un postre, en una sola mesa larga. Contiene mariscos y pescado. Avisa "
            "al reservar si prefieres la versión de verduras.",
            "Paila de greda con choritos, camarones y cilantro, con limón y pan"),
           ("comer bien", "mar", "amigos"), "servicios"),
    outing("bicicleta", "Bicicleta por cuatro horas", 11000,
           DemoService("time", "Bicicletas", 5, every(DAYS, ("09:00", "13:00"), ("14:00", "18:00")), 240, 240, 60, 60),
           ("Para el borde costero, de plaza Sotomayor a caleta Portales. Con casco, candado y mapa. Desde 1,50 m "
            "de estatura. Deja un documento en recepción.",
            "Bicicleta amarilla con canasto de flores junto a una pared de calamina"),
           ("bicicleta", "amigos", "mar"), "servicios"),
    outing("traslado", "Traslado al aeropuerto de Santiago", 58000,
           DemoService("time", "Furgón de la posada", 1,
                       every(DAYS, ("05:00", "08:00"), ("09:00", "12:00"), ("13:00", "16:00"), ("17:00", "20:00")),
                       180, 180, DAY, 120),
           ("Furgón para hasta cinco personas con maletas, puerta a puerta. El precio es por viaje, no por persona. "
            "Silla de niño sin costo si la pides.",
            "Furgón celeste y crema con maletas en el techo por el camino costero"),
           ("con niños", "amigos", "sin escaleras"), "servicios"),
)  # fmt: skip

SHOP = DemoShop(
    slug="posada",
    name="Posada Cerro Alegre",
    owner="Diego Fuentes Rojas",
    staff=(),
    country="CL",
    currency="CLP",
    locale="es_CL",
    locales=("es",),
    timezone="America/Santiago",
    status="live",
    theme="posada",
    hue=222,
    tagline="Nueve piezas y una terraza sobre el puerto",
    about=(
        "Somos una casa de 1910 forrada en calamina, restaurada por la familia. Hay libros, gatos y siempre alguien en "
        "la cocina. Del ascensor El Peral se llega caminando en cuatro minutos."
    ),
    address="Pasaje Los Alcatraces 42, Cerro Alegre, Valparaíso. La casa celeste de la esquina, frente a la escalera.",
    phone="+56955550100",
    email="reservas@posada.example.com",
    hours=every(DAYS, ("08:00", "22:00")),
    hours_said="Recepción todos los días, de 8:00 a 22:00",
    payment_methods=("pay_at_shop", "bank_transfer", "card"),
    bank_details=(
        "Banco de Ejemplo (datos ficticios, no transfieras)\nPosada Cerro Alegre · RUT 00.000.000-0\n"
        "Cuenta corriente 000-00000-00\nMándanos el comprobante desde la página de tu reserva."
    ),
    cover="portada-posada",
    cover_alt="El cerro con sus casas de colores, el ascensor rojo y la bahía",
    categories=(
        DemoCategory("piezas", "Piezas"),
        DemoCategory("paseos", "Paseos y talleres"),
        DemoCategory("servicios", "Mesa y servicios"),
    ),
    tips=(5, 10),
    zones=(),
    tastes=("en pareja", "con niños", "caminar", "comer bien", "mar", "arte", "vino", "bicicleta", "sin escaleras"),
    products=(*ROOMS, *OUTINGS, *EXTRAS),
    house_rules=(
        "Entrada desde las 15:00 y salida hasta las 12:00; guardamos tus maletas antes y después.",
        "Silencio de 23:00 a 8:00: las paredes son de 1910.",
        "No se fuma adentro; en la terraza sí.",
        "Mascotas pequeñas bienvenidas si nos avisas antes.",
        "Puedes cancelar sin costo hasta 48 horas antes de llegar.",
    ),
)  # fmt: skip

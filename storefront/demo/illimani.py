"""Tejidos Illimani, La Paz: knitwear and crafts, told in Spanish, Portuguese and English."""

from dataclasses import replace

from storefront.demo.content import (
    DAYS,
    DemoCategory,
    DemoProduct,
    DemoService,
    DemoShop,
    DemoVariant,
    DemoZone,
    Translations,
    every,
    goods,
)


def told(product: DemoProduct, pt: tuple[str, str], en: tuple[str, str]) -> DemoProduct:
    """Return the product with its name and description in Portuguese and English."""
    words: Translations = {
        language: {"name": text[0], "description": text[1]} for language, text in (("pt", pt), ("en", en))
    }
    return replace(product, translations=words)


def sizes(code: str, stock: tuple[int, ...], names: tuple[str, ...] = ("S", "M", "L", "XL")) -> tuple[DemoVariant, ...]:
    """Return one variant for each size, with how many there are of it."""
    return tuple(DemoVariant(name, f"{code}-{name}", None, count) for name, count in zip(names, stock, strict=True))


def colours(code: str, choices: tuple[tuple[str, int], ...]) -> tuple[DemoVariant, ...]:
    """Return one variant for each colour, with how many there are of it."""
    return tuple(DemoVariant(name, f"{code}-{n}", None, stock) for n, (name, stock) in enumerate(choices, 1))


SWEATERS = (
    told(goods("sueter-aguayo", "Suéter con franja de aguayo", "sueteres", 52000,
               "Alpaca y lana de oveja (70/30), tejido a dos agujas por doña Remedios en El Alto. Cuatro días de "
               "trabajo. Se lava a mano con agua fría y se seca extendido.",
               "Suéter azul índigo con franjas andinas en pecho y mangas", ("alpaca", "colores vivos", "abrigo"),
               sizes("SUA", (3, 5, 4, 2))),
         ("Suéter com faixa de aguayo",
          "Alpaca e lã de ovelha (70/30), tricotado à mão por dona Remedios em El Alto. Quatro dias de trabalho. "
          "Lave à mão com água fria e seque na horizontal."),
         ("Sweater with an aguayo band",
          "Alpaca and sheep's wool (70/30), hand knitted by doña Remedios in El Alto. Four days of work. Hand wash "
          "cold and dry flat.")),
    told(goods("sueter-ochos", "Suéter de ochos", "sueteres", 58000,
               "Alpaca natural sin teñir, punto grueso con trenzas. Abriga de verdad en el altiplano. Se lava a "
               "mano; no lo cuelgues.",
               "Suéter color crema con trenzas en relieve sobre fondo rojizo", ("alpaca", "colores tierra", "abrigo"),
               sizes("SUO", (2, 4, 4, 1))),
         ("Suéter de tranças",
          "Alpaca natural sem tingimento, ponto grosso com tranças. Aquece de verdade no altiplano. Lave à mão; não "
          "pendure."),
         ("Cable sweater",
          "Undyed natural alpaca in a thick cable stitch. Warm enough for the altiplano. Hand wash; do not hang.")),
    told(goods("sueter-llamitas", "Suéter de llamitas para niños", "sueteres", 29000,
               "Lana suave que no pica, con una ronda de llamas en el pecho. Puños largos para que dure dos "
               "inviernos. Se lava a mano.",
               "Suéter verde pequeño con una fila de llamas blancas", ("niños", "colores vivos", "abrigo"),
               sizes("SLL", (4, 4, 3), ("2-3 años", "4-5 años", "6-7 años"))),
         ("Suéter de lhaminhas para crianças",
          "Lã macia que não pinica, com uma roda de lhamas no peito. Punhos longos para durar dois invernos. Lave à "
          "mão."),
         ("Little llamas sweater for children",
          "Soft wool that does not itch, with a ring of llamas across the chest. Long cuffs, to last two winters. "
          "Hand wash.")),
    told(goods("cardigan-botones", "Cárdigan con botones de hueso", "sueteres", 56000,
               "Alpaca bebé teñida con cochinilla; el tono varía un poco en cada tanda. Botones de hueso y dos "
               "bolsillos. Lavado en seco o a mano.",
               "Cárdigan rojo cochinilla con cinco botones claros y bolsillos", ("alpaca", "colores vivos"),
               sizes("CAR", (2, 3, 3, 2))),
         ("Cardigã com botões de osso",
          "Baby alpaca tingida com cochonilha; o tom varia um pouco a cada lote. Botões de osso e dois bolsos. "
          "Lavagem a seco ou à mão."),
         ("Cardigan with bone buttons",
          "Baby alpaca dyed with cochineal; the shade varies slightly from batch to batch. Bone buttons and two "
          "pockets. Dry clean or hand wash.")),
    told(goods("saco-largo", "Saco largo abierto", "sueteres", 69000,
               "Hasta medio muslo, sin botones, con guarda de rombos. Alpaca en su color café natural. Lavado en seco.",
               "Saco tejido café abierto al frente con guarda de rombos", ("alpaca", "colores tierra", "abrigo"),
               sizes("SAC", (2, 2, 2), ("S", "M", "L"))),
         ("Casaco longo aberto",
          "Até o meio da coxa, sem botões, com barra de losangos. Alpaca em seu marrom natural. Lavagem a seco."),
         ("Long open cardigan",
          "Mid-thigh, no buttons, with a border of diamonds. Alpaca in its natural brown. Dry clean.")),
)  # fmt: skip

WRAPS = (
    told(goods("poncho", "Poncho de gala", "ponchos", 98000,
               "Tejido en telar de cintura en Charazani, con flecos torcidos a mano. Pieza única: el orden de las "
               "franjas cambia en cada una. Solo lavado en seco.",
               "Poncho rojo con franjas, rombos y flecos, extendido", ("telar", "colores vivos", "pieza única"),
               stock=2),
         ("Poncho de festa",
          "Tecido em tear de cintura em Charazani, com franjas torcidas à mão. Peça única: a ordem das listras muda "
          "em cada uma. Somente lavagem a seco."),
         ("Ceremonial poncho",
          "Woven on a backstrap loom in Charazani, its fringes twisted by hand. One of a kind: the order of the "
          "stripes changes each time. Dry clean only.")),
    told(goods("chal", "Chal triangular calado", "ponchos", 34000,
               "Alpaca bebé muy liviana, 180 × 90 cm. Cabe en un bolsillo y abriga de noche. Se lava a mano.",
               "Chal triangular verde azulado con calados y flecos", ("alpaca", "liviano", "para regalar"),
               colours("CHA", (("Verde laguna", 5), ("Crudo", 4), ("Vino", 3)))),
         ("Xale triangular rendado",
          "Baby alpaca muito leve, 180 × 90 cm. Cabe no bolso e aquece à noite. Lave à mão."),
         ("Openwork triangular shawl",
          "Very light baby alpaca, 180 × 90 cm. Fits in a pocket and warms an evening. Hand wash.")),
    told(goods("bufanda", "Bufanda con puntas de aguayo", "ponchos", 21000,
               "Punto doble, 190 cm de largo y flecos. Las puntas llevan los colores del mercado de las Brujas. Se "
               "lava a mano.",
               "Bufanda azul anudada con puntas de franjas de colores", ("alpaca", "colores vivos", "para regalar"),
               stock=11),
         ("Cachecol com pontas de aguayo",
          "Ponto duplo, 190 cm de comprimento e franjas. As pontas levam as cores do mercado das Bruxas. Lave à mão."),
         ("Scarf with aguayo ends",
          "Double knit, 190 cm long, with fringes. The ends carry the colours of the Witches' Market. Hand wash.")),
    told(goods("manta", "Manta de alpaca para cama", "casa", 79000,
               "Colores naturales, sin tintes: crema, arena y café. 150 × 200 cm, 1,6 kg. Lavado en seco; sacúdela "
               "al sol.",
               "Mantas dobladas en tonos crema y café con flecos", ("alpaca", "colores tierra", "abrigo"),
               (DemoVariant("Una plaza", "MAN-1", None, 4), DemoVariant("Dos plazas", "MAN-2", 108000, 3))),
         ("Manta de alpaca para cama",
          "Cores naturais, sem corantes: creme, areia e marrom. 150 × 200 cm, 1,6 kg. Lavagem a seco; sacuda ao sol."),
         ("Alpaca blanket for the bed",
          "Natural colours, no dyes: cream, sand and brown. 150 × 200 cm, 1.6 kg. Dry clean; shake it out in the "
          "sun.")),
)  # fmt: skip


SMALL_KNITS = (
    told(goods("chullo", "Chullo con orejeras", "gorros", 16000,
               "Con trenzas y pompones. Forro de polar para que no pique. Talla única adulta; a pedido también para "
               "niños.",
               "Gorro andino rojo con llamas, orejeras y pompones", ("alpaca", "colores vivos", "abrigo"), stock=14),
         ("Gorro chullo com orelheiras",
          "Com tranças e pompons. Forro de fleece para não pinicar. Tamanho único adulto; sob encomenda também "
          "infantil."),
         ("Chullo cap with ear flaps",
          "With braids and pompoms. Fleece lining, so it does not itch. One adult size; children's on request.")),
    told(goods("gorro", "Gorro acanalado con pompón", "gorros", 13000,
               "Punto elástico que se adapta. El pompón se quita para lavar. Alpaca y merino a partes iguales.",
               "Gorro verde musgo acanalado con pompón crema", ("alpaca", "colores tierra", "para regalar"),
               colours("GOR", (("Musgo", 8), ("Crudo", 6), ("Café", 5)))),
         ("Gorro canelado com pompom",
          "Ponto elástico que se ajusta. O pompom sai para lavar. Alpaca e merino em partes iguais."),
         ("Ribbed beanie with pompom",
          "A stretchy stitch that adapts. The pompom comes off for washing. Equal parts alpaca and merino.")),
    told(goods("guantes", "Guantes de cinco dedos", "manos-y-pies", 12000,
               "Con guarda de rombos y puño largo. Las yemas van reforzadas. Se lavan a mano.",
               "Par de guantes azules con rombos y puño rojo", ("alpaca", "colores vivos", "abrigo"),
               sizes("GUA", (7, 6), ("S-M", "L"))),
         ("Luvas de cinco dedos", "Com barra de losangos e punho longo. Pontas dos dedos reforçadas. Lave à mão."),
         ("Five-finger gloves", "With a band of diamonds and a long cuff. Reinforced fingertips. Hand wash.")),
    told(goods("mitones", "Mitones", "manos-y-pies", 9500,
               "Dejan libres los dedos para trabajar o usar el teléfono. Alpaca cruda con cruces cafés.",
               "Mitones color crema con cruces cafés", ("alpaca", "colores tierra", "para regalar"), stock=16),
         ("Luvas sem dedos",
          "Deixam os dedos livres para trabalhar ou usar o celular. Alpaca crua com cruzes marrons."),
         ("Fingerless mitts", "Leave your fingers free to work or use the phone. Undyed alpaca with brown crosses.")),
    told(goods("medias", "Medias de lana para dormir", "manos-y-pies", 8500,
               "Gruesas y sin costura en la punta. Un pie con talón rojo y el otro azul, a propósito. Se lavan a mano.",
               "Par de medias crema con franjas, un talón rojo y otro azul",
               ("colores vivos", "abrigo", "para regalar"),
               sizes("MED", (12, 10), ("35-39", "40-44"))),
         ("Meias de lã para dormir",
          "Grossas e sem costura na ponta. Um pé com calcanhar vermelho e o outro azul, de propósito. Lave à mão."),
         ("Wool bed socks",
          "Thick, with no seam at the toe. One foot has a red heel and the other a blue one, on purpose. Hand wash.")),
    told(goods("ovillos", "Ovillos de alpaca", "tejer", 4800,
               "Cien gramos, grosor medio, agujas de 4 mm. Teñidos con cochinilla, chilca y nogal. Pide del mismo "
               "lote si necesitas varios.",
               "Canasta con ovillos de lana de seis colores", ("alpaca", "colores tierra", "tejer"),
               colours("OVI", (("Índigo", 30), ("Cochinilla", 24), ("Musgo", 18), ("Natural", 40)))),
         ("Novelos de alpaca",
          "Cem gramas, espessura média, agulhas de 4 mm. Tingidos com cochonilha, chilca e nogueira. Peça do mesmo "
          "lote se precisar de vários."),
         ("Balls of alpaca yarn",
          "One hundred grams, medium weight, 4 mm needles. Dyed with cochineal, chilca and walnut. Ask for the same "
          "batch if you need several.")),
)  # fmt: skip


CRAFTS = (
    told(goods("aguayo", "Aguayo tejido en telar", "casa", 46000,
               "Dos paños unidos a mano, 115 × 115 cm. Sirve de mantel, de colcha o para cargar guagua. Lana de "
               "oveja; lávalo solo la primera vez.",
               "Aguayo rojo de franjas andinas con una esquina doblada", ("telar", "colores vivos", "pieza única"),
               stock=6),
         ("Aguayo tecido em tear",
          "Dois panos unidos à mão, 115 × 115 cm. Serve de toalha, colcha ou para carregar bebê. Lã de ovelha; lave "
          "separado na primeira vez."),
         ("Loom-woven aguayo",
          "Two panels joined by hand, 115 × 115 cm. A tablecloth, a bedspread or a baby sling. Sheep's wool; wash "
          "separately the first time.")),
    told(goods("morral", "Morral con solapa", "bolsos", 27000,
               "Aguayo recuperado y forro de algodón, correa ajustable y bolsillo interior. Le caben un libro y un "
               "termo.",
               "Bolso de franjas con solapa azul de llamas, correa y flecos",
               ("telar", "colores vivos", "para regalar"),
               stock=9),
         ("Bolsa a tiracolo com aba",
          "Aguayo reaproveitado e forro de algodão, alça regulável e bolso interno. Cabem um livro e uma garrafa "
          "térmica."),
         ("Shoulder bag with flap",
          "Reclaimed aguayo with a cotton lining, adjustable strap and an inner pocket. Holds a book and a flask.")),
    told(goods("monedero", "Monedero con cierre", "bolsos", 5500,
               "De retazos de aguayo: no hay dos iguales. 20 × 9 cm, forrado.",
               "Dos monederos alargados de franjas de colores con cierre", ("telar", "colores vivos", "para regalar"),
               stock=35),
         ("Porta-moedas com zíper", "De retalhos de aguayo: não há dois iguais. 20 × 9 cm, forrado."),
         ("Zipped purse", "Made of aguayo offcuts: no two alike. 20 × 9 cm, lined.")),
    told(goods("cojin", "Cojín de aguayo", "casa", 18500,
               "Funda de 45 × 45 cm con pompones y cierre escondido; va con relleno. La funda se lava a mano.",
               "Cojín de franjas andinas con pompones en las esquinas", ("telar", "colores vivos"),
               (DemoVariant("Con relleno", "COJ-R", None, 8), DemoVariant("Solo funda", "COJ-F", 14000, 12))),
         ("Almofada de aguayo",
          "Capa de 45 × 45 cm com pompons e zíper invisível; vem com enchimento. A capa se lava à mão."),
         ("Aguayo cushion",
          "A 45 × 45 cm cover with pompoms and a hidden zip; filling included. Hand wash the cover.")),
    told(goods("llama-fieltro", "Llama de fieltro", "juguetes", 12500,
               "Lana afieltrada a mano sobre alma de lana, 22 cm. Sin piezas que se suelten: desde los 3 años.",
               "Llama de juguete color crema con manta de colores y montañas detrás", ("niños", "para regalar"),
               stock=13),
         ("Lhama de feltro",
          "Lã feltrada à mão com miolo de lã, 22 cm. Sem peças que se soltem: a partir de 3 anos."),
         ("Felt llama", "Hand-felted wool on a wool core, 22 cm tall. No loose parts: from age 3.")),
    told(goods("aretes-plata", "Aretes de plata con turquesa", "joyas", 39000,
               "Plata 950 de Potosí trabajada por Juan Mamani. Gotas que suenan apenas al caminar. 6 cm, 9 g el par.",
               "Aretes de plata en rombo con gotas colgantes sobre una tarjeta",
               ("plata", "para regalar", "pieza única"),
               stock=5),
         ("Brincos de prata com turquesa",
          "Prata 950 de Potosí trabalhada por Juan Mamani. Gotas que soam de leve ao andar. 6 cm, 9 g o par."),
         ("Silver earrings with turquoise",
          "950 silver from Potosí, worked by Juan Mamani. Drops that sound faintly as you walk. 6 cm, 9 g the pair.")),
    told(goods("tazas-ceramica", "Par de tazas de cerámica", "casa", 17500,
               "Gres esmaltado con base de barro visto, 300 ml. Aptas para microondas; mejor a mano que en "
               "lavavajillas.",
               "Dos tazas esmaltadas con llamas y rombos, llenas de mate",
               ("cerámica", "colores tierra", "para regalar"),
               stock=10),
         ("Par de canecas de cerâmica",
          "Grés esmaltado com base de barro aparente, 300 ml. Vão ao micro-ondas; melhor lavar à mão do que na "
          "máquina."),
         ("Pair of ceramic mugs",
          "Glazed stoneware on a bare clay base, 300 ml. Microwave safe; better by hand than in the dishwasher.")),
    told(goods("tapiz", "Tapiz del Illimani", "casa", 62000,
               "El nevado con sus llamas, tejido en telar vertical: 60 × 90 cm, con varilla y cordón. Seis semanas "
               "si es a pedido.",
               "Tapiz colgado con montañas nevadas, sol rojo y tres llamas", ("telar", "colores tierra", "pieza única"),
               (DemoVariant("El de la foto", "TAP-1", None, 1), DemoVariant("A pedido", "TAP-P", 68000))),
         ("Tapeçaria do Illimani",
          "A montanha nevada com suas lhamas, em tear vertical: 60 × 90 cm, com vareta e cordão. Seis semanas sob "
          "encomenda."),
         ("Illimani tapestry",
          "The snow peak and its llamas, woven on an upright loom: 60 × 90 cm, with rod and cord. Six weeks if made "
          "to order.")),
)  # fmt: skip


FITTING = told(
    DemoProduct(
        slug="prueba-a-medida",
        name="Prueba a medida",
        kind="service",
        category="a-medida",
        description=(
            "Treinta minutos en el taller con Carla: tomamos medidas, eliges lana y guarda, y salimos con un dibujo y "
            "un precio. Lo que pagas aquí se descuenta de tu prenda."
        ),
        price_minor=5000,
        variants=(DemoVariant("", "PRUEBA"),),
        tags=("a medida", "alpaca"),
        picture="prueba-a-medida",
        alt="Dibujo de un suéter con cinta métrica, palillos y ovillos",
        service=DemoService(
            "time",
            "Probador",
            1,
            {**every(DAYS[:5], ("10:00", "13:00"), ("15:00", "18:30")), "sat": [["10:00", "13:00"]]},
            duration_min=30,
            step_min=30,
            min_notice_min=180,
            horizon_days=45,
        ),
    ),
    ("Prova sob medida",
     "Trinta minutos no ateliê com Carla: tiramos medidas, você escolhe a lã e a barra, e saímos com um desenho e "
     "um preço. O valor é descontado da sua peça."),
    ("Made-to-measure fitting",
     "Thirty minutes in the workshop with Carla: we take measurements, you choose wool and border, and we leave "
     "with a drawing and a price. What you pay here comes off your garment."),
)  # fmt: skip


def shelf(slug: str, es: str, pt: str, en: str, weight_g: int | None = None) -> DemoCategory:
    """Return a category named in the three languages."""
    return DemoCategory(slug, es, {"pt": {"name": pt}, "en": {"name": en}}, weight_g)


SHOP = DemoShop(
    slug="illimani",
    name="Tejidos Illimani",
    owner="Carla Quispe Mamani",
    staff=(),
    country="BO",
    currency="BOB",
    locale="es_BO",
    locales=("es", "pt", "en"),
    timezone="America/La_Paz",
    status="live",
    theme="taller",
    hue=275,
    tagline="Alpaca tejida a mano a 3.600 metros de altura",
    about=(
        "Trabajamos con once tejedoras de El Alto y Charazani que ponen su precio. Cada prenda lleva el nombre de "
        "quien la hizo. Si algo se descose, lo arreglamos, aunque hayan pasado años."
    ),
    address="Calle Linares 918, zona San Pedro, La Paz. Dos puertas arriba de la iglesia de San Francisco.",
    phone="+59170000100",
    email="hola@illimani.example.com",
    hours={**every(DAYS[:5], ("09:30", "13:00"), ("14:30", "19:00")), "sat": [["09:30", "14:00"]]},
    hours_said="Lunes a viernes de 9:30 a 13:00 y de 14:30 a 19:00, sábado hasta las 14:00",
    payment_methods=("bank_transfer", "cash_on_delivery", "pay_at_shop", "card"),
    bank_details=(
        "Banco de Ejemplo (datos ficticios, no deposites)\nTejidos Illimani · Cuenta 000-0000000-00\n"
        "Moneda: bolivianos. Sube la foto del comprobante en la página de tu pedido."
    ),
    cover="portada-illimani",
    cover_alt="El nevado Illimani al amanecer, con prendas tejidas y aguayos al frente",
    categories=(
        shelf("sueteres", "Suéteres y sacos", "Suéteres e casacos", "Sweaters and cardigans", 600),
        shelf("ponchos", "Ponchos, chales y bufandas", "Ponchos, xales e cachecóis", "Ponchos, shawls, scarves", 700),
        shelf("gorros", "Gorros y chullos", "Gorros e chullos", "Caps and chullos", 120),
        shelf("manos-y-pies", "Manos y pies", "Mãos e pés", "Hands and feet", 90),
        shelf("bolsos", "Bolsos", "Bolsas", "Bags", 400),
        shelf("casa", "Para la casa", "Para a casa", "For the home", 1200),
        shelf("juguetes", "Juguetes", "Brinquedos", "Toys", 180),
        shelf("joyas", "Plata", "Prata", "Silver", 40),
        shelf("tejer", "Para tejer", "Para tricotar", "For knitting", 260),
        shelf("a-medida", "A medida", "Sob medida", "Made to measure"),
    ),
    packaging_minor=500,
    returns=(30, "Sin usar y con su etiqueta. Lo tejido por encargo no se devuelve."),
    zones=(
        DemoZone("La Paz, centro y ladera", "L", ("La Paz",), 1500, 50000),
        DemoZone("El Alto y zona sur", "L", ("El Alto", "Achocalla", "Mecapaca", "Viacha"), 2500, 80000),
        DemoZone("Otros departamentos, por flota", None, (), 4500, 150000,
                 by_weight=((1000, 4500), (3000, 7000), (None, 12000))),
    ),
    tastes=("alpaca", "telar", "colores tierra", "colores vivos", "abrigo", "liviano", "niños", "para regalar",
            "tejer"),
    products=(*SWEATERS, *WRAPS, *SMALL_KNITS, *CRAFTS, FITTING),
    translations={
        "pt": {
            "tagline": "Alpaca tricotada à mão a 3.600 metros de altitude",
            "about": "Trabalhamos com onze tricoteiras de El Alto e Charazani que definem o próprio preço. "
                     "Cada peça leva o nome de quem a fez. Se algo descosturar, consertamos, mesmo anos depois.",
        },
        "en": {
            "tagline": "Alpaca knitted by hand at 3,600 metres",
            "about": "We work with eleven knitters from El Alto and Charazani who set their own prices. "
                     "Each piece carries its maker's name. If a seam comes loose we mend it, even years later.",
        },
    },
)  # fmt: skip

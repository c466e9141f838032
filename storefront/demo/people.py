"""The demonstration's customers, all invented, and what they write on their orders.

Telephone numbers have the length and prefix of the country and belong to nobody we know of; the demonstration never
calls or writes to them. Mail addresses end in example.com, which is reserved for this.
"""

from storefront.demo.content import DemoAddress, DemoCustomer


def _oaxaca(street: str, neighbourhood: str, reference: str, lat: float, lng: float) -> DemoAddress:
    return DemoAddress("Casa", street, neighbourhood, "Oaxaca de Juárez", "OAX", "MX", reference, lat, lng)


def _la_paz(street: str, neighbourhood: str, reference: str, lat: float, lng: float) -> DemoAddress:
    return DemoAddress("Casa", street, neighbourhood, "La Paz", "L", "BO", reference, lat, lng)


CUSTOMERS: tuple[DemoCustomer, ...] = (
    DemoCustomer(
        "espiga", "Dora Jiménez Luna", "+529515550111", "dora@example.com", "es_MX", ("chocolate", "dulce"),
        _oaxaca("Calle Aldama 208", "Barrio de Jalatlaco", "Casa azul frente a la iglesia, portón de madera",
                17.0660, -96.7163),
        "Si no contesto, déjalo con la señora de la tienda de al lado.",
    ),
    DemoCustomer(
        "espiga", "Rubén Santiago Pérez", "+529515550112", "ruben.santiago@example.com", "es_MX", ("salado", "café"),
        _oaxaca("Av. Independencia 1304", "Centro", "Arriba de la papelería, timbre del segundo piso",
                17.0625, -96.7205),
        "Bolillos bien doraditos, por favor.",
    ),
    DemoCustomer(
        "espiga", "Itzel Cortés Vásquez", "+529515550113", "itzel.cortes@example.com", "es_MX", ("sin trigo", "fruta"),
        _oaxaca("Privada de Huzares 12", "Xochimilco", "Casa amarilla junto a los arquitos del acueducto",
                17.0716, -96.7238),
        "Mi hija es celíaca: los tamales aparte del pan, gracias.",
    ),
    DemoCustomer(
        "espiga", "Marisol Aquino", "+529515550114", "marisol.aquino@example.com", "es_MX", ("dulce",),
        DemoAddress("Oficina", "Calzada Madero 540", "Ex Marquesado", "Oaxaca de Juárez", "OAX", "MX",
                    "Edificio de ladrillo, preguntar en recepción por Marisol", 17.0679, -96.7330, "68030"),
        "Son para una junta a las 9:00 en punto.",
    ),
    DemoCustomer(
        "espiga", "Don Fidel Ortiz", "+529515550115", "", "es_MX", ("sin azúcar", "integral"), None,
        "Paso yo por él. Sin azúcar, que me regaña la doctora.",
    ),
    DemoCustomer(
        "espiga", "Paola Herrera Ruiz", "+529515550116", "paola.herrera@example.com", "es_MX", ("chocolate",),
        DemoAddress("Casa", "Calle Emiliano Zapata 77", "San Felipe del Agua", "Oaxaca de Juárez", "OAX", "MX",
                    "Pasando la cancha, reja negra con bugambilia", 17.1068, -96.7116, "68020", "El perro no muerde."),
        "Que el pastel diga: Felices 80, abuelita.",
    ),
    DemoCustomer(
        "espiga", "Tomás Ángeles", "+529515550117", "tomas.angeles@example.com", "es_MX", ("salado",),
        DemoAddress("Casa", "Calle Constitución 3", "Centro", "Santa María del Tule", "OAX", "MX",
                    "A dos cuadras del árbol, casa con mural de venados", 17.0467, -96.6360), "",
    ),
    DemoCustomer(
        "illimani", "Wilma Condori Choque", "+59170000111", "wilma.condori@example.com", "es_BO", ("alpaca", "abrigo"),
        _la_paz("Calle Jaén 722", "Zona Norte", "Puerta verde al lado del museo, subir las gradas", -16.4920, -68.1367),
        "Es para el cumpleaños de mi mamá; envuélvelo bonito.",
    ),
    DemoCustomer(
        "illimani", "Óscar Vargas Paredes", "+59170000112", "oscar.vargas@example.com", "es_BO", ("colores tierra",),
        _la_paz("Av. Ecuador 2044", "Sopocachi", "Edificio Los Pinos, piso 4, frente a la plaza", -16.5118, -68.1287),
        "Llamar al portero al llegar.",
    ),
    DemoCustomer(
        "illimani", "Nayra Apaza", "+59170000113", "nayra.apaza@example.com", "es_BO", ("tejer", "alpaca"),
        DemoAddress("Casa", "Calle 3, n.º 150", "Ciudad Satélite", "El Alto", "L", "BO",
                    "Casa de tres pisos color ladrillo, frente a la salteñería", -16.5270, -68.1508),
        "Todos los ovillos del mismo lote, por favor.",
    ),
    DemoCustomer(
        "illimani", "Luciana Prado", "+5511955550111", "luciana.prado@example.com", "pt",
        ("colores vivos", "para regalar"),
        _la_paz("Calle Sagárnaga 339", "San Pedro", "Hostal en la esquina, dejar en recepción", -16.4966, -68.1390),
        "Fico no hotel até domingo, quarto 12.",
    ),
    DemoCustomer(
        "illimani", "Hannah Brooks", "+12025550143", "hannah.brooks@example.com", "en", ("telar", "para regalar"), None,
        "I will pick it up on Saturday morning.",
    ),
    DemoCustomer(
        "illimani", "Freddy Mamani Luque", "+59170000115", "freddy.luque@example.com", "es_BO", ("abrigo", "niños"),
        DemoAddress("Trabajo", "Av. Ballivián 1210", "Calacoto", "La Paz", "L", "BO",
                    "Farmacia en planta baja, preguntar por Freddy", -16.5395, -68.0772), "",
    ),
    DemoCustomer(
        "posada", "Antonia Silva Reyes", "+56955550111", "antonia.silva@example.com", "es_CL", ("en pareja", "vino"),
        None,
        "Llegamos en el bus de las 22:00, ¿nos esperan?",
    ),
    DemoCustomer(
        "posada", "Matías Contreras", "+56955550112", "matias.contreras@example.com", "es_CL", ("caminar", "arte"),
        None,
        "Viajo con bicicleta, necesito dónde guardarla.",
    ),
    DemoCustomer(
        "posada", "Familia Oyarzún Vera", "+56955550113", "oyarzun.vera@example.com", "es_CL", ("con niños", "mar"),
        None,
        "Vamos con una guagua de ocho meses: la cuna, por favor.",
    ),
    DemoCustomer(
        "posada", "Camila Duarte", "+5491155550101", "camila.duarte@example.com", "es_AR", ("comer bien", "amigos"),
        None,
        "Una de nosotras no come mariscos.",
    ),
    DemoCustomer(
        "posada", "Jorge Aravena Soto", "+56955550114", "", "es_CL", ("sin escaleras",), None,
        "Mi señora usa bastón, una pieza en el primer piso.",
    ),
)  # fmt: skip
"""Eighteen people. Those without a mail address order by telephone."""

PARTNERS = (
    ("bicis", "Bicis Oaxaca", "espiga", "Efraín López", "+529515550190"),
    ("andes", "Andes Envíos", "illimani", "Rosmery Huanca", "+59170000190"),
)
"""Logistics partners: slug, name, the shop they carry for, a rider and the rider's telephone."""

"""What this stack costs before we add anything: Flask, four Core statements and a Jinja page. No scope, no session."""

from __future__ import annotations

from flask import Flask, abort
from jinja2 import DictLoader, Environment
from sqlalchemy import Engine, select

from storefront.catalogue.models import Category, Product, ProductImage, Variant

PAGE = """<!DOCTYPE html>
<html lang="es-MX"><head><meta charset="utf-8"><title>{{ product.name }} · Tienda</title>
<meta name="description" content="{{ product.description|truncate(155) }}">
<meta property="og:title" content="{{ product.name }}"><link rel="stylesheet" href="/static/css/shop.css">
<script type="module" src="/static/js/shop.js"></script></head>
<body><a class="skip" href="#contenido">Ir al contenido</a>
<header><a href="/">Tienda</a>
<form action="/buscar"><input name="q" aria-label="Buscar"></form>
<a href="/carrito">Carrito</a></header>
<main id="contenido"><nav><a href="/">Inicio</a>
<a href="/c/{{ product.category_slug }}">{{ product.category }}</a></nav>
{% for picture in pictures %}<img src="/media/{{ picture.key }}/800.webp"
srcset="/media/{{ picture.key }}/400.webp 400w,
/media/{{ picture.key }}/800.webp 800w, /media/{{ picture.key }}/1600.webp 1600w" width="{{ picture.width }}"
height="{{ picture.height }}" alt="{{ picture.alt or product.name }}">{% endfor %}
<h1>{{ product.name }}</h1><p class="money">$ {{ "%.2f"|format(variants[0].price_minor / 100) }}</p>
<form action="/carrito" method="post">
{% for variant in variants %}<label><input type="radio" name="variant" value="{{ variant.code }}">{{ variant.name }}
$ {{ "%.2f"|format(variant.price_minor / 100) }}</label>{% endfor %}
<input name="quantity" type="number" value="1"><button>Agregar al carrito</button></form>
{% for paragraph in product.description.split("\n") %}<p>{{ paragraph }}</p>{% endfor %}
<ul>{% for tag in product.tags %}<li>{{ tag }}</li>{% endfor %}</ul>
<section><h2>También te puede gustar</h2>
{% for card in related %}<article><a href="/p/{{ card.slug }}">
<img src="/media/{{ card.key }}/400.webp" alt="{{ card.name }}">
<h3>{{ card.name }}</h3><p>$ {{ "%.2f"|format(card.price_minor / 100) }}</p></a></article>{% endfor %}
</section></main>
<footer><p>Tienda</p><a href="tel:+525512345678">+52 55 1234 5678</a>
<a href="/cuenta">Mi cuenta</a></footer></body></html>
"""


def floor_app(engine: Engine, shop_id: int) -> Flask:
    """`/p/<slug>` from four statements (product, variants, pictures, related), and `/` that says hello."""
    app = Flask("floor", static_folder=None)
    template = Environment(loader=DictLoader({"page": PAGE}), autoescape=True).get_template("page")
    reader = engine.execution_options(isolation_level="AUTOCOMMIT")

    @app.get("/")
    def hello() -> str:
        return "hola"

    @app.get("/p/<slug>")
    def product(slug: str) -> str:
        with reader.connect() as connection:
            found = connection.execute(
                select(
                    Product.id, Product.name, Product.description, Product.tags, Product.category_id,
                    Category.name.label("category"), Category.slug.label("category_slug"),
                )
                .join(Category, (Category.tenant_id == Product.tenant_id) & (Category.id == Product.category_id))
                .where(Product.tenant_id == shop_id, Product.slug == slug)
            ).first()  # fmt: skip
            if found is None:
                abort(404)
            variants = connection.execute(
                select(Variant.code, Variant.name, Variant.price_minor)
                .where(Variant.tenant_id == shop_id, Variant.product_id == found.id)
                .order_by(Variant.position)
            ).all()
            pictures = connection.execute(
                select(ProductImage.key, ProductImage.width, ProductImage.height, ProductImage.alt)
                .where(ProductImage.tenant_id == shop_id, ProductImage.product_id == found.id)
                .order_by(ProductImage.position)
            ).all()
            related = connection.execute(
                select(Product.slug, Product.name, Variant.price_minor, ProductImage.key)
                .join(Variant, (Variant.tenant_id == Product.tenant_id) & (Variant.product_id == Product.id))
                .join(
                    ProductImage,
                    (ProductImage.tenant_id == Product.tenant_id) & (ProductImage.product_id == Product.id),
                )
                .where(
                    Product.tenant_id == shop_id, Product.category_id == found.category_id, Product.id != found.id,
                    Variant.position == 0, ProductImage.position == 0,
                )
                .order_by(Product.position)
                .limit(4)
            ).all()  # fmt: skip
        return template.render(product=found, variants=variants, pictures=pictures, related=related)

    return app

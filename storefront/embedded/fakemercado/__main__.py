"""`python -m storefront.embedded.fakemercado`: the stand-in as a process of its own, for the demo."""

from __future__ import annotations

from pathlib import Path

import click

from storefront.embedded.fakemercado.app import NOTICE_SECRET, create_fakemercado, mercado_of
from storefront.embedded.fakemercado.notices import http_sink
from storefront.embedded.fakestripe.serving import server_for


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=12112, show_default=True, type=int)
@click.option("--webhook-secret", default=NOTICE_SECRET, show_default=True)
@click.option("--public-url", help="Where browsers reach the pages; by default the address that was asked.")
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="A file that outlives a restart.")
def main(host: str, port: int, webhook_secret: str, public_url: str | None, state: Path | None) -> None:
    """Serve the stand-in until interrupted."""
    app = create_fakemercado(public_url=public_url, secret=webhook_secret, sink=http_sink, state_file=state)
    server = server_for(app, host, port)
    click.echo(f"Mercado Pago de prueba en http://{host}:{server.server_port} (aquí no se mueve dinero)")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("Hasta luego.")
    finally:
        server.server_close()
        mercado_of(app).notices.close()


if __name__ == "__main__":
    main()

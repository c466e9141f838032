"""`python -m storefront.embedded.fakeinvoice`: the stand-in as a process of its own, for the demo."""

from __future__ import annotations

from pathlib import Path

import click

from storefront.embedded.fakeinvoice.app import create_fakeinvoice
from storefront.embedded.fakestripe.serving import server_for


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=12113, show_default=True, type=int)
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="A file that outlives a restart.")
def main(host: str, port: int, state: Path | None) -> None:
    """Serve the stand-in until interrupted."""
    server = server_for(create_fakeinvoice(state), host, port)
    click.echo(f"Facturas de prueba en http://{host}:{server.server_port} (sin valor fiscal)")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("Hasta luego.")
    finally:
        server.server_close()


if __name__ == "__main__":
    main()

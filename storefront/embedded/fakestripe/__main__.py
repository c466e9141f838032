"""`python -m storefront.embedded.fakestripe`: the stand-in as a process of its own, for the demo."""

from __future__ import annotations

from pathlib import Path

import click

from storefront.embedded.fakestripe.app import create_fakestripe
from storefront.embedded.fakestripe.serving import server_for
from storefront.embedded.fakestripe.standin import TEST_SECRET, Config, stand_in_of

AS_IN_MEXICO = (360, 300)
"""3.6 % and three pesos of each payment."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", default=12111, show_default=True, type=int)
@click.option("--webhook-url", help="Where notices go; without it they are only listed.")
@click.option("--webhook-secret", default=TEST_SECRET, envvar="FAKESTRIPE_WEBHOOK_SECRET", show_default=True)
@click.option("--public-url", help="Where browsers reach the payment pages; by default the address that was asked.")
@click.option("--secret-key", envvar="FAKESTRIPE_SECRET_KEY", help="The only test key let in; by default any test key.")
@click.option("--state", type=click.Path(dir_okay=False, path_type=Path), help="A file that outlives a restart.")
@click.option("--seed", default=0, type=int, help="Repeats the same faults and mischief.")
def main(  # noqa: PLR0913, PLR0917 - one argument for each option
    host: str,
    port: int,
    webhook_url: str | None,
    webhook_secret: str,
    public_url: str | None,
    secret_key: str | None,
    state: Path | None,
    seed: int,
) -> None:
    """Serve the stand-in until interrupted."""
    config = Config(
        public_url=public_url,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
        state_file=state,
        secret_key=secret_key,
        seed=seed,
        keeps=AS_IN_MEXICO,
    )
    app = create_fakestripe(config)
    server = server_for(app, host, port)
    click.echo(f"Pagos de prueba en http://{host}:{server.server_port} (aquí no se mueve dinero)")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        click.echo("Hasta luego.")
    finally:
        server.server_close()
        stand_in_of(app).close()


if __name__ == "__main__":
    main()

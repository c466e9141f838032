"""Runs migrations as the role that owns the tables (DATABASE_OWNER_URL), in one transaction.

The web and the worker connect as roles that own nothing, so they could not run this.
"""

from alembic import context
from flask import current_app, has_app_context
from sqlalchemy import create_engine, pool, text

from storefront import wiring  # noqa: F401 (imports every model)
from storefront.kernel.db import Base


def owner_url() -> str:
    """The owner's URL: given by the caller in tests, from the settings otherwise."""
    given = context.config.attributes.get("url")
    if given:
        return str(given)
    if has_app_context():
        return str(current_app.extensions["portales.settings"].database_owner_url)
    raise RuntimeError("run migrations through `flask db upgrade`")


def run() -> None:
    """Upgrade or downgrade over one connection."""
    engine = create_engine(owner_url(), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(connection=connection, target_metadata=Base.metadata)
        with context.begin_transaction():
            connection.execute(text("SET LOCAL lock_timeout = '2s'"))
            context.run_migrations()


run()

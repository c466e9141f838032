"""The scope: who sees which rows, and what happens without one."""

import time

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import StatementError

from storefront.kernel.audit import SYSTEM, LogEntry, note
from storefront.kernel.db import db, transaction
from storefront.kernel.tenancy import NoShop, acting_for


def test_rows_of_one_shop_are_invisible_to_another(bakery, crafts):
    with acting_for(bakery), transaction():
        note("thing", 1, "made", SYSTEM)

    with acting_for(crafts):
        assert db.session.scalar(select(func.count()).select_from(LogEntry)) == 0
        assert db.session.scalar(text("/* raw */ SELECT count(*) FROM audit_log")) == 0
    with acting_for(bakery):
        assert db.session.scalar(select(func.count()).select_from(LogEntry)) == 1


def test_an_owned_table_cannot_be_read_outside_a_scope(bakery):
    with pytest.raises(StatementError) as caught:
        db.session.scalars(select(LogEntry)).all()

    assert isinstance(caught.value.orig, NoShop)


def test_a_statement_that_is_made_once_shows_each_shop_its_own_rows(bakery, crafts):
    kept = select(LogEntry.verb)
    for shop, verb in ((bakery, "baked"), (crafts, "woven")):
        with acting_for(shop), transaction():
            note("thing", 1, verb, SYSTEM)

    for shop, verb in ((bakery, "baked"), (crafts, "woven"), (bakery, "baked")):
        with acting_for(shop):
            assert db.session.scalars(kept).all() == [verb]
    with pytest.raises(StatementError) as caught:
        db.session.scalars(kept).all()
    assert isinstance(caught.value.orig, NoShop)


def test_a_connection_that_breaks_while_the_work_is_put_away_spoils_no_answer(app, servers, bakery):
    """The answer was made; only the rollback that frees the connection finds nobody there."""
    with acting_for(bakery):
        pid = db.session.scalar(text("SELECT pg_backend_pid()"))
        with servers.admin() as admin:
            admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
            while admin.execute("SELECT FROM pg_stat_activity WHERE pid = %s", (pid,)).fetchone():
                time.sleep(0.01)

    with acting_for(bakery):
        assert db.session.scalar(text("SELECT pg_backend_pid()")) != pid

"""Grants and row-level security, as data a migration applies: who may touch which table, and which rows of it.

Policies are plain comparisons with NULLIF (a setting is '' and not NULL after a commit) and hold no subquery, no
function of ours and no default; each is for roles that can log in. There are no triggers. One statement per execute.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

CURRENT_SHOP = "nullif(current_setting('app.tenant_id', true), '')::bigint"
CURRENT_PARTNER = "nullif(current_setting('app.partner_id', true), '')::bigint"

SET_SCOPE = """
CREATE FUNCTION set_scope(shop bigint, partner bigint) RETURNS void LANGUAGE plpgsql VOLATILE AS $$
DECLARE
  held text;
BEGIN
  IF shop IS NULL AND partner IS NULL THEN
    RAISE EXCEPTION 'a scope names a shop, a partner or both';
  END IF;
  IF shop IS NOT NULL THEN
    held := current_setting('app.tenant_id', true);
    IF held IS NOT NULL AND held <> '' AND held <> shop::text THEN
      RAISE EXCEPTION 'the shop of a transaction never changes (% to %)', held, shop USING ERRCODE = 'P0T01';
    END IF;
    EXECUTE format('SET LOCAL app.tenant_id = %L', shop);
  END IF;
  IF partner IS NOT NULL THEN
    held := current_setting('app.partner_id', true);
    IF held IS NOT NULL AND held <> '' AND held <> partner::text THEN
      RAISE EXCEPTION 'the partner of a transaction never changes (% to %)', held, partner USING ERRCODE = 'P0T01';
    END IF;
    EXECUTE format('SET LOCAL app.partner_id = %L', partner);
  END IF;
END $$
"""


def _rls(table: str, condition: str) -> Iterator[str]:
    yield f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY"
    yield (f"CREATE POLICY app_{table} ON {table} FOR ALL TO shop_app USING ({condition}) WITH CHECK ({condition})")
    yield f"CREATE POLICY platform_{table} ON {table} FOR SELECT TO shop_platform USING (true)"
    yield f"CREATE POLICY backup_{table} ON {table} FOR SELECT TO shop_backup USING (true)"
    yield f"GRANT SELECT ON {table} TO shop_platform, shop_backup"


def owned(table: str, condition: str, *, append_only: bool) -> Iterator[str]:
    """Everything for a table whose rows belong to a shop or a partner."""
    yield from _rls(table, condition)
    rights = "SELECT, INSERT" if append_only else "SELECT, INSERT, UPDATE, DELETE"
    yield f"GRANT {rights} ON {table} TO shop_app"


def opened(role: str, table: str, rights: str, *, commands: Iterable[str]) -> Iterator[str]:
    """A service role's own policies on a table, one for each command, and the grant that goes with them."""
    for command in commands:
        condition = "WITH CHECK (true)" if command == "INSERT" else "USING (true)"
        yield f"CREATE POLICY {role}_{command.lower()}_{table} ON {table} FOR {command} TO {role} {condition}"
    yield f"GRANT {rights} ON {table} TO {role}"


def shared(table: str, grants: dict[str, str]) -> Iterator[str]:
    """A reviewed table of the whole platform: no row policy, just the grants listed."""
    yield f"GRANT SELECT ON {table} TO shop_backup"
    for role, rights in grants.items():
        yield f"GRANT {rights} ON {table} TO {role}"

"""What a distributed database would refuse, asked of a plain PostgreSQL's catalogue.

Each rule is one query over `tables` (every table, its owner's column, its class) that names the violators. The schema
passes today, so that the day one machine is not enough nothing has to be taken apart.
"""

# ruff: noqa: E501 (queries keep their own lines)

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from psycopg import Connection

CLASSES = """
CREATE TEMP TABLE tables ON COMMIT DROP AS
SELECT c.oid AS rel, c.relname::text AS name,
       CASE WHEN c.relname = ANY(%(reference)s) THEN 'reference'
            WHEN c.relname = ANY(%(local)s) THEN 'local' ELSE 'distributed' END AS class,
       CASE WHEN c.relname = ANY(%(partner)s) THEN 'partner_id' ELSE 'tenant_id' END AS owner,
       c.relpersistence AS persistence, c.relkind AS kind,
       a.attnum AS owner_number, a.atttypid AS owner_type, a.attnotnull AS owner_required,
       a.atthasdef OR a.attgenerated <> '' OR a.attidentity <> '' AS owner_is_made
FROM pg_class c
LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND NOT a.attisdropped
  AND a.attname = CASE WHEN c.relname = ANY(%(partner)s) THEN 'partner_id' ELSE 'tenant_id' END
WHERE c.relnamespace = %(schema)s::regnamespace AND c.relkind IN ('r', 'p', 'f') AND NOT c.relispartition
"""

RULES: Mapping[str, str] = {
    "a table without a class: give it an owner, or list it": """
        SELECT name FROM tables WHERE class = 'distributed' AND owner_number IS NULL""",
    "the owner's column is bigint, required, and written by whoever inserts": """
        SELECT name FROM tables WHERE class = 'distributed' AND owner_number IS NOT NULL
        AND (owner_type <> 'bigint'::regtype OR NOT owner_required OR owner_is_made)""",
    "tables are ordinary: logged, without heirs, not foreign": """
        SELECT name FROM tables WHERE persistence <> 'p' OR kind = 'f'
        OR EXISTS (SELECT FROM pg_inherits WHERE inhparent = rel AND kind = 'r')""",
    "every unique key starts with the owner": """
        SELECT i.indexrelid::regclass::text FROM tables JOIN pg_index i ON i.indrelid = rel
        WHERE class = 'distributed' AND i.indisunique AND i.indkey[0] IS DISTINCT FROM owner_number""",
    "every exclusion compares the owner for equality": """
        SELECT c.conname FROM tables JOIN pg_constraint c ON c.conrelid = rel
        WHERE class = 'distributed' AND c.contype = 'x' AND NOT EXISTS (
          SELECT FROM unnest(c.conkey, c.conexclop) u (number, operator) JOIN pg_operator o ON o.oid = u.operator
          WHERE u.number = owner_number AND o.oprname = '=')""",
    "every table has a primary key": """
        SELECT name FROM tables WHERE NOT EXISTS (SELECT FROM pg_constraint WHERE conrelid = rel AND contype = 'p')""",
    "foreign keys between owned tables pair the owners": """
        SELECT c.conname FROM pg_constraint c JOIN tables s ON s.rel = c.conrelid JOIN tables t ON t.rel = c.confrelid
        WHERE c.contype = 'f' AND s.class = 'distributed' AND t.class = 'distributed' AND (s.owner <> t.owner OR NOT EXISTS (
          SELECT FROM unnest(c.conkey, c.confkey) u (a, b) WHERE u.a = s.owner_number AND u.b = t.owner_number))""",
    "a reference table refers to no owned table": """
        SELECT c.conname FROM pg_constraint c JOIN tables s ON s.rel = c.conrelid JOIN tables t ON t.rel = c.confrelid
        WHERE c.contype = 'f' AND s.class = 'reference' AND t.class = 'distributed'""",
    "a foreign key never changes its owner: no SET NULL, SET DEFAULT or ON UPDATE CASCADE": """
        SELECT c.conname FROM pg_constraint c JOIN tables s ON s.rel = c.conrelid
        WHERE c.contype = 'f' AND s.class = 'distributed' AND s.owner_number = ANY(c.conkey)
        AND (c.confdeltype IN ('n', 'd') OR c.confupdtype IN ('n', 'd', 'c'))""",
    "no foreign key between local and other tables": """
        SELECT c.conname FROM pg_constraint c JOIN tables s ON s.rel = c.conrelid JOIN tables t ON t.rel = c.confrelid
        WHERE c.contype = 'f' AND (s.class = 'local') <> (t.class = 'local')""",
    "no triggers": "SELECT tgname FROM pg_trigger JOIN tables ON rel = tgrelid WHERE NOT tgisinternal",
    "no rules": "SELECT rulename FROM pg_rewrite JOIN tables ON rel = ev_class",
    "numbers the database makes are bigint": """
        SELECT name || '.' || a.attname FROM tables JOIN pg_attribute a ON a.attrelid = rel
        LEFT JOIN pg_attrdef d ON d.adrelid = rel AND d.adnum = a.attnum
        WHERE a.attnum > 0 AND NOT a.attisdropped AND a.atttypid <> 'bigint'::regtype
        AND (a.attidentity <> '' OR pg_get_expr(d.adbin, d.adrelid) LIKE 'nextval(%%')""",
    "row-level security is on and forced": """
        SELECT name FROM tables JOIN pg_class c ON c.oid = rel
        WHERE class = 'distributed' AND NOT (c.relrowsecurity AND c.relforcerowsecurity)""",
    "policies hold no subquery": """
        SELECT polname FROM pg_policy JOIN tables ON rel = polrelid
        WHERE coalesce(polqual::text, '') || coalesce(polwithcheck::text, '') LIKE '%%SUBLINK%%'""",
    "policies call nothing of ours": """
        SELECT polname FROM pg_policy p JOIN tables ON rel = p.polrelid
        JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = p.oid AND d.refclassid = 'pg_proc'::regclass
        JOIN pg_proc f ON f.oid = d.refobjid WHERE f.pronamespace <> 'pg_catalog'::regnamespace""",
    "roles of policies can log in": """
        SELECT polname FROM pg_policy JOIN tables ON rel = polrelid CROSS JOIN unnest(polroles) member
        JOIN pg_roles r ON r.oid = member WHERE NOT r.rolcanlogin""",
    "names leave room for a shard's number": """
        SELECT relname FROM pg_class WHERE relnamespace = %(schema)s::regnamespace AND length(relname) > 54""",
}


def findings(
    connection: Connection[Any],
    *,
    reference: Collection[str],
    partner: Collection[str],
    local: Collection[str],
    schema: str = "public",
) -> list[tuple[str, str]]:
    """(rule, name of what breaks it), empty when the schema is ready."""
    values = {"reference": list(reference), "partner": list(partner), "local": list(local), "schema": schema}
    found = []
    with connection.transaction():
        connection.execute(CLASSES, values)
        for rule, query in RULES.items():
            found += [(rule, str(name)) for (name,) in connection.execute(query.encode(), values).fetchall()]
    return found

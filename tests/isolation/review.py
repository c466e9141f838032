"""What people reviewed: which tables belong to nobody in particular, and who may do what with them.

A new table is owned by a shop or a partner, or it is added here with a reason. Nothing else passes the catalogue tests.
"""

SHARED = {
    "tenants": "the shops themselves; a row is readable to the app role only in its own scope",
    "domains": "hosts of shops; app role: own shop only",
    "memberships": "who works where; app role: own shop only",
    "staff": "people who work in shops; a person may work in several",
    "staff_links": "one-use links of staff (handover, new password), found by the hash of a secret",
    "desk_logins": "log-ins of staff, riders and operators, found by the hash of a secret",
    "job_ticks": "when each beat job last ran",
    "operators": "who runs the platform; invisible to the app role",
    "operator_access": "what operators looked at and why; invisible to the app role",
    "partners": "names of logistics partners",
    "platform_mail": "mails of the platform itself to staff and operators",
    "alembic_version": "which migration the schema is at",
}

WITH_POLICIES = {"tenants": "id", "domains": "tenant_id", "memberships": "tenant_id"}
"""Shared tables that carry row policies all the same, and the column that says whose row it is."""

LOCAL = {"alembic_version", "job_ticks"}
"""Tables that stay on the coordinator of a distributed database."""

OTHER_POLICIES = {
    "shop_platform": "operators read; they change a shop's status, dead letters, and add to the audit trail",
    "shop_backup": "the backup reads everything",
    "shop_router": "finds shop, staff membership, partner key and rider before a scope exists",
    "shop_relay": "re-sends what is due from the outbox and the inbox",
}

"""Words that can be forgotten: what people wrote about people moves out of the history that nobody can change.

The policies of the shops' tables hold for their owner, too (FORCE), who therefore sees no row of them; they are lifted
from the owner, and from nobody else, while rows are moved.
"""

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa
from alembic import op

from migrations import isolation

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TOUCHED = ("audit_log", "bookings", "order_events", "orders", "shipments", "tracking_events", "transfer_proofs")

MOVE_DOWN = """
INSERT INTO tracking_details (tenant_id, event_id, note, lat, lng)
SELECT e.tenant_id, e.id, e.note, e.lat, e.lng
FROM tracking_events e
JOIN shipments s ON s.tenant_id = e.tenant_id AND s.id = e.shipment_id
JOIN orders o ON o.tenant_id = s.tenant_id AND o.id = s.order_id
WHERE (e.note <> '' OR e.lat IS NOT NULL OR e.lng IS NOT NULL) AND o.contact_name <> '—'
"""
"""What was written about somebody who was erased since (their orders are nobody's) is not taken along."""

FORGET_ANSWERS = """
UPDATE transfer_proofs p SET reason = ''
FROM orders o WHERE o.tenant_id = p.tenant_id AND o.id = p.order_id AND o.contact_name = '—'
"""

KEEP_WHY = """
UPDATE bookings b SET cancelled_reason = a.facts ->> 'reason'
FROM audit_log a
WHERE a.tenant_id = b.tenant_id AND a.subject_type = 'booking' AND a.subject_id = b.code AND a.verb = 'cancelled'
  AND b.contact_name <> '' AND a.facts ->> 'reason' <> ''
"""

WORDS_IN_THE_TRAIL = """
UPDATE audit_log SET facts = facts - 'reason' - 'reference'
WHERE (subject_type = 'booking' AND verb = 'cancelled')
   OR (subject_type = 'order' AND verb IN ('proof_sent', 'proof_rejected'))
"""

WORDS_IN_THE_HISTORY = "UPDATE order_events SET reason = '' WHERE axis = 'payment' AND before = 'proof_review'"

MOVE_UP = """
UPDATE tracking_events e SET note = d.note, lat = d.lat, lng = d.lng
FROM tracking_details d WHERE d.tenant_id = e.tenant_id AND d.event_id = e.id
"""


@contextmanager
def _seen_by_the_owner(*tables: str) -> Iterator[None]:
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    yield
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")


def upgrade() -> None:
    """Make the places that can be emptied, move the words there, and take them out of the history."""
    op.create_table(
        "tracking_details",
        sa.Column("tenant_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("event_id", sa.BigInteger(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lng", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "event_id"],
            ["tracking_events.tenant_id", "tracking_events.id"],
            name=op.f("fk_tracking_details_tenant_id_event_id"),
        ),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=op.f("fk_tracking_details_tenant_id")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tracking_details")),
        sa.UniqueConstraint("tenant_id", "event_id", name=op.f("uq_tracking_details_tenant_id_event_id")),
    )
    op.add_column("bookings", sa.Column("cancelled_reason", sa.Text(), nullable=True))
    with _seen_by_the_owner(*TOUCHED):
        for statement in (MOVE_DOWN, FORGET_ANSWERS, KEEP_WHY, WORDS_IN_THE_TRAIL, WORDS_IN_THE_HISTORY):
            op.execute(statement)
    for column in ("note", "lat", "lng"):
        op.drop_column("tracking_events", column)
    shops_own = f"tenant_id = {isolation.CURRENT_SHOP}"
    for statement in isolation.owned("tracking_details", shops_own, append_only=False):
        op.execute(statement)


def downgrade() -> None:
    """Put the words beside the reports again; what left the trail stays out of it."""
    op.add_column("tracking_events", sa.Column("note", sa.Text(), nullable=False, server_default=""))
    op.alter_column("tracking_events", "note", server_default=None)
    op.add_column("tracking_events", sa.Column("lat", sa.Double(), nullable=True))
    op.add_column("tracking_events", sa.Column("lng", sa.Double(), nullable=True))
    with _seen_by_the_owner("tracking_events", "tracking_details"):
        op.execute(MOVE_UP)
    op.drop_table("tracking_details")
    op.drop_column("bookings", "cancelled_reason")

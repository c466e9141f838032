"""What payments know of a person: the pictures of their transfers, the words beside them, also those of the bank, and
what the shop wrote about them to a bank. Amounts stay."""

from __future__ import annotations

from sqlalchemy import select, update

from storefront.customers.personal_data import Rows, Subject
from storefront.kernel.db import after_commit, db
from storefront.kernel.media import delete_image
from storefront.orders.models import Order
from storefront.orders.personal_data import theirs
from storefront.payments.disputes import Dispute
from storefront.payments.models import BankLine, TransferProof


def export(subject: Subject) -> Rows:
    """Proofs of transfers, without the pictures, which the person sent themselves; and what a bank was told of them."""
    rows = db.session.execute(
        select(Order.code, TransferProof.created_at, TransferProof.reference, TransferProof.state)
        .join(Order, (Order.tenant_id == TransferProof.tenant_id) & (Order.id == TransferProof.order_id))
        .where(theirs(subject))
        .order_by(TransferProof.id)
    )
    told = db.session.execute(
        select(Order.code, Dispute.opened_at, Dispute.evidence, Dispute.state)
        .join(Order, (Order.tenant_id == Dispute.tenant_id) & (Order.id == Dispute.order_id))
        .where(theirs(subject))
        .order_by(Dispute.id)
    )
    return {
        "comprobantes": [
            {"pedido": row.code, "fecha": row.created_at, "referencia": row.reference, "estado": str(row.state)}
            for row in rows
        ],
        "contracargos": [
            {
                "pedido": row.code, "fecha": row.opened_at, "estado": str(row.state),
                "respuesta": row.evidence.get("story", ""),
            }
            for row in told
        ],
    }  # fmt: skip


def erase(subject: Subject) -> None:
    """Forget references and answers, those to a bank, too, and remove the pictures once the rest is settled: files know
    no rolling back."""
    rows = db.session.execute(
        select(TransferProof.id, TransferProof.image_key)
        .join(Order, (Order.tenant_id == TransferProof.tenant_id) & (Order.id == TransferProof.order_id))
        .where(theirs(subject))
    ).all()
    for row in rows:
        _remove_later(row.image_key)
    if rows:
        db.session.execute(
            update(TransferProof)
            .where(TransferProof.id.in_([row.id for row in rows]))
            .values(reference="", reason="")
            .execution_options(synchronize_session=False)
        )

    db.session.execute(
        update(Dispute)
        .where(Dispute.order_id.in_(select(Order.id).where(theirs(subject))))
        .values(evidence={})
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(BankLine)
        .where(BankLine.order_id.in_(select(Order.id).where(theirs(subject))))
        .values(words="")
        .execution_options(synchronize_session=False)
    )


def _remove_later(key: str) -> None:
    after_commit(lambda: delete_image(key))

"""What must always be true of returns, asked of the database; empty is sound.

I25: of a line no more units came back in returns that were settled than were refunded, and no more are to come than
the customer has.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import case, func, select

from storefront.kernel.db import db
from storefront.orders.models import OrderLine
from storefront.returns.models import OrderReturn, OrderReturnLine, ReturnState


def invariants() -> list[dict[str, Any]]:
    """Every violation in the current shop."""
    came = case((OrderReturn.state == ReturnState.SETTLED, OrderReturnLine.received_quantity), else_=0)
    to_come = case((OrderReturn.ended_at.is_(None), OrderReturnLine.quantity), else_=0)
    rows = db.session.execute(
        select(OrderReturnLine.order_line_id, func.sum(came).label("came"), func.sum(to_come).label("to_come"))
        .join(
            OrderReturn,
            (OrderReturn.tenant_id == OrderReturnLine.tenant_id) & (OrderReturn.id == OrderReturnLine.return_id),
        )
        .join(
            OrderLine,
            (OrderLine.tenant_id == OrderReturnLine.tenant_id) & (OrderLine.id == OrderReturnLine.order_line_id),
        )
        .group_by(OrderReturnLine.order_line_id, OrderLine.quantity, OrderLine.refunded_quantity)
        .having((func.sum(came) > OrderLine.refunded_quantity) | (func.sum(came + to_come) > OrderLine.quantity))
    )
    return [
        {"invariant": "I25", "order_line": row.order_line_id, "came": int(row.came), "to_come": int(row.to_come)}
        for row in rows
    ]

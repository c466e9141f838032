"""What deliveries know of a person: where and to whom a parcel went. The courier firms' own copy ends with its age."""

from __future__ import annotations

from sqlalchemy import delete, func, select, update

from storefront.customers.personal_data import Rows, Subject
from storefront.delivery.models import Shipment, TrackingDetail, TrackingEvent
from storefront.kernel.db import db
from storefront.kernel.ids import new_token
from storefront.orders.models import Order
from storefront.orders.personal_data import NOBODY, theirs


def export(subject: Subject) -> Rows:
    """Parcels and where they went."""
    rows = db.session.execute(
        select(Shipment.code, Shipment.order_code, Shipment.state, Shipment.state_since, Shipment.address)
        .join(Order, (Order.tenant_id == Shipment.tenant_id) & (Order.id == Shipment.order_id))
        .where(theirs(subject))
        .order_by(Shipment.id)
    )
    return {
        "entregas": [
            {
                "código": row.code, "pedido": row.order_code, "estado": str(row.state), "fecha": row.state_since,
                "dirección": row.address,
            }
            for row in rows
        ]
    }  # fmt: skip


def erase(subject: Subject) -> None:
    """Forget the address of each parcel but for its region and what was written about it, and close the secret link."""
    mine = select(Order.id).where(theirs(subject))
    somewhere = func.jsonb_build_object(
        *("recipient", NOBODY, "phone", "", "street", "", "locality", ""),
        *("region", Shipment.address["region"], "country", Shipment.address["country"]),
    )
    for shipment_id in db.session.scalars(select(Shipment.id).where(Shipment.order_id.in_(mine))).all():
        db.session.execute(
            update(Shipment)
            .where(Shipment.id == shipment_id)
            .values(address=somewhere, token=new_token(), version=Shipment.version + 1)
            .execution_options(synchronize_session=False)
        )
        lines = db.session.scalars(select(TrackingEvent.id).where(TrackingEvent.shipment_id == shipment_id)).all()
        db.session.execute(
            delete(TrackingDetail)
            .where(TrackingDetail.event_id.in_(lines))
            .execution_options(synchronize_session=False)
        )

"""How a parcel leaves the shop: zones and prices, the queue couriers pull from, their reports, and the rider's pages.

Two owners meet here. Shipments, zones and contracts are the shop's; keys, riders, offers and assignments are the
partner's. They share no foreign key: a step that concerns both runs in one transaction with both in scope, and takes
its locks in one order: shipment, offer, assignment.
Not here: what was ordered (`orders`), what was paid (`payments`), who may use the dashboard (`tenants`).
"""

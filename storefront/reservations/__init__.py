"""Reservations: resources, their opening hours and capacity, and the bookings that take places in them.

The guarantee is an exclusion constraint on places (`booking_seats`); a row lock on the resource makes it fast.
Stock of goods is not here (inventory); what a booking costs is the catalogue's and the cart's business.
"""

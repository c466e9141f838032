"""What each role may do. Views name the permission they need; whoever lacks it gets a sentence, never a stack trace."""

from __future__ import annotations

from flask_babel import lazy_gettext as _l

from storefront.kernel.errors import Forbidden
from tenants.models import Role

CLERK = frozenset({"catalogue:read", "orders:read", "orders:write", "bookings:read", "bookings:write"})
MANAGER = CLERK | {"catalogue:write", "payments:review", "delivery:write", "customers:read", "reports:read"}
OWNER = MANAGER | {"settings:write", "staff:write"}

PERMISSIONS: dict[Role, frozenset[str]] = {Role.CLERK: CLERK, Role.MANAGER: MANAGER, Role.OWNER: OWNER}

ROLE_NAMES = {Role.OWNER: _l("Dueña o dueño"), Role.MANAGER: _l("Encargada o encargado"), Role.CLERK: _l("Atención")}
ROLE_HELP = {
    Role.OWNER: _l("Puede todo: también los cobros, el equipo y los ajustes."),
    Role.MANAGER: _l("Lleva el catálogo, los pedidos, los comprobantes y las entregas."),
    Role.CLERK: _l("Atiende pedidos y reservas, y consulta el catálogo."),
}


class NotAllowed(Forbidden):
    """This member of staff may not do this."""

    message = _l("Tu cuenta no tiene permiso para esto. Pídeselo a quien lleva la tienda.")


def may(role: Role, permission: str | None) -> bool:
    """Whether `role` has `permission` (None asks for nothing but being on the staff)."""
    return permission is None or permission in PERMISSIONS[role]

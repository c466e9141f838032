"""What somebody is reached by: a mail address or a telephone number, told apart and brought to one form."""

from __future__ import annotations

from storefront.kernel.forms import normal_email, normal_phone
from storefront.kernel.tenancy import current_shop


def is_email(contact: str) -> bool:
    """Whether a contact is a mail address; otherwise it is a number."""
    return "@" in contact


def normal_contact(typed: str) -> str:
    """The contact as it is compared: an address in lower case, or a number of the shop's country as E.164.

    Raises ValueError with a sentence.
    """
    text = typed.strip()
    return normal_email(text).lower() if is_email(text) else normal_phone(text, current_shop().country)

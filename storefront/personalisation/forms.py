"""What somebody chooses on the page of tastes."""

from __future__ import annotations

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectChoice, SelectMultipleField

from storefront.kernel.forms import Form
from storefront.personalisation.queries import known_tags


class TastesForm(Form):
    """Tastes to tick, and the two switches. A taste the shop no longer offers is left out in silence."""

    tastes = SelectMultipleField(_l("¿Qué te gusta?"), choices=[], validate_choice=False)
    adapt = BooleanField(_l("Ordenar las páginas según mis gustos"))
    remember = BooleanField()

    def offer(self, tags: Sequence[str]) -> None:
        """Let these be chosen."""
        self.tastes.choices = [SelectChoice(tag, tag) for tag in tags]

    @property
    def chosen(self) -> list[str]:
        """The chosen tastes among those on offer."""
        return known_tags(self.tastes.data or [], [choice.value for choice in self.tastes.choices])

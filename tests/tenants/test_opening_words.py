"""Opening hours as they stand on a door, read as far as they are clear."""

from __future__ import annotations

import pytest

from tenants.dashboard.opening_words import hours_from_words

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri")
SIX = (*WEEKDAYS, "sat")
SEVEN = (*SIX, "sun")


def all_of(days, *ranges):
    return {day: list(ranges) for day in days}


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("Lunes a sábado, de 7 a 14 y de 17 a 20", all_of(SIX, ("07:00", "14:00"), ("17:00", "20:00"))),
        ("Lunes a sábado de 7:00 a 20:30, domingo de 8:00 a 14:00",
         all_of(SIX, ("07:00", "20:30")) | all_of(("sun",), ("08:00", "14:00"))),
        ("Recepción todos los días, de 8:00 a 22:00", all_of(SEVEN, ("08:00", "22:00"))),
        ("Lun-Vie 9am – 6pm; Sáb 10 a 2", all_of(WEEKDAYS, ("09:00", "18:00")) | all_of(("sat",), ("10:00", "14:00"))),
        ("lunes a viernes de 9 a. m. a 6 p. m.", all_of(WEEKDAYS, ("09:00", "18:00"))),
        ("martes, jueves y sábado de 10 a 7", all_of(("tue", "thu", "sat"), ("10:00", "19:00"))),
        ("lunes cerrado, martes a sábado de 12 a 23", all_of(SIX[1:], ("12:00", "23:00"))),
        ("viernes y sábado de 20 a 02", all_of(("fri", "sat"), ("20:00", "02:00"))),
        ("lunes a viernes de 2 a 8 pm", all_of(WEEKDAYS, ("14:00", "20:00"))),
        ("De 7 a 14", {}),
        ("Cuando hay luz", {}),
        ("", {}),
    ],
)  # fmt: skip
def test_what_is_clear_is_read_and_the_rest_is_left_out(said, meant) -> None:
    assert hours_from_words(said) == meant

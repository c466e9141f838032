"""What suits somebody, as arithmetic: every product once, in one order only, and a taste never works against itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from storefront.personalisation.affinity import (
    FAMOUS,
    HALF_LIFE,
    Item,
    Reason,
    Sight,
    Taste,
    Why,
    rank,
    related,
)
from storefront.personalisation.models import InteractionKind

AT = datetime(2026, 3, 14, 10, tzinfo=UTC)
patient = settings(deadline=None)  # correctness is what counts here, on however busy a machine
WORDS = ("dulce", "salado", "integral", "chocolate", "para regalar")

tags = st.lists(st.sampled_from(WORDS), max_size=4, unique=True).map(tuple)
counts = st.integers(0, 50)


@st.composite
def shelves(draw):
    """A page of products with different ids."""
    ids = draw(st.lists(st.integers(1, 10_000), unique=True, max_size=15))
    return [Item(id, draw(tags), draw(counts), draw(st.integers(0, 5))) for id in ids]


sights = st.builds(
    Sight,
    product_id=st.integers(1, 10_000),
    name=st.just("Concha"),
    tags=tags,
    kind=st.sampled_from(InteractionKind),
    at=st.timedeltas(timedelta(0), timedelta(days=180)).map(lambda age: AT - age),
)
persons = st.builds(Taste, declared=tags, seen=st.lists(sights, max_size=10).map(tuple))


def ids(ranked):
    return [one.id for one in ranked]


def place(ranked, id):
    return ids(ranked).index(id)


@patient
@given(shelves(), persons)
def test_every_product_comes_once(shelf, person):
    assert sorted(ids(rank(shelf, person, AT))) == sorted(item.id for item in shelf)


@patient
@given(shelves(), persons)
def test_the_same_question_has_the_same_answer(shelf, person):
    assert rank(shelf, person, AT) == rank(list(shelf), person, AT)


@patient
@given(shelves(), persons, st.sampled_from(WORDS))
def test_a_declared_taste_never_moves_a_product_that_has_it_down(shelf, person, word):
    without = Taste(tuple(tag for tag in person.declared if tag != word), person.seen)
    with_it = Taste((*without.declared, word), person.seen)
    before, after = rank(shelf, without, AT), rank(shelf, with_it, AT)

    for item in shelf:
        if word in item.tags:
            assert place(after, item.id) <= place(before, item.id)


@patient
@given(shelves(), persons, st.sampled_from(WORDS))
def test_what_was_said_weighs_more_than_everything_inferred(shelf, person, word):
    ranked = rank(shelf, Taste((word,), person.seen), AT)
    liked = [word in next(item.tags for item in shelf if item.id == one.id) for one in ranked]

    assert liked == sorted(liked, reverse=True)


@patient
@given(shelves())
def test_without_any_taste_what_sells_most_comes_first_and_ties_keep_the_shops_order(shelf):
    ranked = ids(rank(shelf, Taste(), AT))

    assert ranked == [item.id for item in sorted(shelf, key=lambda item: -item.orders)]


@patient
@given(shelves(), persons)
def test_how_a_product_got_its_place_is_always_true(shelf, person):
    by_id = {item.id: item for item in shelf}
    for one in rank(shelf, person, AT):
        item, reason = by_id[one.id], one.reason
        if reason.why is Why.DECLARED:
            assert reason.word in item.tags
            assert reason.word in person.declared
        elif reason.why in {Why.VIEWED, Why.BOUGHT}:
            assert any(set(sight.tags) & set(item.tags) for sight in person.seen if sight.product_id != item.id)
        elif reason.why is Why.POPULAR:
            assert item.orders >= FAMOUS
        else:
            assert one.score == 0 or not person.declared


@patient
@given(shelves(), persons, st.integers(0, 6))
def test_what_is_bought_together_comes_before_what_is_alike(shelf, person, most):
    found = related(shelf, person, AT, most)
    together = {item.id: item.together for item in shelf}

    assert len(found) == min(most, len(shelf))
    assert len(set(ids(found))) == len(found)
    assert [together[one.id] for one in found] == sorted((together[one.id] for one in found), reverse=True)
    assert all((one.reason.why is Why.TOGETHER) == (together[one.id] > 0) for one in found)


def test_tastes_are_compared_without_minding_capitals_and_spaces():
    ranked = rank([Item(1, ("salado",)), Item(2, ("Sin  Azúcar",))], Taste(("sin azúcar",)), AT)

    assert ids(ranked) == [2, 1]
    assert ranked[0].reason == Reason(Why.DECLARED, "sin azúcar")


def test_what_was_seen_fades_by_half_in_a_month():
    def score(age):
        seen = (Sight(9, "Concha", ("dulce",), InteractionKind.VIEWED, AT - age),)
        return rank([Item(1, ("dulce",))], Taste((), seen), AT)[0].score

    fresh, month, half_a_year = score(timedelta()), score(HALF_LIFE), score(6 * HALF_LIFE)
    assert fresh > month > half_a_year > 0


def test_bought_says_more_than_viewed():
    seen = (
        Sight(8, "Bolillo", ("salado",), InteractionKind.VIEWED, AT),
        Sight(9, "Concha", ("dulce",), InteractionKind.BOUGHT, AT),
    )
    ranked = rank([Item(1, ("salado",)), Item(2, ("dulce",))], Taste((), seen), AT)

    assert ids(ranked) == [2, 1]
    assert ranked[0].reason == Reason(Why.BOUGHT, "Concha")
    assert ranked[1].reason == Reason(Why.VIEWED, "Bolillo")


def test_nothing_is_recommended_because_of_itself():
    seen = (Sight(1, "Concha", ("dulce",), InteractionKind.VIEWED, AT),)

    assert rank([Item(1, ("dulce",))], Taste((), seen), AT)[0].reason.why is Why.NONE

import pytest

from cutout_core.spelling import example_names, similar_names


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("Pi Mensea", "Pi Mensae"),
        ("Betelgeuze", "Betelgeuse"),
        ("Trapist-1", "TRAPPIST-1"),
        ("andromeda galxy", "Andromeda Galaxy"),
        ("hoags object", "Hoag's Object"),
        ("WASP18", "WASP-18"),
        ("Eleanora", "Eleonora"),
        ("Cerez", "Ceres"),
    ],
)
def test_misspelt_name_leads_to_the_one_that_was_meant(typed, meant):
    assert similar_names(typed)[0] == meant


@pytest.mark.parametrize("typed", ["qwertz", "", "TIC 12345", "HD 20945", "NGC 9999", "TOI-7000"])
def test_nothing_is_offered_where_nothing_is_alike_nor_for_numbers(typed):
    assert similar_names(typed) == ()


def test_no_more_names_come_than_were_asked_for():
    assert len(similar_names("WASP-1")) <= 3
    assert len(similar_names("WASP-10", 1)) == 1


def test_examples_say_what_they_are():
    assert all(name and about for name, about in example_names().items())
    assert example_names()["Ring Nebula"] == "planetary nebula"

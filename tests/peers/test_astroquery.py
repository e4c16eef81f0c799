"""astroquery's own Tesscut, pointed at the demo sky, gives what ours gives."""

import io
import warnings

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits

COORD = SkyCoord(107.18696, -70.50919, unit="deg")

# astroquery 0.4.11 leaves sockets for the garbage collector to close.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # It says which way it reads a text; ours reads it the same way and says nothing.
    pytest.mark.filterwarnings("ignore:Coordinate string is being interpreted"),
]


def as_bytes(hdus: fits.HDUList) -> bytes:
    out = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        hdus.writeto(out)
    return out.getvalue()


def same_table(ours, theirs) -> bool:
    kinds = [[table[name].dtype.kind for name in table.colnames] for table in (ours, theirs)]
    return (
        ours.colnames == theirs.colnames
        and kinds[0] == kinds[1]
        and all(np.array_equal(ours[name], theirs[name]) for name in theirs.colnames)
    )


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"coordinates": SkyCoord(135.1408, -5.1915, unit="deg")}, id="position"),
        pytest.param({"coordinates": "107.18696 -70.50919"}, id="text"),
        pytest.param({"coordinates": COORD, "radius": "2m"}, id="radius as text"),
        pytest.param({"coordinates": COORD, "radius": 0.2}, id="radius as number"),
    ],
)
def test_sector_tables_are_the_same(query, demo_tesscut, astroquery_tesscut):
    ours = demo_tesscut.get_sectors(**query)
    theirs = astroquery_tesscut.get_sectors(**query)

    assert len(theirs) > 0
    assert same_table(ours, theirs)


@pytest.mark.parametrize("name", ["TIC 32449963", "Pi Mensae", "M104"])
def test_sector_tables_of_a_name_are_the_same(name, demo_tesscut, astroquery_tesscut):
    ours = demo_tesscut.get_sectors(object_name=name)
    theirs = astroquery_tesscut.get_sectors(objectname=name)

    assert len(theirs) > 0
    assert same_table(ours, theirs)


@pytest.mark.parametrize(
    "query",
    [
        pytest.param({"sector": 33}, id="default size"),
        pytest.param({"sector": 33, "size": (3, 7)}, id="ny by nx"),
        pytest.param({"sector": [9, 33], "size": 1}, id="two sectors"),
        pytest.param({"sector": 9, "size": [5, 7] * u.arcmin}, id="angle"),
    ],
)
def test_cutouts_in_memory_are_the_same_to_the_byte(query, demo_tesscut, astroquery_tesscut):
    ours = demo_tesscut.get_cutouts(coordinates=COORD, **query)
    theirs = astroquery_tesscut.get_cutouts(coordinates=COORD, **query)

    assert len(ours) == len(theirs) == len(np.atleast_1d(query["sector"]))
    assert [as_bytes(h) for h in ours] == [as_bytes(h) for h in theirs]


def test_downloaded_files_are_the_same_to_the_byte(demo_tesscut, astroquery_tesscut, tmp_path):
    query = {"coordinates": COORD, "size": [5, 5] * u.arcmin, "sector": 9}

    ours = demo_tesscut.download_cutouts(**query, path=tmp_path / "ours")
    theirs = astroquery_tesscut.download_cutouts(**query, path=str(tmp_path / "theirs"))

    (our_path,), (their_path,) = ours["Local Path"], theirs["Local Path"]
    assert our_path.rpartition("/")[2] == their_path.rpartition("/")[2]
    with open(our_path, "rb") as a, open(their_path, "rb") as b:  # noqa: PTH123
        assert a.read() == b.read()


@pytest.mark.parametrize("name", ["Ceres", "Eleonora", "C/2020 F3", "67P"])
def test_sector_tables_of_a_moving_target_are_the_same(name, demo_tesscut, astroquery_tesscut):
    ours = demo_tesscut.get_sectors(object_name=name, moving_target=True)
    theirs = astroquery_tesscut.get_sectors(objectname=name, moving_target=True)

    assert len(theirs) > 0
    assert same_table(ours, theirs)


def test_files_of_a_moving_target_are_the_same_to_the_byte(
    demo_tesscut, astroquery_tesscut, tmp_path
):
    query = {"moving_target": True, "sector": 6, "size": 3, "mt_type": "smallbody"}

    ours = demo_tesscut.get_cutouts(object_name="Eleonora", **query)
    theirs = astroquery_tesscut.get_cutouts(objectname="Eleonora", **query)
    manifest = demo_tesscut.download_cutouts(object_name="Eleonora", **query, path=tmp_path)

    assert [as_bytes(h) for h in ours] == [as_bytes(h) for h in theirs]
    assert len(manifest) == len(theirs) == 1
    with fits.open(manifest["Local Path"][0]) as hdus:
        assert hdus["PIXELS"].header["TTYPE13"] == "TGT_X"

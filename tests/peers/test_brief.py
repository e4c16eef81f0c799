"""
The examples of astroquery's manual page on MAST cutouts, with our import, on the demo sky.

Only the import line and what depends on the day (date and folder of a download) differ from the
manual; the printed results are the manual's.
"""

import doctest

import pytest

SECTORS_BY_COORDINATES = """
>>> from cutout_core import Tesscut
>>> from astropy.coordinates import SkyCoord
>>> coord = SkyCoord(135.1408, -5.1915, unit="deg")
>>> sector_table = Tesscut.get_sectors(coordinates=coord)
>>> print(sector_table)
  sectorName   sector camera ccd
-------------- ------ ------ ---
tess-s0008-1-1      8      1   1
tess-s0034-1-2     34      1   2
tess-s0061-1-2     61      1   2
tess-s0088-1-2     88      1   2
"""

SECTORS_BY_NAME = """
>>> from cutout_core import Tesscut
>>> sector_table = Tesscut.get_sectors(object_name="TIC 32449963")
>>> print(sector_table)
  sectorName   sector camera ccd
-------------- ------ ------ ---
tess-s0010-1-4     10      1   4
...
"""

SECTORS_OF_A_MOVING_TARGET = """
>>> from cutout_core import Tesscut
>>> sector_table = Tesscut.get_sectors(object_name="Ceres", moving_target=True)
>>> print(sector_table)
  sectorName   sector camera ccd
-------------- ------ ------ ---
tess-s0029-1-4     29      1   4
tess-s0043-3-3     43      3   3
tess-s0044-2-4     44      2   4
tess-s0092-4-3     92      4   3
tess-s0097-1-4     97      1   4
"""

# The manual does not compare what this one prints: how many cadences there are depends on how near
# to the edge of the CCD the service follows a target (355 in the manual).
CUTOUTS_OF_A_MOVING_TARGET = """
>>> from cutout_core import Tesscut
>>> hdulist = Tesscut.get_cutouts(object_name="Eleonora",
...                               moving_target=True,
...                               sector=6)
>>> hdulist[0].info()
Filename: ...
No.    Name      Ver    Type      Cards   Dimensions   Format
  0  PRIMARY       1 PrimaryHDU      54   ()
  1  PIXELS        1 BinTableHDU    150   3...R x 16C   [D, E, J, 25J, 25E, 25E, 25E, 25E, J, E, E, 38A, D, D, D, D]
  2  APERTURE      1 ImageHDU        97   (2136, 2078)   int32
"""  # noqa: E501

CUTOUTS_IN_MEMORY = """
>>> from cutout_core import Tesscut
>>> from astropy.coordinates import SkyCoord
>>> cutout_coord = SkyCoord(107.18696, -70.50919, unit="deg")
>>> hdulist = Tesscut.get_cutouts(coordinates=cutout_coord, sector=33)
>>> hdulist[0].info()
Filename: ...
No.    Name      Ver    Type      Cards   Dimensions   Format
  0  PRIMARY       1 PrimaryHDU      57   ()
  1  PIXELS        1 BinTableHDU    281   3495R x 12C   [D, E, J, 25J, 25E, 25E, 25E, 25E, J, E, E, 38A]
  2  APERTURE      1 ImageHDU        82   (5, 5)   int32
"""  # noqa: E501

DOWNLOAD = """
>>> from cutout_core import Tesscut
>>> from astropy.coordinates import SkyCoord
>>> import astropy.units as u
>>> cutout_coord = SkyCoord(107.18696, -70.50919, unit="deg")
>>> manifest = Tesscut.download_cutouts(coordinates=cutout_coord,
...                                     size=[5, 5]*u.arcmin,
...                                     sector=9)
>>> print(manifest)
                        Local Path
----------------------------------------------------------
...tess-s0009-4-1_107.186960_-70.509190_15x15_astrocut.fits
"""


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(SECTORS_BY_COORDINATES, id="sectors by coordinates"),
        pytest.param(SECTORS_BY_NAME, id="sectors by name"),
        pytest.param(SECTORS_OF_A_MOVING_TARGET, id="sectors of a moving target"),
        pytest.param(CUTOUTS_IN_MEMORY, id="cutouts in memory"),
        pytest.param(CUTOUTS_OF_A_MOVING_TARGET, id="cutouts of a moving target"),
        pytest.param(DOWNLOAD, id="download"),
    ],
)
def test_example_of_the_manual_gives_the_printed_result(
    example, demo_tesscut, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    test = doctest.DocTestParser().get_doctest(example, {}, "manual", None, None)

    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)

    assert result.attempted > 0
    assert result.failed == 0, "".join(said)


def test_older_spelling_of_the_manual_works_and_warns(demo_tesscut):
    from astropy.utils.exceptions import AstropyDeprecationWarning

    with pytest.warns(AstropyDeprecationWarning, match="object_name"):
        sectors = demo_tesscut.get_sectors(objectname="TIC 32449963")

    assert (sectors["sector"][0], sectors["camera"][0], sectors["ccd"][0]) == (10, 1, 4)

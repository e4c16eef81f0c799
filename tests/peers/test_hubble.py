"""Zcut and Hapcut on the demo sky: examples of the manual, and what astroquery makes of it."""

import doctest
import hashlib
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord

GOODS_N = SkyCoord(189.49206, 62.20615, unit="deg")
HAP = SkyCoord(351.347812, 28.497808, unit="deg")

pytestmark = [
    # astroquery 0.4.11 leaves sockets for the garbage collector to close.
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    # Real headers of HAP keep cards that astropy mends.
    pytest.mark.filterwarnings("ignore::astropy.io.fits.verify.VerifyWarning"),
]

SURVEYS = """
>>> from cutout_core import Zcut
>>> from astropy.coordinates import SkyCoord
>>> coord = SkyCoord(189.49206, 62.20615, unit="deg")
>>> survey_list = Zcut.get_surveys(coordinates=coord)
>>> print(survey_list)
['candels_gn_60mas', 'candels_gn_30mas', 'goods_north', '3dhst_goods-n']
"""

ZCUT_IN_MEMORY = """
>>> from cutout_core import Zcut
>>> from astropy.coordinates import SkyCoord
>>> cutout_coord = SkyCoord(189.49206, 62.20615, unit="deg")
>>> hdulist = Zcut.get_cutouts(coordinates=cutout_coord, survey='3dhst_goods-n')
>>> hdulist[0].info()
Filename: ...
No.    Name      Ver    Type      Cards   Dimensions   Format
  0  PRIMARY       1 PrimaryHDU      11   ()
  1  CUTOUT        1 ImageHDU        ...   (5, 5)   float32
...
"""

ZCUT_DOWNLOAD = """
>>> from cutout_core import Zcut
>>> from astropy.coordinates import SkyCoord
>>> cutout_coord = SkyCoord(189.49206, 62.20615, unit="deg")
>>> manifest = Zcut.download_cutouts(coordinates=cutout_coord,
...                                  size=[5, 10],
...                                  survey="3dhst_goods-n",
...                                  cutout_format="jpg")
>>> for path in manifest["Local Path"]: print(path)
hlsp_3dhst_spitzer_irac_goods-n_irac1_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg
hlsp_3dhst_spitzer_irac_goods-n-s2_irac3_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg
hlsp_3dhst_spitzer_irac_goods-n-s1_irac4_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg
hlsp_3dhst_spitzer_irac_goods-n_irac2_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg
hlsp_3dhst_mayall_mosaic_goods-n_u_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg
hlsp_3dhst_subaru_suprimecam_goods-n_rc_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg
hlsp_3dhst_subaru_suprimecam_goods-n_v_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg
hlsp_3dhst_subaru_suprimecam_goods-n_ic_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg
hlsp_3dhst_subaru_suprimecam_goods-n_zp_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg
hlsp_3dhst_subaru_suprimecam_goods-n_b_v4.0_sc_189.492060_62.206150_10.0pix-x-5.0pix_astrocut_0.jpg
"""

HAPCUT_IN_MEMORY = """
>>> from cutout_core import Hapcut
>>> from astropy.coordinates import SkyCoord
>>> cutout_coord = SkyCoord(351.347812, 28.497808, unit="deg")
>>> hdulist = Hapcut.get_cutouts(coordinates=cutout_coord, size=5)
>>> hdulist[0].info()
Filename: ...
No.    Name      Ver    Type      Cards   Dimensions   Format
  0  PRIMARY       1 PrimaryHDU     754   ()
  1  SCI           1 ImageHDU       102   (5, 5)   float32
  2  WHT           1 ImageHDU        56   (5, 5)   float32
"""

HAPCUT_DOWNLOAD = """
>>> from cutout_core import Hapcut
>>> from astropy.coordinates import SkyCoord
>>> cutout_coord = SkyCoord(351.347812, 28.497808, unit="deg")
>>> manifest = Hapcut.download_cutouts(coordinates=cutout_coord, size=[50, 100])
>>> for path in manifest["Local Path"]: print(path)
hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_ir_f160w_coarse.fits
hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_ir_f160w.fits
hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_uvis_f606w.fits
hst_cutout_skycell-p2007x09y05-ra351d3478-decn28d4978_wfc3_uvis_f814w.fits
"""


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(SURVEYS, id="surveys"),
        pytest.param(ZCUT_IN_MEMORY, id="Zcut in memory"),
        pytest.param(ZCUT_DOWNLOAD, id="Zcut download"),
        pytest.param(HAPCUT_IN_MEMORY, id="Hapcut in memory"),
        pytest.param(HAPCUT_DOWNLOAD, id="Hapcut download"),
    ],
)
def test_example_of_the_manual_gives_the_printed_result(example, ours, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    # The manual prints "./name".
    example = example.replace("print(path)", "print(path.removeprefix('./'))")
    flags = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
    test = doctest.DocTestParser().get_doctest(example, {}, "manual", None, None)

    said: list[str] = []
    result = doctest.DocTestRunner(optionflags=flags).run(test, out=said.append)

    assert result.attempted > 0
    assert result.failed == 0, "".join(said)


@pytest.fixture
def ours(demo_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """`cutout_core` with its clients fresh, and the demo sky set as a user sets it."""
    import cutout_core
    from cutout_core.mast.hapcut import HapcutClass
    from cutout_core.mast.zcut import ZcutClass

    monkeypatch.setenv("SKYSTAMP_MAST_URL", demo_url)
    monkeypatch.setenv("SKYSTAMP_RESOLVER_URL", demo_url)
    monkeypatch.setattr(cutout_core, "Zcut", ZcutClass(), raising=False)
    monkeypatch.setattr(cutout_core, "Hapcut", HapcutClass(), raising=False)
    return cutout_core


@pytest.fixture
def theirs(demo_url: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    """astroquery.mast with nothing changed but the addresses it asks."""
    import astroquery.mast as mast

    for client, service in ((mast.Zcut, "zcut"), (mast.Hapcut, "hapcut")):
        url = f"{demo_url}/{service}/api/v0.1/"
        monkeypatch.setattr(client._service_api_connection, "REQUEST_URL", url)
    return mast


@pytest.mark.parametrize("radius", [0.0, "2m", 0.2])
def test_surveys_are_the_same(radius, ours, theirs):
    expected = theirs.Zcut.get_surveys(coordinates=GOODS_N, radius=radius)

    assert len(expected) >= 4
    assert ours.Zcut.get_surveys(coordinates=GOODS_N, radius=radius) == expected


@pytest.mark.parametrize("size", [5, [3, 7], 3 * u.arcsec])
def test_cutouts_in_memory_are_the_same(size, ours, theirs):
    pairs = [
        (client.Zcut.get_cutouts(coordinates=GOODS_N, size=size, survey="goods_north"),
         client.Hapcut.get_cutouts(coordinates=HAP, size=size))
        for client in (ours, theirs)
    ]  # fmt: skip

    for mine, other in zip(*pairs, strict=True):
        assert len(mine) == len(other) > 0
        for a, b in zip(mine, other, strict=True):
            assert [h.header for h in a] == [h.header for h in b]
            assert all(
                np.array_equal(x.data, y.data, equal_nan=True)
                for x, y in zip(a[1:], b[1:], strict=True)
            )


@pytest.mark.parametrize(
    ("service", "query"),
    [
        pytest.param("Zcut", {"coordinates": GOODS_N, "size": [5, 10], "survey": "goods_north"}),
        pytest.param(
            "Zcut",
            {
                "coordinates": GOODS_N,
                "size": 20,
                "survey": "goods_north",
                "cutout_format": "png",
                "stretch": "sqrt",
                "invert": True,
            },
        ),
        pytest.param("Hapcut", {"coordinates": HAP, "size": [2, 3]}),
    ],
    ids=["Zcut fits", "Zcut png", "Hapcut"],
)
def test_downloaded_files_are_the_same_to_the_byte(service, query, ours, theirs, tmp_path):
    sums = []
    for name, client in (("ours", ours), ("theirs", theirs)):
        folder = tmp_path / name
        folder.mkdir()
        paths = getattr(client, service).download_cutouts(**query, path=str(folder))["Local Path"]
        files = [Path(path) for path in paths]
        sums.append({f.name: hashlib.sha256(f.read_bytes()).hexdigest() for f in files})

    assert sums[0] == sums[1]
    assert sums[0]

"""The simulated files are built as MAST's are, and say that they are simulated."""

import io
import json
import tracemalloc
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS

from demo_sky.tess.geometry import Pointing, Window, collected, cutout_window, find_pointings
from demo_sky.tess.product import Cutout, stream_archive
from demo_sky.tess.timing import cadences, utc_to_btjd

with warnings.catch_warnings():
    # It warns of an optional package (oktopus) that only its point-spread-function models need.
    warnings.filterwarnings("ignore", message=".*tpfmodel submodule.*", category=UserWarning)
    import lightkurve

CONTRACT = Path(__file__).parents[3] / "shared/reference/contract/astrocut_cards_0.11.1.json"
BRIEF = (107.18696, -70.50919)


class PlainPixels:
    """Pixels whose values tell their place: 1000 * cadence + 10 * FFI row + FFI column / 100."""

    def __init__(self, window, wcs, exposures):
        self.window, self.wcs, self.exposures = window, wcs, exposures

    def values(self, first, last):
        w = self.window
        rows, columns = np.mgrid[w.row : w.row + w.ny, w.column : w.column + w.nx]
        flux = np.arange(first, last)[:, None, None] * 1000.0 + rows * 10.0 + columns / 100.0
        return np.where(collected(w), flux, np.nan).astype(np.float32)

    def read(self, first, last):
        flux = self.values(first, last)
        return flux, flux / np.float32(8.0)


class NoisyPixels(PlainPixels):
    """Light with noise: as hard to compress as what the demo sky sends."""

    def read(self, first, last):
        shape = (last - first, self.window.ny, self.window.nx)
        noise = np.random.default_rng(first).standard_normal(shape, dtype=np.float32)
        return 500.0 + noise, 7.0 + 0.01 * noise


def make_cutout(ra, dec, sector, nx, ny):
    pointing = find_pointings(ra, dec, sectors=[sector])[0]
    return Cutout(cutout_window(pointing, nx, ny), ra, dec)


def unzip(content):
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def make_file(cutout, pixels=PlainPixels):
    (content,) = unzip(b"".join(stream_archive([cutout], pixels))).values()
    return content


@pytest.fixture(scope="module")
def brief_file():
    return make_file(make_cutout(*BRIEF, 33, 5, 5))


@pytest.fixture
def brief_hdus(brief_file):
    with fits.open(io.BytesIO(brief_file)) as hdus:
        yield hdus


def test_the_file_has_the_shape_that_astroquerys_manual_prints(brief_hdus):
    info = brief_hdus.info(output=False)

    assert [(row[1], row[4]) for row in info] == [
        ("PRIMARY", 57),
        ("PIXELS", 281),
        ("APERTURE", 82),
    ]
    assert info[1][5] == "3495R x 12C"
    assert info[1][6] == "[D, E, J, 25J, 25E, 25E, 25E, 25E, J, E, E, 38A]"
    assert info[2][5:7] == ((5, 5), "int32")


def test_every_card_has_the_place_it_has_in_astrocuts_files(brief_hdus):
    if not CONTRACT.exists():
        pytest.skip("the contract is not beside this checkout")
    contract = json.loads(CONTRACT.read_text("utf-8"))

    for hdu, cards in zip(brief_hdus, contract.values(), strict=True):
        assert [card.keyword for card in hdu.header.cards] == [card[0] for card in cards]
        for card, (keyword, value, _comment) in zip(hdu.header.cards, cards, strict=True):
            if keyword.startswith(("TTYPE", "TFORM", "TUNIT", "TDISP", "TNULL", "TDIM", "CTYPE")):
                assert str(card.value) == value


def test_a_real_file_has_the_same_columns(real_replies):
    ours = make_file(make_cutout(84.29119, -80.46917, 1, 6, 6))
    path = real_replies / "tess-s0001-4-2_84.291190_-80.469170_6x6_astrocut.fits"

    with fits.open(io.BytesIO(ours)) as made, fits.open(path) as real:
        for attribute in ("name", "format", "unit", "disp", "dim", "null"):
            theirs = [getattr(column, attribute) for column in real[1].columns]
            assert [getattr(column, attribute) for column in made[1].columns] == theirs
        assert [len(hdu.header) for hdu in made] == [len(hdu.header) for hdu in real]
        for i in range(3):
            assert set(made[i].header) == set(real[i].header)


def test_the_file_says_that_it_is_simulated(brief_hdus):
    for hdu in brief_hdus:
        assert hdu.header["SIMDATA"] is True
        assert hdu.header["ORIGIN"] == "Skystamp demo sky"
        assert "MAST" not in hdu.header["ORIGIN"]
        assert "astrocut" not in hdu.header["CREATOR"]


def test_the_checksums_are_right(brief_file):
    with fits.open(io.BytesIO(brief_file), checksum=True) as hdus:
        for hdu in hdus:
            assert hdu.verify_checksum() == 1
            assert hdu.verify_datasum() == 1


def test_a_changed_byte_breaks_the_checksum(brief_file):
    with fits.open(io.BytesIO(brief_file)) as hdus:
        start = hdus[1].fileinfo()["datLoc"]
    broken = bytearray(brief_file)
    broken[start + 12345] ^= 0x10

    with fits.open(io.BytesIO(broken)) as hdus:
        assert hdus[1].verify_datasum() == 0


@pytest.mark.parametrize(
    ("sector", "nx", "ny"), [(33, 5, 5), (1, 1, 1), (12, 2, 3), (61, 21, 4), (8, 60, 60)]
)
def test_the_columns_hold_what_was_exposed(sector, nx, ny):
    window = Window(sector, 2, 3, column=300, row=400, nx=nx, ny=ny)
    exposures = cadences(sector, 2, 3)
    expected = PlainPixels(window, None, exposures).values(0, len(exposures.time))

    with fits.open(io.BytesIO(make_file(Cutout(window, 10.0, 20.0))), checksum=True) as hdus:
        table = hdus[1].data
        np.testing.assert_array_equal(table["TIME"], exposures.time)
        np.testing.assert_array_equal(table["TIMECORR"], exposures.barycorr.astype(np.float32))
        np.testing.assert_array_equal(table["QUALITY"], exposures.quality)
        np.testing.assert_array_equal(table["FFI_FILE"], exposures.ffi_names.astype(str))
        np.testing.assert_array_equal(table["FLUX"].reshape(expected.shape), expected)
        np.testing.assert_array_equal(table["FLUX_ERR"].reshape(expected.shape), expected / 8)
        assert hdus[1].header["TDIM5"] == f"({nx}, {ny})"
        for column in ("CADENCENO", "FLUX_BKG", "FLUX_BKG_ERR", "POS_CORR1", "POS_CORR2"):
            assert not np.any(table[column])
        assert np.all(table["RAW_CNTS"] == -1)
        assert hdus[2].data.shape == (ny, nx)
        assert np.all(hdus[2].data == 1)
        assert hdus[1].verify_checksum() == 1


def test_pixels_beyond_the_science_area_are_empty():
    # The last three science columns, and two of the collateral ones.
    window = Window(33, 1, 1, column=2090, row=1, nx=5, ny=3)

    with fits.open(io.BytesIO(make_file(Cutout(window, 10.0, 20.0)))) as hdus:
        flux, error = hdus[1].data["FLUX"], hdus[1].data["FLUX_ERR"]
        np.testing.assert_array_equal(hdus[2].data, [[1, 1, 1, 0, 0]] * 3)
        assert np.isnan(flux[:, :, 3:]).all()
        assert np.isnan(error[:, :, 3:]).all()
        assert np.isfinite(flux[:, :, :3]).all()


def test_the_headers_tell_place_and_position(brief_hdus):
    header = brief_hdus[0].header
    (pointing,) = find_pointings(*BRIEF, sectors=[33])

    assert (header["RA_OBJ"], header["DEC_OBJ"]) == BRIEF
    assert (header["SECTOR"], header["CAMERA"], header["CCD"]) == (33, 4, 4)
    for n in range(4, 9):
        pixels = brief_hdus[1].header
        # FFI column and row of pixel (1, 1): the position is in the middle pixel of 5 x 5.
        assert pixels[f"1CRV{n}P"] + 2 == round(pointing.column)
        assert pixels[f"2CRV{n}P"] + 2 == round(pointing.row)


def test_aperture_and_columns_have_the_same_wcs_with_the_target_in_the_middle(brief_hdus):
    aperture, pixels = brief_hdus[2].header, brief_hdus[1].header

    x, y = WCS(aperture).all_world2pix(*BRIEF, 0)

    assert abs(x - 2.0) <= 0.5
    assert abs(y - 2.0) <= 0.5
    pairs = {
        "1CRPX5": "CRPIX1",
        "2CRPX5": "CRPIX2",
        "1CRVL5": "CRVAL1",
        "2CRVL5": "CRVAL2",
        "11PC5": "PC1_1",
        "12PC5": "PC1_2",
        "21PC5": "PC2_1",
        "22PC5": "PC2_2",
    }
    assert {key: pixels[key] for key in pairs} == {k: aperture[v] for k, v in pairs.items()}
    assert aperture["WCS_MSEP"] < 1e-5


def test_start_and_stop_enclose_the_times(brief_hdus):
    header, time = brief_hdus[0].header, brief_hdus[1].data["TIME"]
    half_step = 300.0 / 86400.0

    assert header["TSTART"] == pytest.approx(time[0] - half_step, abs=1e-7)
    assert header["TSTOP"] == pytest.approx(time[-1] + half_step, abs=1e-7)
    assert header["TELAPSE"] == pytest.approx(header["TSTOP"] - header["TSTART"], abs=1e-9)
    assert utc_to_btjd(header["DATE-OBS"].rstrip("Z")) == pytest.approx(header["TSTART"], abs=1e-8)
    assert utc_to_btjd(header["DATE-END"].rstrip("Z")) == pytest.approx(header["TSTOP"], abs=1e-8)


@pytest.mark.parametrize(("sector", "index"), [(1, 4697), (12, 19080)])
def test_ffis_are_counted_as_in_real_files(sector, index):
    # FFIINDEX of the two real files that we hold.
    content = make_file(Cutout(Window(sector, 2, 1, 500, 500, 1, 1), 10.0, 20.0))

    assert fits.getheader(io.BytesIO(content))["FFIINDEX"] == index


@pytest.mark.parametrize(
    ("cutout", "name"),
    [
        (
            Cutout(Window(9, 4, 1, 1208, 1233, 15, 15), *BRIEF),
            "tess-s0009-4-1_107.186960_-70.509190_15x15_astrocut.fits",
        ),
        (
            Cutout(Window(42, 3, 2, 1, 1, 35, 45), 1.0, -0.5),
            "tess-s0042-3-2_1.000000_-0.500000_35x45_astrocut.fits",
        ),
    ],
)
def test_members_are_named_as_tesscut_names_them(cutout, name):
    assert cutout.file_name == name


def test_several_sectors_make_several_members():
    cutouts = [make_cutout(*BRIEF, sector, 3, 3) for sector in (7, 8, 9)]

    members = unzip(b"".join(stream_archive(cutouts, PlainPixels)))

    assert list(members) == [cutout.file_name for cutout in cutouts]
    sectors = [fits.getheader(io.BytesIO(content))["SECTOR"] for content in members.values()]
    assert sectors == [7, 8, 9]


def test_the_same_request_gives_the_same_bytes():
    cutout = make_cutout(*BRIEF, 7, 3, 3)

    once, again = (b"".join(stream_archive([cutout], PlainPixels)) for _ in range(2))

    assert once == again


def test_making_a_file_takes_less_memory_than_four_times_the_reply():
    cutout = Cutout(Window(61, 1, 2, 1000, 1000, 11, 11), 135.1408, -5.1915)
    n_bytes = sum(len(chunk) for chunk in stream_archive([cutout], NoisyPixels))

    tracemalloc.start()
    try:
        for _ in stream_archive([cutout], NoisyPixels):
            pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert n_bytes > 5e6
    # Held at once: the deflated file and a block of rows, of which the numbers are made.
    assert peak < 2.5 * n_bytes


def test_lightkurve_opens_the_file(brief_file, tmp_path):
    path = tmp_path / "tpf.fits"
    path.write_bytes(brief_file)
    (pointing,) = find_pointings(*BRIEF, sectors=[33])

    tpf = lightkurve.read(path, quality_bitmask="none")

    assert isinstance(tpf, lightkurve.TessTargetPixelFile)
    assert (tpf.sector, tpf.camera, tpf.ccd) == (33, 4, 4)
    assert tpf.flux.shape == (3495, 5, 5)
    assert (tpf.column, tpf.row) == (round(pointing.column) - 2, round(pointing.row) - 2)
    np.testing.assert_allclose(tpf.wcs.all_world2pix([BRIEF], 0)[0], [2.0, 2.0], atol=0.5)
    values = PlainPixels(Window(33, 4, 4, tpf.column, tpf.row, 5, 5), None, None).values(0, 3495)
    np.testing.assert_array_equal(tpf.flux.value, values)
    light_curve = tpf.to_lightcurve(aperture_mask="all")
    np.testing.assert_allclose(light_curve.flux.value, values.sum(axis=(1, 2)), rtol=1e-6)
    tpf.hdu.close()


def test_a_cutout_off_the_ccd_altogether_is_empty():
    # TESSCut sends such files where the position is on collateral pixels (lightkurve issue 1222).
    window = cutout_window(Pointing(35, 4, 4, 2114.5, 870.3), 3, 3)

    with fits.open(io.BytesIO(make_file(Cutout(window, 84.29, -80.47)))) as hdus:
        assert not hdus[2].data.any()
        assert np.isnan(hdus[1].data["FLUX"]).all()

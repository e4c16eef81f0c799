"""Zcut: what is sent, what is made of the replies, and what is refused before anything is sent."""

import io
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path

import astropy.units as u
import astroquery.mast
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.utils.exceptions import AstropyDeprecationWarning

from cutout_core.archive import read_archive
from cutout_core.errors import (
    CutoutWarning,
    InputWarning,
    InvalidQueryError,
    NoResultsWarning,
    ResolverError,
    ServiceError,
    SizeError,
    UnexpectedReplyError,
)
from cutout_core.image import read_images, read_picture
from cutout_core.mast.session import MastSession
from cutout_core.mast.zcut import (
    PictureOptions,
    ZcutClass,
    fetch_cutout,
    find_surveys,
    picture_options,
    plan_cutouts,
    read_surveys,
)
from cutout_core.size import parse_size
from tests.core.recording_server import Answer, Recorded, RecordingServer, json_answer
from tests.factories import make_zip
from tests.image_factories import make_zcut_file

SURVEY = "/zcut/api/v0.1/survey"
ASTROCUT = "/zcut/api/v0.1/astrocut"
SANTA = "/Santa-war/query"

COORD = SkyCoord(189.49206, 62.20615, unit="deg")
OTHER = SkyCoord(189.28065571, 62.17415175, unit="deg")
SURVEYS = ["candels_gn_60mas", "candels_gn_30mas", "goods_north", "3dhst_goods-n"]
REAL = Path(astroquery.mast.__file__).parent / "tests" / "data"


def survey_file(request: Recorded) -> Answer:
    """What `/astrocut` answers: a file named after the survey, or a picture per filter."""
    asked = request.parameters
    if asked.get("cutout_format", "fits") == "fits":
        image = np.ones((int(float(asked["y"])), int(float(asked["x"]))), dtype=np.float32)
        name = f"{asked['survey']}_189.492060_62.206150_5.0pix-x-5.0pix_astrocut.fits"
        return Answer(make_zip({name: make_zcut_file([image])}, zipfile.ZIP_STORED))
    names = [f"hlsp_{asked['survey']}_{band}.{asked['cutout_format']}" for band in ("b", "v")]
    return Answer(make_zip(dict.fromkeys(names, b"picture"), zipfile.ZIP_STORED))


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        running.answer(SURVEY, json_answer({"surveys": SURVEYS}))
        running.answer(ASTROCUT, survey_file)
        entry = {"resolver": "NED", "canonicalName": "X", "ra": 189.49206, "decl": 62.20615}
        running.answer(
            SANTA,
            lambda request: json_answer(
                {"resolvedCoordinate": [entry | {"searchString": request.parameters["name"]}]}
            ),
        )
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Iterator[MastSession]:
    with MastSession(server.url, server.url) as opened:
        yield opened


@pytest.fixture
def zcut(session: MastSession) -> ZcutClass:
    return ZcutClass(session)


# --- what is sent ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "method", "arguments"),
    [
        ("seed: Zcut.get_surveys(coord)", "get_surveys", {"coordinates": COORD}),
        (
            "seed: Zcut.get_cutouts(coord, survey='3dhst_goods-n')",
            "get_cutouts",
            {"coordinates": COORD, "survey": "3dhst_goods-n"},
        ),
        (
            "seed: Zcut.download_cutouts(coord, size=[5,10], units='px', survey='3dhst_goods-n')",
            "download_cutouts",
            {"coordinates": COORD, "size": [5, 10], "survey": "3dhst_goods-n"},
        ),
        (
            "seed: Zcut.download_cutouts(..., cutout_format='jpg')",
            "download_cutouts",
            {
                "coordinates": COORD,
                "size": [5, 10],
                "survey": "3dhst_goods-n",
                "cutout_format": "jpg",
            },
        ),
        (
            "remote: Zcut.get_surveys(57.1,-30.08, radius=0)",
            "get_surveys",
            {"coordinates": "57.10523 -30.08085", "radius": 0},
        ),
        (
            "remote: Zcut.download_cutouts(34.47,-5.24,size=1)",
            "download_cutouts",
            {"coordinates": SkyCoord(34.4732, -5.24271, unit="deg"), "size": 1},
        ),
        (
            "remote: Zcut.download_cutouts(size=[1,1],jpg)",
            "download_cutouts",
            {"coordinates": OTHER, "size": [1, 1], "cutout_format": "jpg"},
        ),
        (
            "remote: Zcut.download_cutouts(size=1,survey='goods_north',jpg)",
            "download_cutouts",
            {"coordinates": OTHER, "size": 1, "survey": "goods_north", "cutout_format": "jpg"},
        ),
        (
            "remote: Zcut.download_cutouts(size=1,jpg,stretch='asinh',invert=True)",
            "download_cutouts",
            {
                "coordinates": OTHER,
                "size": 1,
                "cutout_format": "jpg",
                "stretch": "asinh",
                "invert": True,
            },
        ),
        ("remote: Zcut.get_cutouts(size=1)", "get_cutouts", {"coordinates": OTHER, "size": 1}),
        (
            "remote: Zcut.get_cutouts(survey='3dhst_goods-n',size=1)",
            "get_cutouts",
            {"coordinates": OTHER, "size": 1, "survey": ["3dhst_goods-n"]},
        ),
        (
            "extra: Zcut.get_surveys(radius='2m')",
            "get_surveys",
            {"coordinates": COORD, "radius": "2m"},
        ),
        (
            "extra: Zcut.get_surveys(radius=0.2)",
            "get_surveys",
            {"coordinates": COORD, "radius": 0.2},
        ),
        (
            "extra: Zcut.download_cutouts(png, minmax_percent, minmax_value, stretch)",
            "download_cutouts",
            {
                "coordinates": COORD,
                "cutout_format": "png",
                "stretch": "asinh",
                "minmax_percent": [0.5, 99.5],
                "minmax_value": [0, 1],
                "invert": False,
            },
        ),
        (
            "extra: Zcut.download_cutouts(size=10*u.arcsec)",
            "download_cutouts",
            {"coordinates": COORD, "size": 10 * u.arcsec},
        ),
        (
            "extra: Zcut.get_cutouts(size=10*u.arcsec)",
            "get_cutouts",
            {"coordinates": COORD, "size": 10 * u.arcsec},
        ),
    ],
)
# The witness gives minmax_percent and minmax_value at once.
@pytest.mark.filterwarnings("ignore:Zcut ignores minmax_value")
def test_requests_are_what_astroquery_sends(
    label, method, arguments, server, zcut, recorded, tmp_path
):
    (theirs,) = [r for r in recorded if r["label"] == label]
    if "10*u.arcsec" in label:
        server.answer(ASTROCUT, Answer(make_zip({"a.fits": make_zcut_file([np.ones((2, 2))])})))
    if method == "download_cutouts":
        arguments |= {"path": tmp_path}

    getattr(zcut, method)(**arguments)

    expected = [tuple(pair) for pair in theirs["query"] or theirs["body_parsed"]]
    if method == "get_surveys":
        (request,) = server.requests
        assert (request.method, request.path) == ("GET", theirs["path"])
        assert sorted(request.query) == sorted(expected)
        return
    asked = server.asked(ASTROCUT)
    assert len(server.asked(SURVEY)) == (0 if "survey" in arguments else 1)
    names = [request.parameters["survey"] for request in asked]
    assert sorted(names) == sorted(np.atleast_1d(arguments.get("survey", SURVEYS)))
    for request in asked:
        ours = [pair for pair in request.query if "survey" in arguments or pair[0] != "survey"]
        assert sorted(ours) == sorted(expected)


@pytest.mark.parametrize(
    ("arguments", "query"),
    [
        # Literal cases of the witness, for a checkout without it.
        (
            {"size": [5, 10], "cutout_format": "jpg", "stretch": "asinh", "invert": True},
            "ra=189.49206&dec=62.20615&y=5&x=10&units=px&survey=3dhst_goods-n&cutout_format=jpg"
            "&stretch=asinh&invert=True",
        ),
        (
            {"cutout_format": "png", "minmax_percent": (0.5, 99.5)},
            "ra=189.49206&dec=62.20615&y=5&x=5&units=px&survey=3dhst_goods-n&cutout_format=png"
            "&minmax_percent=[0.5, 99.5]",
        ),
        (
            {"cutout_format": "png", "minmax_value": np.array([0, 1])},
            "ra=189.49206&dec=62.20615&y=5&x=5&units=px&survey=3dhst_goods-n&cutout_format=png"
            "&minmax_value=[0, 1]",
        ),
    ],
)
def test_request_is_sent_to_the_letter(arguments, query, server, zcut, tmp_path):
    zcut.download_cutouts(COORD, survey="3dhst_goods-n", path=tmp_path, **arguments)

    (request,) = server.requests
    assert "&".join(f"{key}={value}" for key, value in request.query) == query


def test_surveys_are_asked_for_at_the_same_time(server, zcut):
    server.answer(
        ASTROCUT,
        lambda request: Answer(survey_file(request).body, delay_s=0.2),
    )

    cutouts = zcut.get_cutouts(COORD)

    assert len(cutouts) == 4
    assert server.most_in_flight == 4


def test_plan_says_what_is_asked_for(session):
    first, second = plan_cutouts(session, 10.0, 20.0, parse_size((3, 7)), ["b", "a", "b"])

    assert (first.label, first.survey, first.sector) == ("survey b", "b", None)
    assert second.survey == "a"
    assert first.url.endswith(f"{ASTROCUT}?ra=10.0&dec=20.0&y=3&x=7&units=px&survey=b")


# --- what comes back ---------------------------------------------------------------------------


def test_list_of_surveys_is_given_in_the_order_of_the_service(zcut):
    assert zcut.get_surveys(COORD) == SURVEYS


def test_real_list_of_surveys_is_read(server, session):
    content = (REAL / "zcut_survey.json").read_bytes()
    server.answer(SURVEY, Answer(content, content_type="application/json"))

    assert find_surveys(session, 1, 2)[:2] == ["candels_gn_60mas", "candels_gn_30mas"]


def test_position_without_surveys_is_an_empty_list_and_a_warning(server, zcut):
    server.answer(SURVEY, json_answer({"surveys": []}))

    with pytest.warns(NoResultsWarning, match="not in an available deep field survey") as said:
        assert zcut.get_surveys(COORD) == []

    assert said[0].filename == __file__


@pytest.mark.parametrize("method", ["get_cutouts", "download_cutouts"])
def test_cutouts_where_no_survey_is_are_empty_and_a_warning(method, server, zcut, tmp_path):
    server.answer(SURVEY, json_answer({"surveys": []}))
    options = {"path": tmp_path} if method == "download_cutouts" else {}

    with pytest.warns(NoResultsWarning, match="not in an available deep field survey") as said:
        result = getattr(zcut, method)(COORD, **options)

    assert len(result) == 0
    assert said[0].filename == __file__
    assert server.asked(ASTROCUT) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("reply", [{}, {"surveys": "a"}, {"surveys": [1]}, {"surveys": None}])
def test_list_of_surveys_of_unknown_form_is_the_fault_of_the_service(reply, server, session):
    server.answer(SURVEY, json_answer(reply))

    with pytest.raises(UnexpectedReplyError, match="list of surveys of an unknown form"):
        find_surveys(session, 1, 2)


def test_cutouts_in_memory_are_one_list_of_hdus_per_survey(zcut):
    cutouts = zcut.get_cutouts(COORD, size=(3, 7), survey=["goods_north", "3dhst_goods-n"])

    assert [hdus.filename[:11] for hdus in cutouts] == ["goods_north", "3dhst_goods"]
    assert cutouts[0][1].data.shape == (3, 7)
    assert [hdu.name for hdu in cutouts[0]] == ["PRIMARY", "CUTOUT"]


def test_service_that_has_nothing_for_a_survey_is_quoted(server, zcut):
    def nothing_for_one(request: Recorded) -> Answer:
        if request.parameters["survey"] == "candels_gn_30mas":
            return json_answer({"msg": "No cutouts were created."})
        return survey_file(request)

    server.answer(ASTROCUT, nothing_for_one)

    with pytest.warns(NoResultsWarning, match="Survey candels_gn_30mas: No cutouts were created."):
        cutouts = zcut.get_cutouts(COORD, survey=["candels_gn_30mas", "goods_north"])

    assert len(cutouts) == 1


def test_survey_without_cutout_is_no_news_if_nobody_named_it(server, zcut):
    def nothing_for_one(request: Recorded) -> Answer:
        if request.parameters["survey"] == "candels_gn_30mas":
            return json_answer({"msg": "No cutouts were created."})
        return survey_file(request)

    server.answer(ASTROCUT, nothing_for_one)

    assert len(zcut.get_cutouts(COORD)) == 3


def test_survey_that_fails_does_not_lose_the_others(server, zcut):
    def failing(request: Recorded) -> Answer:
        if request.parameters["survey"] == "goods_north":
            return Answer(b"<html>", status=500)
        return survey_file(request)

    server.answer(ASTROCUT, failing)

    with pytest.warns(CutoutWarning, match="survey goods_north is missing"):
        cutouts = zcut.get_cutouts(COORD)

    assert len(cutouts) == 3


def test_all_surveys_failing_is_an_error(server, zcut):
    server.answer(ASTROCUT, Answer(b"<html>", status=500))

    with pytest.raises(ServiceError):
        zcut.get_cutouts(COORD)


def test_real_reply_goes_through_archive_and_image(server, session):
    server.answer(
        ASTROCUT, Answer((REAL / "astrocut_189.49206_62.20615_100x100px_f.zip").read_bytes())
    )
    (request,) = plan_cutouts(session, 189.49206, 62.20615, parse_size(100), ["candels_gn_30mas"])

    archive = fetch_cutout(session, request)

    (member,) = archive.members
    images = read_images(archive.read(member), member.name)
    assert [image.label for image in images] == [
        "ACS/WFC F606W",
        "ACS/WFC F814W",
        "ACS/WFC F850LP",
    ]
    assert {image.survey for image in images} == {"candels_gn_30mas"}


def test_real_pictures_go_through_archive_and_image():
    content = (REAL / "astrocut_189.49206_62.20615_100x100px.zip").read_bytes()

    archive = read_archive(content, "")

    pictures = [read_picture(archive.read(m), m.name) for m in archive.members]
    assert [picture.label for picture in pictures] == ["ACS F606W", "ACS F814W", "ACS F850LP"]


# --- files -------------------------------------------------------------------------------------


def test_download_writes_the_files_and_lists_them(zcut, tmp_path):
    manifest = zcut.download_cutouts(COORD, survey=["goods_north", "3dhst_goods-n"], path=tmp_path)

    assert manifest.colnames == ["Local Path"]
    names = [Path(path).name for path in manifest["Local Path"]]
    assert names == [
        "goods_north_189.492060_62.206150_5.0pix-x-5.0pix_astrocut.fits",
        "3dhst_goods-n_189.492060_62.206150_5.0pix-x-5.0pix_astrocut.fits",
    ]
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())


def test_pictures_are_downloaded_as_they_come(zcut, tmp_path):
    manifest = zcut.download_cutouts(
        COORD, survey="goods_north", cutout_format="jpg", path=tmp_path
    )

    assert [Path(path).name for path in manifest["Local Path"]] == [
        "hlsp_goods_north_b.jpg",
        "hlsp_goods_north_v.jpg",
    ]
    assert Path(manifest["Local Path"][0]).read_bytes() == b"picture"


def test_archive_can_be_kept(zcut, tmp_path):
    manifest = zcut.download_cutouts(COORD, survey="goods_north", path=tmp_path, inflate=False)

    (path,) = manifest["Local Path"]
    assert Path(path).name.startswith("zcut_20")
    assert "goods" not in Path(path).name
    with zipfile.ZipFile(path) as archive:
        assert len(archive.namelist()) == 1


def test_several_archives_are_named_after_their_surveys(zcut, tmp_path):
    manifest = zcut.download_cutouts(COORD, path=tmp_path, inflate=False)

    ends = [Path(path).name.split("_", 2)[2] for path in manifest["Local Path"]]
    assert ends == [f"{survey}.zip" for survey in SURVEYS]


# --- targets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["get_surveys", "get_cutouts", "download_cutouts"])
def test_name_of_an_object_is_looked_up(method, server, zcut, tmp_path):
    options = {"path": tmp_path} if method == "download_cutouts" else {}

    result = getattr(zcut, method)(object_name="NGC 4567", **options)

    assert len(result) == 4
    assert server.asked(SANTA)[0].parameters["name"] == "NGC 4567"
    assert server.asked(SURVEY)[0].parameters["ra"] == "189.49206"


def test_unknown_name_is_an_error(server, zcut):
    server.answer(SANTA, json_answer({"resolvedCoordinate": [], "status": ""}))

    with pytest.raises(ResolverError, match='Could not resolve "Nowhere" to a sky position'):
        zcut.get_surveys(object_name="Nowhere")


@pytest.mark.parametrize("arguments", [{}, {"coordinates": COORD, "object_name": "M 1"}])
def test_exactly_one_of_position_and_name_is_needed(arguments, server, zcut):
    with pytest.raises(InvalidQueryError, match=r"(?i)one of object_name and coordinates"):
        zcut.get_cutouts(**arguments)

    assert server.requests == []


def test_older_spellings_are_taken_with_a_warning(zcut):
    with pytest.warns(AstropyDeprecationWarning, match="objectname") as said:
        assert len(zcut.get_cutouts(objectname="M 1", survey="goods_north")) == 1
    assert said[0].filename == __file__
    with pytest.warns(AstropyDeprecationWarning, match="units") as said:
        assert len(zcut.get_cutouts(COORD, units="px", survey="goods_north")) == 1
    assert said[0].filename == __file__


def test_units_do_nothing_whatever_they_are(server, zcut, tmp_path):
    with pytest.warns(AstropyDeprecationWarning, match="units"):
        zcut.download_cutouts(
            COORD, size=1, units=1 * u.arcsec, survey="goods_north", path=tmp_path
        )

    assert server.requests[0].parameters["units"] == "px"


# --- what is refused before anything is sent ---------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"cutout_format": "tiff"}, "Take fits, jpg or png"),
        ({"cutout_format": "FITS"}, "Take fits, jpg or png"),
        ({"cutout_format": "jpg", "stretch": "gamma"}, "asinh, linear, log, sinh or sqrt"),
        ({"cutout_format": "jpg", "stretch": ["log"]}, "asinh, linear, log, sinh or sqrt"),
        ({"cutout_format": "jpg", "minmax_percent": [99, 1]}, r"rising numbers from 0 to 100"),
        ({"cutout_format": "jpg", "minmax_percent": [0.5, 101]}, r"rising numbers from 0 to 100"),
        ({"cutout_format": "jpg", "minmax_percent": "[0.5, 99.5]"}, r"such as \[0.5, 99.5\]"),
        ({"cutout_format": "jpg", "minmax_percent": 99.5}, r"such as \[0.5, 99.5\]"),
        ({"cutout_format": "jpg", "minmax_value": [1, 0]}, r"such as \[0, 1\]"),
        ({"cutout_format": "jpg", "minmax_value": [0, float("nan")]}, r"such as \[0, 1\]"),
        ({"cutout_format": "jpg", "minmax_value": [0, 1, 2]}, r"such as \[0, 1\]"),
        ({"cutout_format": "jpg", "invert": "yes"}, "invert is True or False"),
        ({"cutout_format": "jpg", "invert": 1}, "invert is True or False"),
        ({"survey": []}, "list of surveys is empty"),
        ({"survey": 5}, "not a name such as candels_gn_30mas"),
        ({"survey": "../etc"}, "not a name such as candels_gn_30mas"),
        ({"survey": ""}, "not a name such as candels_gn_30mas"),
        ({"radius": "wide"}, "is not an angle"),
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(
    arguments, words, server, zcut, tmp_path
):
    call = zcut.get_surveys if "radius" in arguments else zcut.download_cutouts
    options = {} if "radius" in arguments else {"path": tmp_path / "new"}

    with pytest.raises(InvalidQueryError, match=words):
        call(COORD, **arguments, **options)

    assert server.requests == []
    assert not (tmp_path / "new").exists()


def test_wrong_size_is_refused_before_anything_is_sent(server, zcut):
    with pytest.raises(SizeError, match="neither in pixels nor an angle"):
        zcut.get_cutouts(COORD, size=5 * u.s)

    assert server.requests == []


def test_unknown_parameter_is_named_in_a_warning_and_not_sent(server, zcut, tmp_path):
    with pytest.warns(InputWarning, match='no parameter "strech"; it is ignored') as said:
        zcut.download_cutouts(
            COORD, survey="goods_north", cutout_format="jpg", strech="log", path=tmp_path
        )

    assert said[0].filename == __file__
    assert "strech" not in server.requests[0].parameters


def test_parameters_of_pictures_do_nothing_for_fits_files_and_are_named(server, zcut, tmp_path):
    with pytest.warns(InputWarning, match="stretch, invert is for jpg and png only"):
        zcut.download_cutouts(
            COORD, survey="goods_north", stretch="log", invert=True, path=tmp_path
        )

    assert "stretch" not in server.requests[0].parameters


def test_two_ways_of_scaling_at_once_are_pointed_out(zcut, tmp_path):
    with pytest.warns(InputWarning, match="ignores minmax_value where minmax_percent is given"):
        zcut.download_cutouts(
            COORD,
            survey="goods_north",
            cutout_format="png",
            minmax_percent=[1, 99],
            minmax_value=[0, 1],
            path=tmp_path,
        )


def test_options_that_are_not_given_are_left_to_the_service():
    assert picture_options().as_query() == ()
    assert PictureOptions(invert=False).as_query() == (("invert", "False"),)
    assert picture_options(invert=np.True_).as_query() == (("invert", "True"),)


def test_surveys_keep_their_order_and_stand_once():
    assert read_surveys(None) is None
    assert read_surveys("a") == ["a"]
    assert read_surveys(np.array(["b", "a", "b"])) == ["b", "a"]
    assert read_surveys(name for name in ("x",)) == ["x"]


def test_good_calls_say_nothing(zcut, tmp_path, capsys):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        zcut.get_surveys(COORD)
        zcut.get_cutouts(COORD)
        zcut.download_cutouts(COORD, cutout_format="png", stretch="log", path=tmp_path)

    assert capsys.readouterr() == ("", "")


def test_verbose_says_what_is_written(zcut, tmp_path, capsys):
    zcut.download_cutouts(COORD, survey="goods_north", path=tmp_path, verbose=True)

    out = capsys.readouterr().out
    assert "survey=goods_north" in out
    assert str(tmp_path) in out


def test_open_cutouts_can_be_written_again(zcut):
    (hdus,) = zcut.get_cutouts(COORD, survey="goods_north")

    out = io.BytesIO()
    hdus.writeto(out)

    (image,) = read_images(out.getvalue(), hdus.filename)
    assert image.survey == "goods_north"

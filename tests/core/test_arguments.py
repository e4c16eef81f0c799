from collections.abc import Iterator

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import ICRS, AltAz, Angle, SkyCoord

from cutout_core.errors import InputWarning, InvalidQueryError, ResolverError, TargetError
from cutout_core.mast.arguments import locate, read_coordinates, read_radius_deg
from cutout_core.mast.session import MastSession
from tests.core.recording_server import RecordingServer, json_answer

SANTA = "/Santa-war/query"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        running.answer(
            SANTA,
            lambda request: json_answer(
                {
                    "resolvedCoordinate": [
                        {
                            "searchString": request.parameters["name"].lower(),
                            "resolver": request.parameters.get("resolver", "TIC"),
                            "canonicalName": "X",
                            "ra": 84.25,
                            "decl": -80.5,
                        }
                    ]
                }
            ),
        )
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Iterator[MastSession]:
    with MastSession(server.url, server.url) as opened:
        yield opened


@pytest.mark.parametrize(
    "coordinates",
    [
        pytest.param(SkyCoord(107.18696, -70.50919, unit="deg"), id="SkyCoord"),
        pytest.param(ICRS(107.18696 * u.deg, -70.50919 * u.deg), id="frame"),
        pytest.param(SkyCoord([107.18696], [-70.50919], unit="deg"), id="array of one"),
        pytest.param("107.18696 -70.50919", id="text"),
        pytest.param("107.18696, -70.50919", id="text with comma"),
        pytest.param("107.18696d -70.50919d", id="text that astropy reads"),
    ],
)
def test_position_is_passed_on_to_the_last_digit(coordinates):
    assert read_coordinates(coordinates) == (107.18696, -70.50919)


@pytest.mark.parametrize(
    "text",
    ["05h37m09.9s -80d28m08.8s", "5h37m9.9s -80d28m8.8s", "05:37:09.9 -80:28:08.8"],
)
def test_sexagesimal_text_has_its_ra_in_hours(text):
    assert read_coordinates(text) == pytest.approx((84.29125, -80.46911111), abs=1e-8)


def test_other_frames_are_turned_into_icrs():
    galactic = SkyCoord(l=292.53, b=-29.79, unit="deg", frame="galactic")

    assert read_coordinates(galactic) == (galactic.icrs.ra.deg, galactic.icrs.dec.deg)


@pytest.mark.parametrize(
    ("coordinates", "words"),
    [
        pytest.param(
            "M104", 'not a position. If it is a name, write object_name="M104"', id="name"
        ),
        pytest.param("84.29", "cannot be used.*one coordinate", id="one number"),
        pytest.param("", "cannot be used.*empty", id="empty"),
        pytest.param("400 10", "RA 400 is above 360", id="out of range"),
        pytest.param((107.0, -70.0), "are a SkyCoord or a text, not tuple", id="tuple"),
        pytest.param(SkyCoord([1, 2], [3, 4], unit="deg"), "hold 2 positions", id="two"),
        pytest.param(SkyCoord([], [], unit="deg"), "hold 0 positions", id="none"),
        pytest.param(SkyCoord(np.nan, 1, unit="deg"), "are not a position: RA nan", id="NaN"),
        pytest.param(ICRS(), "cannot be turned into RA and Dec", id="frame without data"),
        pytest.param(
            AltAz(1 * u.deg, 2 * u.deg), "cannot be turned into RA and Dec", id="no place"
        ),
    ],
)
def test_what_is_no_position_is_refused(coordinates, words):
    with pytest.raises(InvalidQueryError, match=words):
        read_coordinates(coordinates)


@pytest.mark.parametrize(
    ("radius", "degrees"),
    [
        (0, 0.0),
        (0.2, 0.2),
        (0 * u.deg, 0.0),
        # What astroquery was recorded to send for these.
        ("2m", 0.03333333333333333),
        ("2 arcmin", 0.03333333333333333),
        (30 * u.arcsec, 0.008333333333333333),
        (Angle("0d"), 0.0),
        ("0.5d", 0.5),
    ],
)
def test_radius_is_read_as_astroquery_reads_it(radius, degrees):
    assert read_radius_deg(radius) == degrees


@pytest.mark.parametrize(
    ("radius", "words"),
    [
        ("wide", 'radius "wide" is not an angle'),
        (None, "is not an angle"),
        (5 * u.pix, "is not an angle"),
        ([1, 2], "is not an angle"),
        (-1, "radius is -1 degrees; it has to be between 0 and 180"),
        (181, "radius is 181 degrees"),
        (np.nan, "radius is nan degrees"),
    ],
)
def test_what_is_no_radius_is_refused(radius, words):
    with pytest.raises(InvalidQueryError, match=words):
        read_radius_deg(radius)


def test_name_is_looked_up(server, session):
    assert locate(session, None, "Pi Mensae", None) == (84.25, -80.5)
    assert server.requests[0].parameters["name"] == "Pi Mensae"


@pytest.mark.parametrize("spelling", ["tic261136679", "TIC-261136679", "TIC 261,136,679"])
def test_catalogue_number_is_looked_up_in_mast_s_spelling(spelling, server, session):
    locate(session, None, spelling, None)

    assert server.requests[0].parameters["name"] == "TIC 261136679"


def test_position_is_not_looked_up(server, session):
    assert locate(session, "84.2912 -80.4691", None, None) == (84.2912, -80.4691)
    assert server.requests == []


def test_name_that_is_not_known_is_a_resolver_error(server, session):
    server.answer(SANTA, json_answer({}))

    with pytest.raises(ResolverError, match='Could not resolve "Eleonora" to a sky position'):
        locate(session, None, "Eleonora", None)


@pytest.mark.parametrize(
    ("coordinates", "name", "error", "words"),
    [
        pytest.param(
            "84.2912 -80.4691",
            "M104",
            InvalidQueryError,
            "Only one of object_name and coordinates may be specified",
            id="both",
        ),
        pytest.param(
            None, None, InvalidQueryError, "One of object_name and coordinates must be", id="none"
        ),
        pytest.param(
            None, "", InvalidQueryError, "One of object_name and coordinates must be", id="empty"
        ),
        pytest.param(
            None, 261136679, InvalidQueryError, "a text such as .*, not 261136679", id="number"
        ),
        pytest.param(
            None, "261136679", TargetError, 'Did you mean "TIC 261136679"', id="lone number"
        ),
    ],
)
def test_call_without_exactly_one_target_is_refused(
    coordinates, name, error, words, server, session
):
    with pytest.raises(error, match=words):
        locate(session, coordinates, name, None)
    assert server.requests == []


def test_resolver_without_a_name_is_ignored_with_a_warning(session):
    with pytest.warns(InputWarning, match="resolver is used for object names only"):
        assert locate(session, "84.2912 -80.4691", None, "NED") == (84.2912, -80.4691)

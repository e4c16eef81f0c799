import re
import warnings
from collections.abc import Iterator

import pytest

from cutout_core.archive import read_archive
from cutout_core.errors import (
    ArchiveError,
    CutoutError,
    CutoutWarning,
    InvalidQueryError,
    NoResultsWarning,
    ProductError,
    ServiceError,
    UnexpectedReplyError,
)
from cutout_core.mast.cutouts import (
    CutoutRequest,
    DownloadFolder,
    fetch_all,
    fetch_cutout,
    open_hdus,
)
from cutout_core.mast.session import MAX_IN_FLIGHT, MastSession
from tests.core.recording_server import Answer, RecordingServer, json_answer
from tests.factories import make_tpf_file, make_zip

PATH = "tesscut/api/v0.1/astrocut"


@pytest.fixture
def server() -> Iterator[RecordingServer]:
    with RecordingServer() as running:
        yield running


@pytest.fixture
def session(server: RecordingServer) -> Iterator[MastSession]:
    with MastSession(server.url, server.url) as opened:
        yield opened


def request_for(sector: int | None) -> CutoutRequest:
    query = (("sector", sector or 0),)
    url = f"http://127.0.0.1/{PATH}?sector={sector}"
    return CutoutRequest(PATH, query, f"sector {sector}", sector, url)


def by_sector(answers: dict[int, Answer]):
    return lambda request: answers[int(request.parameters["sector"])]


def zip_of(**members: bytes) -> Answer:
    return Answer(make_zip({f"{name}.fits": content for name, content in members.items()}))


def contents(request, archive) -> list[bytes]:
    return [archive.read(member) for member in archive.members]


def test_reply_is_an_archive_that_knows_its_request(server, session):
    server.answer(f"/{PATH}", zip_of(a=b"1"))

    archive = fetch_cutout(session, request_for(1))

    assert [m.name for m in archive.members] == ["a.fits"]
    assert archive.source_url == request_for(1).url


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(json_answer({"msg": "No FFIs found", "results": []}), id="msg and results"),
        pytest.param(json_answer({"msg": "No FFIs found"}), id="msg"),
        pytest.param(json_answer({"results": []}), id="results"),
        pytest.param(json_answer({"results": None, "msg": None}), id="null"),
        pytest.param(Answer(make_zip({})), id="zip without members"),
    ],
)
def test_nothing_there_is_none(answer, server, session):
    server.answer(f"/{PATH}", answer)

    assert fetch_cutout(session, request_for(1)) is None


@pytest.mark.parametrize("reply", [{}, {"results": [1]}, {"msg": 5}, {"status": "ERROR"}])
def test_json_that_says_neither_is_unexpected(reply, server, session):
    server.answer(f"/{PATH}", json_answer(reply))

    with pytest.raises(UnexpectedReplyError, match="JSON of an unknown form instead of cutouts"):
        fetch_cutout(session, request_for(1))


def test_zip_that_broke_off_is_an_archive_error(server, session):
    server.answer(f"/{PATH}", Answer(make_zip({"a.fits": bytes(9000)})[:-40]))

    with pytest.raises(ArchiveError, match="damaged or cut short"):
        fetch_cutout(session, request_for(1))


def test_results_come_in_the_order_of_the_requests(server, session):
    server.answer(
        f"/{PATH}",
        by_sector(
            {
                1: Answer(make_zip({"a": b"1"}), delay_s=0.2),
                2: zip_of(b=b"2", c=b"3"),
                3: zip_of(d=b"4"),
            }
        ),
    )

    found = fetch_all(session, [request_for(n) for n in (1, 2, 3)], contents, nothing_is_news=True)

    assert found == [[b"1"], [b"2", b"3"], [b"4"]]


def test_requests_run_at_the_same_time_up_to_the_limit(server, session):
    server.answer(f"/{PATH}", Answer(make_zip({"a": b"1"}), delay_s=0.2))

    found = fetch_all(session, [request_for(n) for n in range(25)], contents, nothing_is_news=True)

    assert len(found) == 25
    assert server.most_in_flight == MAX_IN_FLIGHT


def test_failed_request_does_not_lose_the_others(server, session):
    server.answer(
        f"/{PATH}", by_sector({1: zip_of(a=b"1"), 2: Answer(status=500), 3: zip_of(c=b"3")})
    )

    with pytest.warns(CutoutWarning, match=r"sector 2 is missing: 127\.0\.0\.1 had an error"):
        found = fetch_all(
            session, [request_for(n) for n in (1, 2, 3)], contents, nothing_is_news=True
        )

    assert found == [[b"1"], [b"3"]]


def test_reply_that_cannot_be_opened_does_not_lose_the_others(server, session):
    def receive(request, archive):
        if request.sector == 1:
            msg = "It is damaged."
            raise ProductError(msg)
        return contents(request, archive)

    server.answer(f"/{PATH}", zip_of(a=b"1"))

    with pytest.warns(CutoutWarning, match="sector 1 is missing: It is damaged."):
        found = fetch_all(session, [request_for(1), request_for(2)], receive, nothing_is_news=True)

    assert found == [[b"1"]]


def test_bug_in_the_receiver_is_not_hidden(server, session):
    def receive(request, archive):
        raise ZeroDivisionError

    server.answer(f"/{PATH}", zip_of(a=b"1"))

    with pytest.raises(ZeroDivisionError):
        fetch_all(session, [request_for(1), request_for(2)], receive, nothing_is_news=True)


def test_first_failure_is_raised_if_nothing_came(server, session):
    server.answer(
        f"/{PATH}",
        by_sector({1: json_answer({"msg": "none"}), 2: Answer(status=504), 3: Answer(status=503)}),
    )

    with pytest.raises(ServiceError, match="status 504"):
        fetch_all(session, [request_for(n) for n in (1, 2, 3)], contents, nothing_is_news=True)


def test_words_for_nothing_are_the_service_s_own(server, session):
    server.answer(f"/{PATH}", json_answer({"msg": "No FFIs found\n for input target."}))

    with pytest.warns(NoResultsWarning, match="^No FFIs found for input target.$"):
        assert fetch_all(session, [request_for(1)], contents, nothing_is_news=True) == []


def test_request_without_results_is_named_where_there_are_several(server, session):
    server.answer(f"/{PATH}", by_sector({1: zip_of(a=b"1"), 2: json_answer({"msg": "none"})}))

    with pytest.warns(NoResultsWarning, match="^Sector 2: none$"):
        found = fetch_all(session, [request_for(1), request_for(2)], contents, nothing_is_news=True)

    assert found == [[b"1"]]


def test_request_without_results_is_no_news_if_nobody_asked_for_it_by_number(server, session):
    server.answer(f"/{PATH}", by_sector({1: zip_of(a=b"1"), 2: json_answer({"msg": "none"})}))

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fetch_all(
            session, [request_for(1), request_for(2)], contents, nothing_is_news=False
        )

    assert found == [[b"1"]]


def test_fits_files_are_opened_as_astroquery_opens_them(capsys):
    content = make_zip({"b.fits": make_tpf_file(), "a.fits": make_tpf_file()})

    hdus = open_hdus(request_for(1), read_archive(content, "url"))

    assert [h.filename for h in hdus] == ["b.fits", "a.fits"]
    assert [hdu.name for hdu in hdus[0]] == ["PRIMARY", "PIXELS", "APERTURE"]
    hdus[0].info()
    assert capsys.readouterr().out.startswith("Filename: <class '_io.BytesIO'>")
    hdus[0][1].data["FLUX"][0] = 7
    assert (hdus[0][1].data["FLUX"][0] == 7).all()


@pytest.mark.parametrize("content", [b"text that is no FITS file", b""])
def test_file_that_is_not_fits_is_a_product_error(content):
    archive = read_archive(make_zip({"a.fits": content}), "url")

    with pytest.raises(ProductError, match=rf'"a\.fits" \(sector 1\) is {len(content)} bytes'):
        open_hdus(request_for(1), archive)


def test_files_are_inflated_into_a_new_folder(tmp_path, capsys):
    folder = DownloadFolder(tmp_path / "deep" / "er", "tesscut", n_requests=2, verbose=False)
    archive = read_archive(make_zip({"a.fits": b"1" * 3_000_000, "x/b.fits": b"2"}), "url")

    paths = folder.save_members(request_for(1), archive)

    assert paths == [f"{tmp_path}/deep/er/a.fits", f"{tmp_path}/deep/er/b.fits"]
    assert (tmp_path / "deep/er/a.fits").read_bytes() == b"1" * 3_000_000
    assert (tmp_path / "deep/er/b.fits").read_bytes() == b"2"
    assert capsys.readouterr().out == ""


def test_path_begins_as_the_caller_wrote_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = DownloadFolder(".", "tesscut", n_requests=2, verbose=False)

    paths = folder.save_members(
        request_for(1), read_archive(make_zip({"../../a.fits": b"1"}), "url")
    )

    assert paths == ["./a.fits"]
    assert (tmp_path / "a.fits").read_bytes() == b"1"


def test_verbose_folder_says_what_it_writes(tmp_path, capsys):
    folder = DownloadFolder(tmp_path, "tesscut", n_requests=2, verbose=True)

    folder.save_members(request_for(1), read_archive(make_zip({"a.fits": b"1"}), "url"))

    assert capsys.readouterr().out == (f"Downloaded {request_for(1).url} to {tmp_path}/a.fits\n")


def test_file_of_an_earlier_call_is_replaced_but_none_of_the_same_call(tmp_path):
    (tmp_path / "a.fits").write_bytes(b"old")
    archive = read_archive(make_zip({"a.fits": b"new"}), "url")
    folder = DownloadFolder(tmp_path, "tesscut", n_requests=2, verbose=False)

    first = folder.save_members(request_for(1), archive)
    second = folder.save_members(request_for(2), archive)

    assert (first, second) == ([f"{tmp_path}/a.fits"], [f"{tmp_path}/a (2).fits"])
    assert (tmp_path / "a.fits").read_bytes() == b"new"


def test_damaged_file_leaves_neither_itself_nor_a_part_behind(tmp_path):
    (tmp_path / "a.fits").write_bytes(b"old")
    content = bytearray(make_zip({"a.fits": bytes(3_000_000)}))
    content[1500] ^= 0xFF
    archive = read_archive(bytes(content), "url")

    with pytest.raises(ArchiveError, match="arrived damaged"):
        DownloadFolder(tmp_path, "tesscut", n_requests=2, verbose=False).save_members(
            request_for(1), archive
        )

    assert [p.name for p in tmp_path.iterdir()] == ["a.fits"]
    assert (tmp_path / "a.fits").read_bytes() == b"old"


def test_archive_is_kept_as_it_came_and_named_by_time_and_sector(tmp_path):
    content = make_zip({"a.fits": b"1"})
    folder = DownloadFolder(tmp_path, "tesscut", n_requests=2, verbose=False)

    (path,) = folder.save_archive(request_for(33), read_archive(content, "url"))

    name = path.removeprefix(f"{tmp_path}/")
    assert re.fullmatch(r"tesscut_20\d{12}_s0033\.zip", name)
    assert (tmp_path / name).read_bytes() == content


def test_single_archive_is_named_by_time_alone(tmp_path):
    folder = DownloadFolder(tmp_path, "tesscut", n_requests=1, verbose=False)

    (path,) = folder.save_archive(request_for(33), read_archive(make_zip({}), "url"))

    assert re.fullmatch(r"tesscut_20\d{12}\.zip", path.removeprefix(f"{tmp_path}/"))


def test_files_have_the_permissions_that_files_usually_have(tmp_path):
    (tmp_path / "usual").write_bytes(b"")
    folder = DownloadFolder(tmp_path, "tesscut", n_requests=2, verbose=False)

    folder.save_members(request_for(1), read_archive(make_zip({"a.fits": b"1"}), "url"))

    assert (tmp_path / "a.fits").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")

    with pytest.raises(InvalidQueryError, match=r'cannot be saved in ".*/file/below": Not a dir'):
        DownloadFolder(tmp_path / "file" / "below", "tesscut", n_requests=2, verbose=False)


def test_file_that_cannot_be_written_is_an_error_with_its_path(tmp_path):
    (tmp_path / "a.fits").mkdir()
    folder = DownloadFolder(tmp_path, "tesscut", n_requests=2, verbose=False)

    with pytest.raises(CutoutError, match=r'a\.fits" cannot be written: Is a directory'):
        folder.save_members(request_for(1), read_archive(make_zip({"a.fits": b"1"}), "url"))
    assert [p.name for p in tmp_path.iterdir()] == ["a.fits"]

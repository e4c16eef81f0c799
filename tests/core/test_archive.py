import io
import stat
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import astroquery.mast
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cutout_core import archive as archive_module
from cutout_core.archive import distinct_names, plain_name, read_archive
from cutout_core.errors import ArchiveError

URL = "http://127.0.0.1/tesscut/api/v0.1/astrocut?sector=1"

# astroquery's wheel brings real replies of TESSCut and Zcut.
REAL = Path(astroquery.mast.__file__).parent / "tests" / "data"

NOISE = np.random.default_rng(4).normal(1000, 5, 400_000).astype(">f4").tobytes()


def zipped(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as made:
        for name, content in members:
            made.writestr(zipfile.ZipInfo(name), content, method)
    return buffer.getvalue()


def patched(content: bytes, offset: int, value: int, size: int, *, local: bool = False) -> bytes:
    """Overwrite a field of the first entry of the central directory (or its local header)."""
    start = content.index(b"PK\x03\x04" if local else b"PK\x01\x02") + offset
    return content[:start] + value.to_bytes(size, "little") + content[start + size :]


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_members_come_out_as_they_went_in(method):
    contents = [("a.fits", NOISE), ("b.fits", b""), ("c.txt", b"text")]

    archive = read_archive(zipped(*contents, method=method), URL)

    assert [(m.name, archive.read(m)) for m in archive.members] == contents
    assert [m.size for m in archive.members] == [len(content) for _, content in contents]
    assert [m.crc for m in archive.members] == [zlib.crc32(content) for _, content in contents]
    assert archive.source_url == URL


def test_member_larger_than_a_piece_comes_in_pieces_of_a_mebibyte():
    archive = read_archive(zipped(("a.fits", NOISE)), URL)

    pieces = list(archive.pieces(archive.members[0]))

    assert len(NOISE) > 1 << 20
    assert max(len(piece) for piece in pieces) <= 1 << 20
    assert b"".join(pieces) == NOISE


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_STORED])
def test_raw_bytes_are_a_view_of_the_archive_that_inflates_to_the_member(method):
    content = zipped(("a.fits", NOISE), ("b.fits", b"second"), method=method)
    archive = read_archive(content, URL)

    for member, expected in zip(archive.members, (NOISE, b"second"), strict=True):
        raw = archive.raw(member)
        assert raw.obj is content
        assert len(raw) == member.compressed_size
        inflated = zlib.decompress(raw, -15) if member.method == 8 else bytes(raw)
        assert inflated == expected


def test_sizes_are_taken_from_the_central_directory_as_mast_leaves_the_local_ones_empty():
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.fits", NOISE)
    content = pipe.getvalue()
    flags, local_size = content[6:8], content[22:26]
    assert flags == b"\x08\x00"
    assert local_size == b"\x00" * 4

    archive = read_archive(content, URL)

    assert archive.read(archive.members[0]) == NOISE


class _Pipe(io.BytesIO):
    def seekable(self) -> bool:
        return False

    def seek(self, *args: int) -> int:
        raise io.UnsupportedOperation


def test_archive_without_members_is_empty_and_no_error():
    assert read_archive(zipped(), URL).members == ()


def test_folders_are_left_out():
    archive = read_archive(zipped(("folder/", b""), ("folder/a.fits", b"x")), URL)

    assert [m.name for m in archive.members] == ["a.fits"]
    assert archive.members[0].original_name == "folder/a.fits"


def test_member_without_a_name_gets_one():
    # What was the name in the central directory becomes a comment.
    content = patched(patched(zipped(("a.fits", b"data")), 28, 0, 2), 32, 6, 2)

    archive = read_archive(content, URL)

    assert [(m.name, archive.read(m)) for m in archive.members] == [("file", b"data")]


@pytest.mark.parametrize(
    "name",
    ["astrocut_107.27_-70.0_5x5.zip", "astrocut_189.49206_62.20615_100x100px.zip"],
)
def test_real_reply_opens_as_zipfile_opens_it(name):
    content = (REAL / name).read_bytes()
    with zipfile.ZipFile(io.BytesIO(content)) as opened:
        expected = [(i.filename, opened.read(i)) for i in opened.infolist()]

    archive = read_archive(content, URL)

    assert [(m.name, archive.read(m)) for m in archive.members] == expected


def test_members_can_be_read_from_several_threads():
    contents = [(f"{i}.fits", NOISE[i * 1000 :]) for i in range(8)]
    archive = read_archive(zipped(*contents), URL)

    with ThreadPoolExecutor(8) as pool:
        read = list(pool.map(archive.read, archive.members))

    assert read == [content for _, content in contents]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param(b"", "0 bytes that are not a zip archive", id="empty"),
        pytest.param(b"<html>504</html>", "16 bytes that are not a zip", id="page"),
        pytest.param(b'{"msg": "none"}', "not a zip archive", id="json"),
        pytest.param(b"junk" + zipped(("a", b"b")), "not a zip archive", id="junk before"),
        pytest.param(zipped(("a", NOISE))[:-30], "damaged or cut short", id="end is missing"),
        pytest.param(zipped(("a", NOISE))[:1000], "1,000 bytes of a zip", id="truncated"),
        pytest.param(b"PK\x03\x04", "4 bytes of a zip archive", id="only a signature"),
    ],
)
def test_what_is_no_whole_zip_archive_is_refused_with_its_size(content, words):
    with pytest.raises(ArchiveError, match=words):
        read_archive(content, URL)


def test_real_web_page_that_was_saved_as_zip_is_refused(real_replies):
    page = (real_replies / "tesscut_504_saved_as_astrocut.zip.html").read_bytes()

    with pytest.raises(ArchiveError, match="183 bytes that are not a zip archive"):
        read_archive(page, URL)


def test_real_reply_that_broke_off_is_refused():
    content = (REAL / "astrocut_107.27_-70.0_5x5.zip").read_bytes()

    with pytest.raises(ArchiveError, match="100,000 bytes of a zip archive that is damaged"):
        read_archive(content[:100_000], URL)


def test_member_with_wrong_checksum_is_an_error_when_it_is_read():
    archive = read_archive(patched(zipped(("a.fits", b"data")), 16, 1, 4), URL)

    with pytest.raises(ArchiveError, match=r'"a\.fits" arrived damaged'):
        archive.read(archive.members[0])


def test_member_with_damaged_bytes_is_an_error_when_it_is_read():
    content = bytearray(zipped(("a.fits", NOISE)))
    content[5000] ^= 0xFF

    archive = read_archive(bytes(content), URL)

    with pytest.raises(ArchiveError, match=r'"a\.fits" arrived damaged'):
        archive.read(archive.members[0])


@pytest.mark.parametrize("claimed", [1, 3, 5, 100])
def test_member_of_another_size_than_stated_is_an_error(claimed):
    archive = read_archive(patched(zipped(("a.fits", b"data")), 24, claimed, 4), URL)

    with pytest.raises(ArchiveError, match="arrived damaged"):
        archive.read(archive.members[0])


def test_bomb_that_lies_about_its_size_is_stopped_at_once():
    bomb = patched(zipped(("a.fits", bytes(200_000_000))), 24, 1000, 4)
    archive = read_archive(bomb, URL)
    inflated = 0

    def inflate() -> None:
        nonlocal inflated
        for piece in archive.pieces(archive.members[0]):
            inflated += len(piece)

    with pytest.raises(ArchiveError, match="arrived damaged"):
        inflate()
    assert inflated == 0


def test_bomb_that_states_its_size_is_not_opened():
    bomb = patched(zipped(("a.fits", b"data")), 24, 4_000_000_000, 4)

    with pytest.raises(ArchiveError, match=r"inflate to 4\.0 GB, more than the 2\.6 GB"):
        read_archive(bomb, URL)


def test_many_members_that_are_too_large_together_are_not_opened(monkeypatch):
    monkeypatch.setattr(archive_module, "MAX_TOTAL_BYTES", 2_000_000_000)
    monkeypatch.setattr(archive_module, "MAX_MEMBER_BYTES", 1_900_000_000)
    one = patched(zipped(("a.fits", b"data")), 24, 1_500_000_000, 4)
    two = patched(zipped(("a.fits", b"data"), ("b.fits", b"data")), 24, 1_500_000_000, 4)
    second = two.rindex(b"PK\x01\x02") + 24
    two = two[:second] + (1_500_000_000).to_bytes(4, "little") + two[second + 4 :]

    assert len(read_archive(one, URL).members) == 1
    with pytest.raises(ArchiveError, match=r"inflate to 3\.0 GB, more than the 2\.0 GB"):
        read_archive(two, URL)


def test_too_many_members_are_refused():
    content = zipped(*((f"{i}", b"") for i in range(2001)), method=zipfile.ZIP_STORED)

    with pytest.raises(ArchiveError, match="2,001 files; at most 2,000"):
        read_archive(content, URL)


@pytest.mark.parametrize(
    ("offset", "value", "size", "words"),
    [
        pytest.param(8, 1, 2, '"a.fits", which is encrypted', id="encrypted"),
        pytest.param(10, 12, 2, "compressed by method 12", id="bzip2"),
        pytest.param(38, (stat.S_IFLNK | 0o777) << 16, 4, "is a symbolic link", id="link"),
        pytest.param(10, 0, 2, "has two different sizes", id="stored with two sizes"),
        pytest.param(20, 1_000_000, 4, "lies outside of the archive", id="beyond the end"),
        pytest.param(42, 7, 4, "lies outside of the archive", id="no local header there"),
    ],
)
def test_member_that_mast_never_sends_is_refused(offset, value, size, words):
    content = patched(zipped(("a.fits", b"data" * 100)), offset, value, size)

    with pytest.raises(ArchiveError, match=words):
        read_archive(content, URL)


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("tess-s0009-4-1_107.186960_-70.509190_15x15_astrocut.fits",) * 2,
        ("../../etc/passwd", "passwd"),
        ("/etc/passwd", "passwd"),
        ("C:\\Windows\\evil.fits", "evil.fits"),
        ("C:evil.fits", "evil.fits"),
        ("\\\\server\\share\\a.fits", "a.fits"),
        ("a/b/../c.fits", "c.fits"),
        ("..", "file"),
        ("...", "file"),
        ("", "file"),
        ("folder/", "file"),
        (".bashrc", "bashrc"),
        ("a.fits. . ", "a.fits"),
        ("a\x00b\x1b.fits", "ab.fits"),
        ("a\u202egnp.fits", "agnp.fits"),
        ("a\u00a0b\u2028c\udc80.fits", "a b c.fits"),
        ('a<b>c:"d|e?f*.fits', "a_b_c__d_e_f_.fits"),
        ("CON", "_CON"),
        ("con.fits", "_con.fits"),
        ("Com1.tar.gz", "_Com1.tar.gz"),
        ("nul .fits", "_nul .fits"),
        ("console.fits", "console.fits"),
        ("x" * 300 + ".fits", "x" * 195 + ".fits"),
        ("é" * 300 + ".fits", "é" * 97 + ".fits"),
        ("x" * 300, "x" * 200),
        ("a." + "y" * 300, ("a." + "y" * 300)[:200]),
    ],
)
def test_name_from_outside_becomes_a_plain_file_name(name, plain):
    assert plain_name(name) == plain


@pytest.mark.parametrize(
    ("names", "distinct"),
    [
        (["a.fits", "b.fits"], ["a.fits", "b.fits"]),
        (["a.fits", "a.fits", "a.fits"], ["a.fits", "a (2).fits", "a (3).fits"]),
        (["a.fits", "A.FITS"], ["a.fits", "A (2).FITS"]),
        (["a.fits", "a.fits", "a (2).fits"], ["a.fits", "a (2).fits", "a (2) (2).fits"]),
        (["é.fits", "e\u0301.fits"], ["é.fits", "e\u0301 (2).fits"]),
        (["a", "a"], ["a", "a (2)"]),
    ],
)
def test_repeated_names_are_told_apart(names, distinct):
    assert distinct_names(names) == distinct


def test_no_member_is_lost_when_names_clash():
    with pytest.warns(UserWarning, match="Duplicate name"):
        content = zipped(("x.fits", b"1"), ("x.fits", b"2"), ("dir/x.fits", b"3"))

    archive = read_archive(content, URL)

    assert {m.name: archive.read(m) for m in archive.members} == {
        "x.fits": b"1",
        "x (2).fits": b"2",
        "x (3).fits": b"3",
    }


def test_thousand_equal_names_are_numbered_fast():
    assert distinct_names(["x.fits"] * 2000)[-1] == "x (2000).fits"


@given(st.text(max_size=300))
def test_any_name_becomes_one_that_a_file_system_takes(name):
    plain = plain_name(name)

    assert plain not in {"", ".", ".."}
    assert len(plain.encode()) <= 201
    assert not set(plain) & set('/\\<>:"|?*\0')
    assert plain == plain.strip(" .")
    assert plain.isprintable()


@settings(max_examples=300, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=12),
    st.integers(0, 400),
)
def test_damaged_archive_is_an_archive_error_or_reads_right(changes, cut):
    whole = zipped(("a.fits", NOISE[:800]), ("dir/b.fits", b"second"), ("c", b""))
    content = bytearray(whole)
    for position, value in changes:
        content[position % len(content)] = value
    damaged = bytes(content[: len(content) - cut % len(content)])

    try:
        archive = read_archive(damaged, URL)
        read = [archive.read(member) for member in archive.members]
    except ArchiveError:
        return
    assert all(
        zlib.crc32(content) == member.crc
        for member, content in zip(archive.members, read, strict=True)
    )

"""Archives that are sent while they are made can be opened by others."""

import io
import zipfile
import zlib

import numpy as np
import pytest

from demo_sky import zipstream
from demo_sky.zipstream import Packer, ZipStream, join_crc32


def archive_of(members):
    """Pack (name, head, body parts) members."""
    stream = ZipStream()
    out = []
    for name, head, parts in members:
        with Packer(name) as packer:
            for part in parts:
                packer.write(part)
            packer.finish(head)
            out += stream.add(packer)
    return b"".join([*out, *stream.close()])


@pytest.fixture
def noise():
    return np.random.default_rng(5).bytes(300_000)


def test_the_crc_of_two_strings_is_that_of_both_together(noise):
    for cut in (0, 1, 4096, len(noise)):
        head, body = noise[:cut], noise[cut:]
        assert join_crc32(zlib.crc32(head), zlib.crc32(body), len(body)) == zlib.crc32(noise)


def test_the_crc_joins_over_more_than_one_block_of_zeros():
    body = bytes(3 * 2**20 + 17)

    assert join_crc32(zlib.crc32(b"head"), zlib.crc32(body), len(body)) == zlib.crc32(
        b"head" + body
    )


def test_members_come_back_with_their_heads_in_front(noise):
    content = archive_of(
        [
            ("a.fits", b"the head", [noise[:1000], b"", noise[1000:]]),
            ("b.fits", b"", [bytes(10_000)]),
            ("empty", b"", []),
        ]
    )

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["a.fits", "b.fits", "empty"]
        assert archive.read("a.fits") == b"the head" + noise
        assert archive.read("b.fits") == bytes(10_000)
        assert archive.read("empty") == b""


def test_members_look_like_those_of_mast(real_replies):
    with zipfile.ZipFile(real_replies / "astrocut_107.27_-70.0_5x5.zip") as archive:
        (real,) = archive.infolist()
    with zipfile.ZipFile(io.BytesIO(archive_of([("a", b"", [b"x"])]))) as archive:
        (ours,) = archive.infolist()

    assert ours.compress_type == real.compress_type == zipfile.ZIP_DEFLATED
    # Sizes follow the data.
    assert ours.flag_bits & 0x8
    assert real.flag_bits & 0x8


def test_the_same_members_give_the_same_bytes(noise):
    members = [("a.fits", b"head", [noise])]

    assert archive_of(members) == archive_of(members)


def test_an_archive_without_members_is_empty():
    with zipfile.ZipFile(io.BytesIO(archive_of([]))) as archive:
        assert archive.namelist() == []


def test_a_large_member_goes_through_a_file(noise, monkeypatch):
    held = archive_of([("a", b"head", [noise, noise])])
    monkeypatch.setattr(zipstream, "_SPOOL_BYTES", 100_000)

    stream, out = ZipStream(), []
    with Packer("a") as packer:
        packer.write(noise)
        assert packer._file is not None
        packer.write(noise)
        packer.finish(b"head")
        out += stream.add(packer)
        spool = packer._file

    assert b"".join([*out, *stream.close()]) == held
    assert spool.closed


def test_sizes_beyond_4_gib_are_written_in_64_bits():
    # Checked once with a real member of 4.1 GiB, in zipfile and Info-ZIP; here only its numbers.
    stream = ZipStream()
    with Packer("huge") as packer:
        packer.write(b"x")
        packer.finish()
        packer.size = 5 * 2**30
        content = b"".join([*stream.add(packer), *stream.close()])

    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.getinfo("huge").file_size == 5 * 2**30
        assert archive.getinfo("huge").extract_version == 45
    # The local header announces 64-bit sizes: extra field 1.
    assert content[30 + len("huge") :][:4] == b"\x01\x00\x10\x00"


def test_members_beyond_4_gib_are_found(tmp_path):
    stream = ZipStream()
    path = tmp_path / "far.zip"
    with path.open("wb") as out, Packer("near") as near, Packer("far") as far:
        near.write(b"here")
        near.finish()
        out.writelines(stream.add(near))
        # A hole in the file stands for a large member.
        stream._offset += 5 * 2**30
        out.seek(5 * 2**30, io.SEEK_CUR)
        far.write(b"there")
        far.finish()
        out.writelines(stream.add(far))
        out.writelines(stream.close())

    with zipfile.ZipFile(path) as archive:
        assert archive.getinfo("far").header_offset > 5 * 2**30
        assert archive.read("far") == b"there"
        assert archive.read("near") == b"here"

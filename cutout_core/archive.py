"""
The zip archive that a cutout service sends -> members that are safe to open.

Everything is checked before anything is inflated. The archive is held once, as the compressed
bytes it came as: members are inflated when they are read, or copied on as they are.
"""

import contextlib
import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from cutout_core.errors import ArchiveError

# The largest reply that TESSCut can rightly send: 10,000 pixels (its limit) x 13,000 cadences (a
# sector of 200-s cadence has about 11,700) x 20 bytes (flux, error, background and its error,
# raw counts) = 2.6 GB in a file. Whatever claims more is damaged or means harm.
MAX_MEMBER_BYTES = 2_600_000_000

# A cutout on the corner of a camera touches up to four CCDs.
MAX_TOTAL_BYTES = 4 * MAX_MEMBER_BYTES

# One request without sectors for a star at the ecliptic pole gives some 50 files, the Hubble
# services a few hundred.
MAX_MEMBERS = 2_000

# What file systems take for a name, less room for " (123)".
MAX_NAME_BYTES = 200

STORED = zipfile.ZIP_STORED
DEFLATED = zipfile.ZIP_DEFLATED

_PIECE_BYTES = 1 << 20
_LOCAL_HEADER_BYTES = 30
_ENCRYPTED_FLAG = 0x1


@dataclass(frozen=True, slots=True)
class Member:
    """
    One file in an archive.

    Attributes
    ----------
    name : str
        Plain file name: no folder, no character that a file system forbids, and different from
        the other names of the archive on file systems that ignore case, too.
    original_name : str
        The name as it stands in the archive.
    size, compressed_size : int
        Length in bytes, inflated and as it lies in the archive.
    crc : int
        CRC-32 of the inflated bytes, as the archive states it.
    method : int
        How the bytes lie in the archive: `STORED` (0) or `DEFLATED` (8).
    start : int
        Where they begin in the archive.
    """

    name: str
    original_name: str
    size: int
    compressed_size: int
    crc: int
    method: int
    start: int


@dataclass(frozen=True, slots=True, eq=False)
class CutoutArchive:
    """
    One reply of a cutout service.

    Safe to share between threads.

    Attributes
    ----------
    content : bytes
        The zip archive as it came.
    source_url : str
        The request that it answers.
    members : tuple of Member
        In the order of the archive; empty if the archive is.
    """

    content: bytes
    source_url: str
    members: tuple[Member, ...]

    def raw(self, member: Member) -> memoryview:
        """
        Return the bytes of a member as they lie in the archive, without a copy.

        Parameters
        ----------
        member : Member

        Returns
        -------
        raw : memoryview of length ``member.compressed_size``
            Compressed by ``member.method``. Not checked against ``member.crc``.
        """
        return memoryview(self.content)[member.start : member.start + member.compressed_size]

    def pieces(self, member: Member) -> Iterator[bytes | memoryview]:
        """
        Inflate a member piece by piece.

        Parameters
        ----------
        member : Member

        Yields
        ------
        piece : bytes-like
            At most 1 MiB.

        Raises
        ------
        ArchiveError
            After the last good piece, if the bytes are damaged: they do not inflate, are more or
            fewer than the archive says, or do not have its CRC.
        """
        crc, n_bytes = 0, 0
        for piece in _inflated(self.raw(member), member):
            crc = zlib.crc32(piece, crc)
            n_bytes += len(piece)
            # Checked while inflating: a bomb that lies about its size never gets far.
            if n_bytes > member.size:
                break
            yield piece
        if (n_bytes, crc) != (member.size, member.crc):
            raise ArchiveError(_damaged(member))

    def read(self, member: Member) -> bytes:
        """
        Inflate a member.

        Parameters
        ----------
        member : Member

        Returns
        -------
        content : bytes of length ``member.size``

        Raises
        ------
        ArchiveError
            If the bytes are damaged.
        """
        # BytesIO hands over its buffer without a copy, unlike b"".join.
        buffer = io.BytesIO()
        for piece in self.pieces(member):
            buffer.write(piece)
        return buffer.getvalue()


def read_archive(content: bytes, source_url: str) -> CutoutArchive:
    """
    Check a zip archive without inflating it.

    Parameters
    ----------
    content : bytes
        The reply of a cutout service.
    source_url : str
        The request that it answers, kept for the record.

    Returns
    -------
    archive : CutoutArchive

    Raises
    ------
    ArchiveError
        If the bytes are not a whole zip archive, or one that no cutout service makes: members
        that are encrypted, links, compressed in an unusual way, too many or too large.
    """
    if not content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        msg = f"MAST sent {len(content):,} bytes that are not a zip archive. Try again in a minute."
        raise ArchiveError(msg)
    # Not is_dir(), which stumbles over an empty name.
    infos = [i for i in _central_directory(content) if not i.filename.endswith("/")]
    _check_sizes(infos)
    names = distinct_names(plain_name(info.filename) for info in infos)
    members = tuple(_member(content, info, name) for info, name in zip(infos, names, strict=True))
    return CutoutArchive(content, source_url, members)


def plain_name(name: str) -> str:
    r"""
    Turn a name from outside into a file name that is safe on every system.

    Parameters
    ----------
    name : str
        Any text, such as ``../../etc/passwd`` or ``C:\x.fits``.

    Returns
    -------
    plain : str
        Its last part, without invisible and forbidden characters, not hidden, not a name that
        Windows reserves, at most `MAX_NAME_BYTES` long in UTF-8; "file" if nothing is left.
    """
    last = re.split(r"[/\\]", name)[-1]
    last = re.sub(r"^[A-Za-z]:", "", last)
    visible = "".join(c if c.isprintable() else " " * c.isspace() for c in last)
    plain = re.sub(r'[<>:"|?*]', "_", visible).strip(" .")
    if _RESERVED.fullmatch(plain.split(".")[0].rstrip()):
        plain = f"_{plain}"
    return _shortened(plain) or "file"


def distinct_names(names: Iterable[str]) -> list[str]:
    """
    Give repeated names a number: "x.fits", "x (2).fits".

    Parameters
    ----------
    names : iterable of str

    Returns
    -------
    names : list of str
        In the same order, and different on file systems that ignore case, too.
    """
    taken: set[str] = set()
    counts: dict[str, int] = {}
    distinct = []
    for name in names:
        candidate = name
        while _folded(candidate) in taken:
            counts[name] = counts.get(name, 1) + 1
            stem, dot, suffix = name.rpartition(".")
            stem, end = (stem, dot + suffix) if stem else (name, "")
            candidate = f"{stem} ({counts[name]}){end}"
        taken.add(_folded(candidate))
        distinct.append(candidate)
    return distinct


# Device names of Windows, with any suffix and in any case.
_RESERVED = re.compile(r"con|prn|aux|nul|(?:com|lpt)[0-9¹²³]", re.IGNORECASE)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _shortened(name: str) -> str:
    """Cut a long name in its stem, so that the suffix stays."""
    surplus = len(name.encode()) - MAX_NAME_BYTES
    if surplus <= 0:
        return name
    stem, dot, suffix = name.rpartition(".")
    if not stem or len(suffix) > 10:
        stem, dot, suffix = name, "", ""
    return stem.encode()[:-surplus].decode(errors="ignore") + dot + suffix


# Besides its own error, zipfile lets pass what its parts raise on damaged bytes.
_DAMAGED = (
    zipfile.BadZipFile,
    EOFError,
    NotImplementedError,
    OSError,
    OverflowError,
    ValueError,
    struct.error,
)


def _central_directory(content: bytes) -> list[zipfile.ZipInfo]:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as opened:
            return opened.infolist()
    except _DAMAGED as exc:
        msg = (
            f"MAST sent {len(content):,} bytes of a zip archive that is damaged or cut short. "
            "Try again, or ask for a smaller cutout."
        )
        raise ArchiveError(msg) from exc


def _check_sizes(infos: list[zipfile.ZipInfo]) -> None:
    if len(infos) > MAX_MEMBERS:
        msg = f"The archive holds {len(infos):,} files; at most {MAX_MEMBERS:,} are opened."
        raise ArchiveError(msg)
    largest, total = max((i.file_size for i in infos), default=0), sum(i.file_size for i in infos)
    for size, limit in ((largest, MAX_MEMBER_BYTES), (total, MAX_TOTAL_BYTES)):
        if size > limit:
            msg = (
                f"The archive would inflate to {size / 1e9:.1f} GB, more than the "
                f"{limit / 1e9:.1f} GB that a cutout can have. It was not opened."
            )
            raise ArchiveError(msg)


def _member(content: bytes, info: zipfile.ZipInfo, name: str) -> Member:
    if reason := _unusual(info):
        msg = f'The archive holds "{name}", which {reason}. MAST sends none such; not opened.'
        raise ArchiveError(msg)
    start = _data_start(content, info)
    if start is None or start + info.compress_size > len(content):
        msg = f'"{name}" lies outside of the archive that MAST sent. Try again in a minute.'
        raise ArchiveError(msg)
    return Member(
        name,
        info.filename,
        info.file_size,
        info.compress_size,
        info.CRC,
        info.compress_type,
        start,
    )


def _unusual(info: zipfile.ZipInfo) -> str | None:
    if info.flag_bits & _ENCRYPTED_FLAG:
        return "is encrypted"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "is a symbolic link"
    if info.compress_type not in (STORED, DEFLATED):
        return f"is compressed by method {info.compress_type}"
    if info.compress_type == STORED and info.file_size != info.compress_size:
        return "has two different sizes"
    return None


def _data_start(content: bytes, info: zipfile.ZipInfo) -> int | None:
    """
    Find where a member's bytes begin: behind its local header, whose length is its own.

    The local header is asked for nothing else: in MAST's archives its sizes are zero, because
    they follow the data.
    """
    header = content[info.header_offset : info.header_offset + _LOCAL_HEADER_BYTES]
    if len(header) < _LOCAL_HEADER_BYTES or not header.startswith(b"PK\x03\x04"):
        return None
    name_length = int.from_bytes(header[26:28], "little")
    extra_length = int.from_bytes(header[28:30], "little")
    return info.header_offset + _LOCAL_HEADER_BYTES + name_length + extra_length


def _inflated(raw: memoryview, member: Member) -> Iterator[bytes | memoryview]:
    if member.method == STORED:
        for start in range(0, len(raw), _PIECE_BYTES):
            yield raw[start : start + _PIECE_BYTES]
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    with _damage_named(member):
        for start in range(0, len(raw), _PIECE_BYTES):
            waiting: bytes | memoryview = raw[start : start + _PIECE_BYTES]
            while waiting:
                yield inflater.decompress(waiting, _PIECE_BYTES)
                waiting = inflater.unconsumed_tail
        while piece := inflater.decompress(b"", _PIECE_BYTES):
            yield piece


@contextlib.contextmanager
def _damage_named(member: Member) -> Iterator[None]:
    try:
        yield
    except zlib.error as exc:
        raise ArchiveError(_damaged(member)) from exc


def _damaged(member: Member) -> str:
    return f'"{member.name}" arrived damaged from MAST (its checksum does not fit). Fetch it again.'

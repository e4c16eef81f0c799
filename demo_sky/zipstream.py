"""
Zip archives that are sent while they are made, member by member.

A member is deflated in parts as its bytes come, and its head (which may depend on all that follows,
such as a FITS checksum) may come last. The standard library's `zipfile` can do neither. What is
held in memory at a time is one deflated member; a very large one goes to a temporary file.
"""

from __future__ import annotations

import struct
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

# Same cutout, same bytes: members carry the zip format's first date, not today's.
_DOS_TIME, _DOS_DATE = 0, (1 << 5) | 1

# Sizes follow the data, as in MAST's archives (bit 3), names are UTF-8 (bit 11).
_FLAGS = (1 << 3) | (1 << 11)
_DEFLATED = 8
_VERSION, _VERSION_ZIP64 = 20, 45
_UNIX = 3 << 8
# -rw-r--r-- of a regular file.
_FILE_MODE = 0o100644 << 16
_LIMIT_32 = 0xFFFFFFFF
_LIMIT_16 = 0xFFFF

# Run-length matching only. Measured on target pixel files (27 MB, zlib 1.2.13): 0.08 s and 9.9 MB,
# against 0.22 s and 9.7 MB at level 1: the constant columns are runs, the rest is noise.
_STRATEGY = zlib.Z_RLE

_SPOOL_BYTES = 64 * 2**20
_CHUNK_BYTES = 2**18
_ZEROS = bytes(2**20)


def _deflater() -> zlib._Compress:
    return zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS, zlib.DEF_MEM_LEVEL, _STRATEGY)


def _crc_of_zeros(length: int, start: int) -> int:
    crc = start
    for offset in range(0, length, len(_ZEROS)):
        crc = zlib.crc32(_ZEROS[: length - offset], crc)
    return crc


def join_crc32(head_crc: int, body_crc: int, body_length: int) -> int:
    """
    Compute the CRC of two byte strings put together from their CRCs.

    CRC-32 is affine over GF(2), so what a start value does to a string's CRC is what it does to as
    many zeros.

    Parameters
    ----------
    head_crc, body_crc : int
        CRC-32 of the first and of the second string.
    body_length : int
        Length of the second.

    Returns
    -------
    crc : int
        CRC-32 of the first followed by the second.
    """
    return body_crc ^ _crc_of_zeros(body_length, head_crc) ^ _crc_of_zeros(body_length, 0)


class Packer:
    """
    Deflates one member as its bytes come; a context manager that frees them.

    Parameters
    ----------
    name : str
        Name of the member.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.size = 0
        self.packed_size = 0
        self.crc = 0
        self._deflater = _deflater()
        self._head = b""
        self._parts: list[bytes] = []
        self._held = 0
        self._file: IO[bytes] | None = None

    def __enter__(self) -> Packer:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._parts.clear()
        if self._file is not None:
            self._file.close()

    def write(self, data: bytes | memoryview) -> None:
        """
        Add bytes to the member.

        Parameters
        ----------
        data : bytes-like
            Any length.
        """
        self.size += len(data)
        self.crc = zlib.crc32(data, self.crc)
        self._keep(self._deflater.compress(data))

    def finish(self, head: bytes = b"") -> None:
        """
        End the member.

        Parameters
        ----------
        head : bytes, optional
            Put before all that was written.
        """
        self._keep(self._deflater.flush())
        # A full flush ends on a byte's edge with a block that is not the last one, and the body
        # never refers back beyond its own start: so the two deflate streams join into one.
        deflater = _deflater()
        self._head = deflater.compress(head) + deflater.flush(zlib.Z_FULL_FLUSH)
        self.crc = join_crc32(zlib.crc32(head), self.crc, self.size)
        self.size += len(head)
        self.packed_size += len(self._head)

    def chunks(self) -> Iterator[bytes]:
        """
        Give the deflated member and let go of it piece by piece.

        Yields
        ------
        chunk : bytes
        """
        yield self._head
        if self._file is not None:
            self._file.seek(0)
            while chunk := self._file.read(_CHUNK_BYTES):
                yield chunk
        self._parts.reverse()
        while self._parts:
            yield self._parts.pop()

    def _keep(self, deflated: bytes) -> None:
        if not deflated:
            return
        self.packed_size += len(deflated)
        self._held += len(deflated)
        self._parts.append(deflated)
        if self._held > _SPOOL_BYTES:
            if self._file is None:
                # Closed by __exit__, or by the garbage collector's close of an abandoned stream.
                self._file = tempfile.TemporaryFile()  # noqa: SIM115
            self._file.writelines(self._parts)
            self._parts.clear()
            self._held = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    name: bytes
    crc: int
    size: int
    packed_size: int
    offset: int


class ZipStream:
    """Writes members and the directory of a zip archive in the order in which they are sent."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._offset = 0

    def add(self, packer: Packer) -> Iterator[bytes]:
        """
        Send a finished member.

        Parameters
        ----------
        packer : Packer
            After its `finish`.

        Yields
        ------
        chunk : bytes
        """
        name = packer.name.encode("utf-8")
        entry = _Entry(name, packer.crc, packer.size, packer.packed_size, self._offset)
        large = max(entry.size, entry.packed_size) >= _LIMIT_32
        extra = struct.pack("<HHQQ", 1, 16, 0, 0) if large else b""
        size_field = _LIMIT_32 if large else 0
        version = _VERSION_ZIP64 if large else _VERSION
        yield self._count(
            struct.pack("<IHHHHH", 0x04034B50, version, _FLAGS, _DEFLATED, _DOS_TIME, _DOS_DATE)
            + struct.pack("<IIIHH", 0, size_field, size_field, len(name), len(extra))
            + name
            + extra
        )
        for chunk in packer.chunks():
            yield self._count(chunk)
        sizes = (entry.packed_size, entry.size)
        yield self._count(struct.pack("<IIQQ" if large else "<IIII", 0x08074B50, entry.crc, *sizes))
        self._entries.append(entry)

    def close(self) -> Iterator[bytes]:
        """
        Send the directory, which ends the archive.

        Yields
        ------
        chunk : bytes
        """
        start = self._offset
        for entry in self._entries:
            yield self._count(_directory_entry(entry))
        length, count = self._offset - start, len(self._entries)
        if max(start, length) >= _LIMIT_32 or count >= _LIMIT_16:
            end = struct.pack("<IQHHII", 0x06064B50, 44, _VERSION_ZIP64, _VERSION_ZIP64, 0, 0)
            end += struct.pack("<QQQQ", count, count, length, start)
            yield end + struct.pack("<IIQI", 0x07064B50, 0, self._offset, 1)
        count = min(count, _LIMIT_16)
        tail = (0, 0, count, count, min(length, _LIMIT_32), min(start, _LIMIT_32), 0)
        yield struct.pack("<IHHHHIIH", 0x06054B50, *tail)

    def _count(self, chunk: bytes) -> bytes:
        self._offset += len(chunk)
        return chunk


def _directory_entry(entry: _Entry) -> bytes:
    """Write one entry of the central directory, with 64-bit numbers where they are needed."""
    fields = (entry.size, entry.packed_size, entry.offset)
    wide = b"".join(struct.pack("<Q", value) for value in fields if value >= _LIMIT_32)
    extra = struct.pack("<HH", 1, len(wide)) + wide if wide else b""
    size, packed_size, offset = (min(value, _LIMIT_32) for value in fields)
    version = _VERSION_ZIP64 if wide else _VERSION
    return (
        struct.pack("<IHHHH", 0x02014B50, _UNIX | version, version, _FLAGS, _DEFLATED)
        + struct.pack("<HHIII", _DOS_TIME, _DOS_DATE, entry.crc, packed_size, size)
        + struct.pack("<HHHHHII", len(entry.name), len(extra), 0, 0, 0, _FILE_MODE, offset)
        + entry.name
        + extra
    )

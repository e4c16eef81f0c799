"""
Fetched files and what was made of them -> one zip archive to keep.

The original files go in byte for byte, and as compressed as they came: their compressed bytes are
copied, which costs no more than a copy of memory. Beside them lie a table of the files, light
curves as CSV, pictures as PNG, and a README that says where all comes from and how to cite it.
"""

import hashlib
import io
import platform
import stat
import textwrap
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import PurePosixPath

import astropy
import numpy as np

from cutout_core.archive import CutoutArchive, Member, distinct_names, plain_name
from cutout_core.lightcurve import LightCurve, to_csv
from cutout_core.spreadsheet import Cell, write_table
from cutout_core.tpf import TargetPixelFile
from cutout_core.version import PROJECT_URL, __version__

# A fixed date makes the same content give the same bytes, so that bundles can be compared.
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)

_WIDTH = 88


@dataclass(frozen=True, slots=True, eq=False)
class BundleEntry:
    """
    One fetched file, and what was made of it.

    Attributes
    ----------
    archive : CutoutArchive
        The reply that it came in; knows the exact request.
    member : Member
        Which file of it.
    service : str
        "TESSCut", "Zcut" or "HAPCut".
    facts : mapping of str to str, int, float or None
        Columns of manifest.csv for this file, such as `tpf_facts` gives. Files of different kinds
        may have different ones.
    simulated : bool
        Whether the file holds simulated data.
    light_curve : LightCurve or None
        Goes to ``light_curves/`` as CSV.
    previews : mapping of str to bytes
        PNG pictures that go to ``previews/``, by what is added to the file's name:
        ``{"": picture, "_light_curve": chart}``.
    movies : mapping of str to bytes
        Movies that go to ``movies/``, by what is added to the file's name, with its ending:
        ``{".gif": movie}``.
    sha256 : str
        Of the plain file, in hexadecimal, if it is known from reading it. Where it is "", the file
        is inflated once more to compute it, and its checksum is tested on the way.
    """

    archive: CutoutArchive
    member: Member
    service: str
    facts: Mapping[str, Cell]
    simulated: bool
    light_curve: LightCurve | None = None
    previews: Mapping[str, bytes] = field(default_factory=dict)
    movies: Mapping[str, bytes] = field(default_factory=dict)
    sha256: str = ""


def tpf_facts(tpf: TargetPixelFile) -> dict[str, Cell]:
    """
    Give what the manifest says about a target pixel file.

    Parameters
    ----------
    tpf : TargetPixelFile

    Returns
    -------
    facts : dict
        sector, camera, ccd; ra and dec in degrees (`None` for a moving target, whose name is
        moving_target); size as "nx x ny"; cadences.
    """
    ny, nx = tpf.shape
    ra, dec = (round(v, 7) if np.isfinite(v) else None for v in (tpf.ra, tpf.dec))
    return {
        "sector": tpf.sector,
        "camera": tpf.camera,
        "ccd": tpf.ccd,
        "ra": ra,
        "dec": dec,
        "size": f"{nx} x {ny}",
        "cadences": tpf.n_cadences,
        **({"moving_target": tpf.object_name} if tpf.is_moving else {}),
    }


def build_bundle(
    *,
    title: str,
    entries: Sequence[BundleEntry],
    created: datetime,
    notes: Sequence[str] = (),
) -> bytes:
    """
    Pack fetched files and what was made of them into one zip archive.

    It holds README.txt, manifest.csv, and the folders ``cutouts``, ``light_curves``,
    ``previews`` and ``movies``, as far as there is anything for them.

    Parameters
    ----------
    title : str
        What the bundle is about, such as the target's name.
    entries : sequence of BundleEntry
        In the order of the manifest.
    created : datetime
        When the bundle is made, with its time zone; goes into the README. Nothing else of the
        result depends on time.
    notes : sequence of str, optional
        Sentences for the README, such as which requests failed.

    Returns
    -------
    content : bytes
        The zip archive. Files of 4 GiB and more use the ZIP64 extension.

    Raises
    ------
    ArchiveError
        If a file whose `sha256` is not given is damaged.
    ValueError
        If `created` has no time zone.
    """
    if created.tzinfo is None:
        msg = "created must have a time zone"
        raise ValueError(msg)
    names = distinct_names(plain_name(entry.member.name) for entry in entries)
    sums = [entry.sha256 or _sha256(entry) for entry in entries]
    readme = _readme(title, entries, names, created.astimezone(UTC), notes)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as bundle:
        _add(bundle, "README.txt", readme.encode())
        _add(bundle, "manifest.csv", _manifest(entries, names, sums).encode())
        for entry, name in zip(entries, names, strict=True):
            _add_raw(bundle, buffer, f"cutouts/{name}", entry)
        stems = distinct_names(PurePosixPath(name).stem for name in names)
        for entry, stem in zip(entries, stems, strict=True):
            if entry.light_curve is not None:
                table = to_csv(entry.light_curve).encode()
                _add(bundle, f"light_curves/{stem}.csv", table)
            for suffix, png in entry.previews.items():
                # PNG is deflated already.
                _add(bundle, f"previews/{plain_name(stem + suffix)}.png", png, zipfile.ZIP_STORED)
            for suffix, movie in entry.movies.items():
                name = f"movies/{plain_name(stem + suffix)}"
                _add(bundle, name, movie, zipfile.ZIP_STORED)
    # BytesIO gives its buffer away without a copy.
    return buffer.getvalue()


def _sha256(entry: BundleEntry) -> str:
    digest = hashlib.sha256()
    for piece in entry.archive.pieces(entry.member):
        digest.update(piece)
    return digest.hexdigest()


# --- the archive ----------------------------------------------------------------------------


def _info(name: str, method: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _ZIP_DATE)
    info.compress_type = method
    # As made on Unix, a plain file that everybody may read: zipfile's own choice depends on where
    # it runs.
    info.create_system = 3
    info.external_attr = (stat.S_IFREG | 0o644) << 16
    return info


def _add(
    bundle: zipfile.ZipFile, name: str, content: bytes, method: int = zipfile.ZIP_DEFLATED
) -> None:
    bundle.writestr(_info(name, method), content)


def _add_raw(bundle: zipfile.ZipFile, buffer: io.BytesIO, name: str, entry: BundleEntry) -> None:
    """
    Copy a member as compressed as it is.

    zipfile cannot do that itself, but lets it be done beside it: it writes the list of members
    from `filelist`, and goes on writing at `start_dir`.
    """
    info = _info(name, entry.member.method)
    info.CRC = entry.member.crc
    info.file_size = entry.member.size
    info.compress_size = entry.member.compressed_size
    info.header_offset = buffer.seek(bundle.start_dir)
    buffer.write(info.FileHeader())
    buffer.write(entry.archive.raw(entry.member))
    bundle.start_dir = buffer.tell()
    bundle.filelist.append(info)
    bundle.NameToInfo[name] = info


# --- the texts ------------------------------------------------------------------------------


def _manifest(entries: Sequence[BundleEntry], names: Sequence[str], sums: Sequence[str]) -> str:
    facts = list(dict.fromkeys(key for entry in entries for key in entry.facts))
    header = ["file", "service", *facts, "simulated", "bytes", "sha256", "request"]
    rows = [
        [
            f"cutouts/{name}",
            entry.service,
            *(entry.facts.get(key) for key in facts),
            "yes" if entry.simulated else "no",
            entry.member.size,
            digest,
            entry.archive.source_url,
        ]
        for entry, name, digest in zip(entries, names, sums, strict=True)
    ]
    out = io.StringIO()
    write_table(out, header, rows)
    return out.getvalue()


_TESS_CITATION = """
Data: the TESS mission (Ricker et al. 2015, JATIS 1, 014003, doi:10.1117/1.JATIS.1.1.014003); its
calibrated full-frame images at MAST, doi:10.17909/0cp4-2j79.

Service: TESSCut; cite Brasseur et al. 2019, "Astrocut: Tools for creating cutouts of TESS images",
Astrophysics Source Code Library, ascl:1905.007.

Acknowledgement that MAST asks for: "This paper includes data collected with the TESS mission,
obtained from the MAST data archive at the Space Telescope Science Institute (STScI). Funding for
the TESS mission is provided by the NASA Explorer Program. STScI is operated by the Association of
Universities for Research in Astronomy, Inc., under NASA contract NAS 5-26555."
"""

#: How to cite what a service gives, by its name; paragraphs are parted by empty lines.
CITATIONS: dict[str, str] = {"TESSCut": _TESS_CITATION}

_SIMULATED = """
SIMULATED DATA. These files were made by Skystamp's demo sky, not by a telescope. They have the form
of MAST's files and real positions and times, but every star's light in them is computed. Do not
publish, submit or cite them as observations.
"""

_PARTLY_SIMULATED = """
PARTLY SIMULATED DATA. The files marked "yes" in the column "simulated" of manifest.csv were made by
Skystamp's demo sky, not by a telescope. Do not publish, submit or cite them as observations.
"""


def _readme(
    title: str,
    entries: Sequence[BundleEntry],
    names: Sequence[str],
    created: datetime,
    notes: Sequence[str],
) -> str:
    plain_title = " ".join(title.split()) or "Cutouts"
    simulated = [entry.simulated for entry in entries]
    parts = [f"{plain_title}\n{'=' * min(len(plain_title), _WIDTH)}"]
    if any(simulated):
        parts.append(_filled(_SIMULATED if all(simulated) else _PARTLY_SIMULATED))
    n = len(entries)
    parts += [
        f"{n} {'file' if n == 1 else 'files'}, packed by Skystamp {__version__} "
        f"on {created:%Y-%m-%d %H:%M} UTC.\n{PROJECT_URL}",
        _section("What is inside", _contents(entries)),
        _section("Requests", _requests(entries, names)),
    ]
    if notes:
        parts.append(_section("Notes", "\n".join(_filled(note, "* ", "  ") for note in notes)))
    services = dict.fromkeys(entry.service for entry in entries)
    cited = [_filled(CITATIONS[service]) for service in services if service in CITATIONS]
    if cited:
        # A class that learns on simulated data learns to cite, too.
        of = " real data of this kind" if all(simulated) else ""
        parts.append(_section(f"How to cite{of}", "\n\n".join(cited)))
    versions = (
        f"Python {platform.python_version()}, numpy {np.__version__}, astropy {astropy.__version__}"
    )
    parts.append(_section("Made with", versions))
    return "\n\n".join(parts) + "\n"


def _section(title: str, body: str) -> str:
    return f"{title}\n{'-' * len(title)}\n{body}"


def _filled(text: str, first: str = "", following: str = "") -> str:
    """Break paragraphs into lines; what comes from outside stays within its paragraph."""
    paragraphs = [" ".join(p.split()) for p in text.strip().split("\n\n")]
    return "\n\n".join(
        textwrap.fill(
            p,
            _WIDTH,
            initial_indent=first,
            subsequent_indent=following,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for p in paragraphs
    )


def _contents(entries: Sequence[BundleEntry]) -> str:
    items = [
        "manifest.csv: one line per file, with its SHA-256 checksum and the request that gave it.",
        "cutouts/: the original files, byte for byte as the service sent them.",
    ]
    if any(entry.light_curve is not None for entry in entries):
        items.append(
            "light_curves/: a table of time and brightness per file, with all its cadences; the "
            "lines at its top that begin with # say how it was made and what the columns mean."
        )
    if any(entry.previews for entry in entries):
        items.append("previews/: pictures of the files.")
    if any(entry.movies for entry in entries):
        items.append("movies/: what moves in the files, with the time in UTC under it.")
    return "\n".join(_filled(item, "* ", "  ") for item in items)


def _requests(entries: Sequence[BundleEntry], names: Sequence[str]) -> str:
    by_url: dict[str, list[str]] = {}
    for entry, name in zip(entries, names, strict=True):
        by_url.setdefault(" ".join(entry.archive.source_url.split()), []).append(name)
    blocks = ["\n".join([url, *(f"    {name}" for name in got)]) for url, got in by_url.items()]
    return "\n".join(blocks) or "none"

"""What a visitor fetched from TESSCut -> the zip to take away."""

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt

from cutout_core.archive import plain_name
from cutout_core.bundle import BundleEntry, build_bundle, tpf_facts
from cutout_core.movie import choose_frames, frame_times, movie_file, movie_levels
from cutout_core.quicklook import QuickLook
from cutout_core.render import light_curve_png, preview_png
from cutout_core.rotation import find_rotation
from cutout_core.trail import find_trail, trail_png

# Ten seconds of movie.
_MOVIE_FRAMES = 120


def tess_bundle(
    target: str, looks: Sequence[QuickLook], *, created: datetime, notes: Sequence[str] = ()
) -> bytes:
    """
    Pack fetched target pixel files with their light curves and pictures.

    Parameters
    ----------
    target : str
        What the visitor calls the target.
    looks : sequence of QuickLook
        The files.
    created : datetime
        When the bundle is made, with its time zone.
    notes : sequence of str, optional
        Sentences for the README, such as which sectors failed.

    Returns
    -------
    content : bytes
        A zip archive, see `build_bundle`.
    """
    entries = [_entry(target, look) for look in looks]
    notes = [*notes, *_notes_on_movers(looks)]
    return build_bundle(title=target, entries=entries, created=created, notes=notes)


def bundle_name(target: str, looks: Sequence[QuickLook]) -> str:
    """
    Name the bundle after its target and sectors, such as ``skystamp_WASP-18_s0069-s0096.zip``.

    Parameters
    ----------
    target : str
    looks : sequence of QuickLook
        At least one.

    Returns
    -------
    name : str
        A name that is safe on every file system.
    """
    sectors = sorted({look.tpf.sector for look in looks})
    span = f"s{sectors[0]:04d}" + (f"-s{sectors[-1]:04d}" if len(sectors) > 1 else "")
    # The stroke in a comet's name would part folders.
    name = target.replace(" ", "_").replace("/", "-")
    return plain_name(f"skystamp_{name}_{span}.zip")


def _notes_on_movers(looks: Sequence[QuickLook]) -> list[str]:
    """Say how fast a moving target turns, sector by sector, and where its positions are from."""
    moving = [look for look in looks if look.tpf.is_moving]
    notes = []
    for sector in sorted({look.tpf.sector for look in moving}):
        curves = [look.light_curve for look in moving if look.tpf.sector == sector]
        notes.append(f"Rotation in sector {sector}: {find_rotation(curves).words}")
    if any(not look.tpf.simulated for look in moving):
        notes.append(
            "Positions of the moving target are those of JPL Horizons, as TESSCut took them: cite "
            "Giorgini et al. 1996, Bulletin of the American Astronomical Society 28, 1158."
        )
    return notes


def movie_frames(look: QuickLook, *, at_most: int) -> npt.NDArray[np.intp]:
    """
    Choose the frames of a file's movie.

    Parameters
    ----------
    look : QuickLook
    at_most : int
        If there are more, they are thinned out evenly.

    Returns
    -------
    frames : int ndarray of shape (n,)
        Of the good cadences, or where there are none of all; empty if no frame has light in it.
    """
    good = look.light_curve.good
    return choose_frames(look.tpf, good if good.any() else None, at_most=at_most)


def movie_marks(look: QuickLook, frames: npt.NDArray[np.intp]) -> list[tuple[float, float]] | None:
    """
    Say where the target is in the frames of a movie.

    Parameters
    ----------
    look : QuickLook
    frames : int ndarray of shape (n,)

    Returns
    -------
    marks : list of (float, float), or None
        0-based (x, y) in each frame; `None` for a target at rest.
    """
    track = look.light_curve.track
    if track is None:
        return None
    return list(zip(track.x[frames].tolist(), track.y[frames].tolist(), strict=True))


def look_movie(
    target: str, look: QuickLook, *, file_format: str = "gif", at_most: int = _MOVIE_FRAMES
) -> bytes:
    """
    Make a movie of a file; where the target moves, it has a ring around it.

    Parameters
    ----------
    target : str
        What the visitor calls the target.
    look : QuickLook
    file_format : {"gif", "webp"}, optional
    at_most : int, optional
        If there are more frames, they are thinned out evenly.

    Returns
    -------
    content : bytes
        Of the good cadences, or where there are none of all; b"" if no frame has light in it.

    Raises
    ------
    InvalidQueryError
        If there is no such format.
    """
    tpf, curve = look.tpf, look.light_curve
    frames = movie_frames(look, at_most=at_most)
    if not frames.size:
        return b""
    return movie_file(
        movie_levels(tpf, frames, sky=curve.background),
        frame_times(tpf, frames),
        title=f"{target}, sector {tpf.sector}",
        file_format=file_format,
        marks=movie_marks(look, frames),
        simulated=tpf.simulated,
    )


def _entry(target: str, look: QuickLook) -> BundleEntry:
    tpf, curve = look.tpf, look.light_curve
    title = f"{target}, TESS sector {tpf.sector}"
    credit = "Skystamp demo sky" if tpf.simulated else "TESS, MAST"
    images = "images that follow the target" if tpf.is_moving else "images"
    picture = preview_png(
        look.mean_image,
        title=title,
        caption=f"Mean of {curve.n_good} {images} of {tpf.cadence_s:.0f} s; "
        f"{curve.aperture.sum()} pixels in the aperture",
        credit=credit,
        wcs=tpf.wcs,
        target=(tpf.ra, tpf.dec),
        aperture=curve.aperture,
        simulated=tpf.simulated,
    )
    previews = {"": picture, "_light_curve": light_curve_png(curve, title=title)}
    movies = {}
    if tpf.is_moving:
        trail = find_trail(tpf, curve.good)
        if trail is not None:
            picture = trail_png(trail, title=title, credit=credit, simulated=tpf.simulated)
            previews["_path"] = picture
        movie = look_movie(target, look)
        movies = {".gif": movie} if movie else {}
    return BundleEntry(
        archive=look.archive,
        member=look.member,
        service="TESSCut",
        facts=tpf_facts(tpf),
        simulated=tpf.simulated,
        light_curve=curve,
        previews=previews,
        movies=movies,
        sha256=look.sha256,
    )

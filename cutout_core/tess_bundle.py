"""What a visitor fetched from TESSCut -> the zip to take away."""

from collections.abc import Sequence
from datetime import datetime

from cutout_core.archive import plain_name
from cutout_core.bundle import BundleEntry, build_bundle, tpf_facts
from cutout_core.quicklook import QuickLook
from cutout_core.render import light_curve_png, preview_png


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
    return plain_name(f"skystamp_{target.replace(' ', '_')}_{span}.zip")


def _entry(target: str, look: QuickLook) -> BundleEntry:
    tpf, curve = look.tpf, look.light_curve
    title = f"{target}, TESS sector {tpf.sector}"
    picture = preview_png(
        look.mean_image,
        title=title,
        caption=f"Mean of {curve.n_good} images of {tpf.cadence_s:.0f} s; {curve.aperture.sum()} "
        "pixels in the aperture",
        credit="Skystamp demo sky" if tpf.simulated else "TESS, MAST",
        wcs=tpf.wcs,
        target=(tpf.ra, tpf.dec),
        aperture=curve.aperture,
        simulated=tpf.simulated,
    )
    return BundleEntry(
        archive=look.archive,
        member=look.member,
        service="TESSCut",
        facts=tpf_facts(tpf),
        simulated=tpf.simulated,
        light_curve=curve,
        previews={"": picture, "_light_curve": light_curve_png(curve, title=title)},
        sha256=look.sha256,
    )

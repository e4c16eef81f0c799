"""Everything heavy that a page will need, imported once at the start of the server."""

import altair  # noqa: F401 - Streamlit imports it when it draws its first table
import astropy.coordinates
import astropy.io.fits
import astropy.table
import astropy.visualization
import astropy.wcs  # noqa: F401
import matplotlib.backends.backend_agg
import matplotlib.collections
import matplotlib.figure
import matplotlib.patheffects  # noqa: F401
import pandas as pd  # noqa: F401
import scipy.ndimage  # noqa: F401
import tess_stars2px  # noqa: F401

import cutout_core.colour
import cutout_core.display
import cutout_core.figure
import cutout_core.hubble_bundle
import cutout_core.mast.tesscut
import cutout_core.matching
import cutout_core.quicklook
import cutout_core.render
import cutout_core.sectors
import cutout_core.sky_map
import cutout_core.tess_bundle  # noqa: F401

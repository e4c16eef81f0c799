"""About: where the data comes from, how to cite it, what is kept."""

import streamlit as st

from cutout_core import __version__

st.title("About Skystamp")
st.markdown(
    f"""
Skystamp {__version__} shows what MAST, the archive of NASA's Hubble and TESS missions, holds at a
spot on the sky. It is free software under the BSD 3-Clause licence.

#### Two sources of data
- **Live MAST**: images that TESS and Hubble took, cut out for you by MAST's services TESSCut, Zcut
  and HAPCut.
- **Simulated sky**: a server on this computer that answers like MAST with *simulated* data, for
  classrooms and demonstrations without a network. The positions of the cameras, the times, the
  paths of asteroids and a table of real stars, planets and galaxies are published facts; every
  pixel is computed. It is always labelled as simulated, on the page, in the files and in the zip.

#### How to cite
If you use cutouts in your work, cite TESSCut: Brasseur, C. E., et al. 2019, *Astrocut: Tools for
creating cutouts of TESS images*, Astrophysics Source Code Library, record ascl:1905.007; the
mission: Ricker, G. R., et al. 2015, *Journal of Astronomical Telescopes, Instruments, and Systems*
1, 014003; and acknowledge MAST: "This paper includes data collected with the TESS mission,
obtained from the MAST data archive at the Space Telescope Science Institute (STScI)." For Hubble's
images the README of each download says which survey, mission and archive to cite.

#### What is kept
Nothing about you. What you fetch lives in the memory of this server while the page is open. What
you type goes to MAST, which needs it to answer, and nowhere else.
"""
)

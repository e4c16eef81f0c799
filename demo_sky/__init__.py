"""
A simulated TESS archive that speaks MAST's HTTP protocol.

It needs no network, shares no code with `cutout_core`, and always says that its data are simulated.
"""

__version__ = "0.1.0"

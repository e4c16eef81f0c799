"""The HTTP edge: what is asked of MAST, and how its answers are read."""

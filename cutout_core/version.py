"""The version of Skystamp, and where it lives: said to MAST with every request."""

__version__ = "0.1.0"

PROJECT_URL = "https://github.com/skystamp/skystamp"

"""TESS as an instrument: where its cameras look, when they expose, and what a file of it holds."""

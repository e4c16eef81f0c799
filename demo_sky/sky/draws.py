"""Random draws that are the same for everybody: each thing has a generator of its own key."""

from __future__ import annotations

from enum import IntEnum

import numpy as np

# TESS's launch. Any constant would do, but it must never change: the sky hangs on it.
SKY_SEED = 20180418


class Stream(IntEnum):
    """What a generator is for: the first key, so that equal numbers of other things do not meet."""

    TILE = 1
    SIGNAL = 2
    FLARES = 3
    POINTING = 4
    STRAY_LIGHT = 5
    NOISE = 6


def seed_sequence(stream: Stream, *keys: int) -> np.random.SeedSequence:
    """Give the seed of one thing, from its own non-negative numbers alone."""
    return np.random.SeedSequence([SKY_SEED, int(stream), *keys])


def generator(stream: Stream, *keys: int) -> np.random.Generator:
    """Give the generator of one thing: the same on every machine, whatever was drawn before."""
    return np.random.Generator(np.random.Philox(seed_sequence(stream, *keys)))

"""Images of the two sides of a split that look the same: warned of, never more."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchbase.data.contract import Pixels

BITS = 4
"""Of 64, in which the perceptual hashes of two near duplicates may differ."""
DIFFERENCE = 0.25
"""By which their pixels may: root mean square, as a share of the image's standard deviation."""
MOST_PAIRS = 2_000_000_000
_BLOCK = 512


def near_duplicates(train: Pixels, test: Pixels) -> int | None:
    """Count the test images that look like a training image without being the same.

    Perceptual hashes (imagehash's) that differ in few bits choose the pairs, and the pixels
    decide: dark and flat images share their hashes. None where there are too many pairs to look at.
    """
    if len(train) * len(test) > MOST_PAIRS:
        return None
    in_train, in_test = _hashes(train), _hashes(test)
    near = 0
    for start in range(0, len(test), _BLOCK):
        block = in_test[start : start + _BLOCK]
        close = np.bitwise_count(block[:, None] ^ in_train[None, :]) <= BITS
        for row in np.flatnonzero(close.any(axis=1)):
            image = test[start + row].astype(np.float32)
            others = train[np.flatnonzero(close[row])].astype(np.float32)
            distance = np.sqrt(((others - image) ** 2).mean(axis=(1, 2, 3)))
            near += bool(((distance > 0) & (distance <= DIFFERENCE * image.std())).any())
    return near


def _hashes(pixels: Pixels) -> NDArray[np.uint64]:
    import imagehash
    from PIL import Image

    hashes = np.zeros(len(pixels), dtype=np.uint64)
    for row, image in enumerate(pixels):
        # As people see it; of more than three channels the first stands for all.
        seen = image.transpose(1, 2, 0) if len(image) == 3 else image[0]
        bits = imagehash.phash(Image.fromarray(np.ascontiguousarray(seen))).hash
        hashes[row] = np.packbits(bits.ravel()).view(">u8")[0]
    return hashes

"""Time decoding JPEG files by benchbase, and by a plain loop of two processes over Pillow."""

import json
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from PIL import Image

from benchbase.data.own.chunks import Rule, decode_all
from benchbase.data.own.listing import Listing

COUNT, SIZE = 4000, 64
SHAPE = (450, 600)
DIFFERENT = 20


def write_images(folder: Path) -> list[Path]:
    """Write photographs of the size of those of HAM10000; a few, each many times."""
    rng = np.random.Generator(np.random.PCG64(0))
    contents = []
    for number in range(DIFFERENT):
        small = Image.fromarray(rng.integers(0, 255, (30, 40, 3), dtype=np.uint8))
        small.resize(SHAPE[::-1]).save(folder / f"first_{number}.jpg", quality=90)
        contents.append((folder / f"first_{number}.jpg").read_bytes())
    paths = [folder / f"{number}.jpg" for number in range(COUNT)]
    for number, path in enumerate(paths):
        path.write_bytes(contents[number % DIFFERENT])
    return paths


def plain(path: Path) -> np.ndarray:
    """Do what anybody would: open, crop in the middle, resize."""
    with Image.open(path) as file:
        image = file.convert("RGB")
    side = min(image.size)
    left, top = ((length - side) / 2 for length in image.size)
    box = (left, top, left + side, top + side)
    return np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR, box=box))


def main() -> None:
    """Print the ratio of the two times."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        paths = write_images(folder)
        chunks = folder / "chunks"
        chunks.mkdir()
        began = time.perf_counter()
        with get_context("fork").Pool(2) as pool:
            np.stack(pool.map(plain, paths, chunksize=64))
        loop = time.perf_counter() - began
        names = tuple(path.name for path in paths)
        listing = Listing("folder:it", names, names, lambda row: paths[row], tuple(paths))
        began = time.perf_counter()
        decode_all(listing, Rule(SIZE, "crop"), chunks)
        ours = time.perf_counter() - began
    print(json.dumps({"ratio": ours / loop, "seconds": ours, "loop": loop}))


if __name__ == "__main__":
    main()

"""Pictures as PNG within a page: written here, so that a report needs no library for pictures."""

import struct
import zlib
from base64 import b64encode

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLORS = 256  # of a picture with a palette
GRAY, TRUE, INDEXED = 0, 2, 3  # kinds of PNG


def data_url(picture: np.ndarray) -> str:
    """A picture (height, width, 1 or 3) of bytes as an address that holds it whole, without loss."""
    return f"data:image/png;base64,{b64encode(png(picture)).decode()}"


def png(picture: np.ndarray) -> bytes:
    """The same as a PNG file: gray, of at most 256 colors by a palette, else of any colors."""
    height, width, depth = picture.shape
    if depth == 1:
        return _file(width, height, GRAY, picture[..., 0], b"")
    colors, places = np.unique(packed(picture), return_inverse=True)
    if len(colors) > COLORS:
        return _file(width, height, TRUE, picture.reshape(height, -1), b"")
    palette = b"".join(int(color).to_bytes(3, "big") for color in colors)
    return _file(width, height, INDEXED, places.reshape(height, width).astype(np.uint8), palette)


def packed(picture: np.ndarray) -> np.ndarray:
    """The colors of a picture (height, width, 3) as one number for each pixel."""
    red, green, blue = (picture[..., place].astype(np.uint32) for place in range(3))
    return red << 16 | green << 8 | blue


def _file(width: int, height: int, kind: int, rows: np.ndarray, palette: bytes) -> bytes:
    """A whole file; each row of true colors is the difference to the row above, which is shorter to write."""
    above = kind == TRUE
    if above:
        rows = np.diff(rows, axis=0, prepend=np.zeros((1, rows.shape[1]), np.uint8))
    lines = np.concatenate([np.full((height, 1), 2 * above, np.uint8), rows.astype(np.uint8)], 1)
    head = struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0)
    chunks = [(b"IHDR", head), *([(b"PLTE", palette)] if palette else []), (b"IDAT", zlib.compress(lines.tobytes(), 9))]
    return SIGNATURE + b"".join(_chunk(name, data) for name, data in [*chunks, (b"IEND", b"")])


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

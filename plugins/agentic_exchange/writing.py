"""Videos written frame by frame: never more than one is in memory."""

import os
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from secrets import token_hex
from struct import pack
from typing import TYPE_CHECKING

from agentic import UserError

if TYPE_CHECKING:
    from PIL.Image import Image


def write_video(frames: Iterator["Image"], path: Path, fps: float) -> int:
    """Write frames of one size as a GIF or an MP4, whole or not at all; how many there were.

    Raises UserError for other endings, and where the file cannot be written.
    """
    write = {".gif": _gif, ".mp4": _mp4}.get(path.suffix.lower())
    if write is None:
        raise UserError(f"a video is a .gif or an .mp4, got {path}")
    part = path.with_name(f".{path.stem}.{token_hex(8)}.part{path.suffix}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        count = write(frames, part, fps)
        os.replace(part, path)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror or error}") from error
    finally:
        part.unlink(missing_ok=True)
    return count


def _gif(frames: Iterator["Image"], path: Path, fps: float) -> int:
    """Each frame as a GIF of its own, put one after the other: Pillow's way to save several keeps all until the end."""
    count, again = 0, b"\x21\xff\x0bNETSCAPE2.0\x03\x01\x00\x00\x00"  # an extension: for ever
    control = b"\x21\xf9\x04\x00" + pack("<H", max(2, round(100 / fps))) + b"\x00\x00"  # hundredths of a second
    with open(path, "xb") as file:
        for frame in frames:
            data = BytesIO()
            frame.quantize(256).save(data, "GIF", interlace=0)
            screen, colors, image = _parts(data.getvalue())
            if not count:
                file.write(b"GIF89a" + screen[:4] + b"\x70\x00\x00" + again)
            flags = 0x80 | (image[9] & 0x40) | (screen[4] & 0x07)  # colors of its own, as many as it had for all
            file.write(control + image[:9] + bytes([flags]) + colors + image[10:])
            count += 1
        file.write(b";")
    return count


def _parts(data: bytes) -> tuple[bytes, bytes, bytes]:
    """The description of the screen, the table of colors and the image of a GIF of one frame."""
    screen = data[6:13]
    place = 13 + 3 * 2 ** ((screen[4] & 0x07) + 1)
    colors = data[13:place]
    while data[place] == 0x21:  # extensions, each of blocks that say how long they are
        place += 2
        while data[place]:
            place += 1 + data[place]
        place += 1
    return screen, colors, data[place:-1]


def _mp4(frames: Iterator["Image"], path: Path, fps: float) -> int:
    try:
        from imageio_ffmpeg import write_frames
    except ImportError as error:
        raise UserError(
            f"no MP4 can be written here ({error}): pip install 'agentic[video]', or ask for a .gif"
        ) from None
    count, writer = 0, None
    try:
        for frame in frames:
            if writer is None:
                writer = write_frames(str(path), frame.size, fps=fps, macro_block_size=2, ffmpeg_log_level="error")
                writer.send(None)
            writer.send(frame.tobytes())
            count += 1
    finally:
        if writer is not None:
            writer.close()
    return count

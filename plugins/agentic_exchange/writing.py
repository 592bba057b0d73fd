"""Videos written frame by frame: never more than one is in memory."""

import os
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex
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
    """Each frame has its own colors; Pillow's own way to save several keeps all of them until the end."""
    from PIL.GifImagePlugin import getdata, getheader

    count, milliseconds = 0, round(1000 / fps)
    with open(path, "xb") as file:
        for frame in frames:
            image = frame.quantize(256)
            if not count:
                header, _ = getheader(image.copy(), info={"loop": 0, "duration": milliseconds})
                file.writelines(header)
            file.writelines(getdata(image, duration=milliseconds, include_color_table=True))
            count += 1
        file.write(b";")
    return count


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

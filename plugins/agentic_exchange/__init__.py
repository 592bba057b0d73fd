"""Records as others read them: data sets of Minari, and videos. The commands `export` and `video`."""

from agentic_exchange.minari_export import Exported, to_minari
from agentic_exchange.video import Video, make_video

__all__ = ["Exported", "Video", "make_video", "to_minari"]

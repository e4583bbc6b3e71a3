"""What moves from one frame to the next: the frames on the way between two frames of a scene.

Scenes do not say what moves: it is read off two frames. Two that differ in a way that is not known have nothing in
between. Must not know scenes of any kind, colours, pixels or files.
"""

from convanim.motion.sequence import moving
from convanim.motion.tween import Tween

__all__ = ["Tween", "moving"]

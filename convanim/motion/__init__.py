"""What moves from one frame to the next: the frames on the way between two frames of a scene.

Two frames are compared, and the facts that they keep are read: what their steps join, write and take over. Two that
differ in a way that is not known have nothing in between. Must not know scenes of any kind, colours, pixels or files.
"""

from convanim.motion.sequence import moving
from convanim.motion.tween import Tween

__all__ = ["Tween", "moving"]

"""Motion: the frames between two frames of a scene, found by comparing them and reading what their steps link and move.

Between two frames that differ in an unknown way there is no motion.
"""

from convanim.timing.motion.sequence import moving
from convanim.timing.motion.tween import Tween

__all__ = ["Tween", "moving"]

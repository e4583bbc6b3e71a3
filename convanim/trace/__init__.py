"""The trace: every multiplication of a layer over an input, in order and with its values.

Knows taps and numbers. Must not know pixels, words on a page or time. A trace holds arrays; a step is made when it is
asked for, so a trace of a million placements costs what its arrays cost.
"""

from convanim.trace.core import Order, Trace, trace
from convanim.trace.step import Step

__all__ = ["Order", "Step", "Trace", "trace"]

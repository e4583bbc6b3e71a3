"""Drawing: the shapes of a frame, their colours, and renderers for text, pixels and matplotlib."""

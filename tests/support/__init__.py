"""What test files share: oracles, strategies for hypothesis, commands, decoders, and readers of pages and pictures."""

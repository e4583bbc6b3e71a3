"""What several test files share: definitions of the layers, strategies for hypothesis, decoders and galleries."""

"""The operating system: input files, and the loading of matplotlib."""

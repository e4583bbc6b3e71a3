"""Lines of operations that are read and written for all frameworks in one module."""

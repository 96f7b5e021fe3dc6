"""The same functions run two ways: by threads in one process, or by dramatiq actors."""

"""Streams: what a side tells is read, and nothing is lost on the way."""

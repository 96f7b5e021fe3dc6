"""Tests of the demo: the cast, the real leads, and how both are shown."""

"""connector: move. Platforms, store, queue, delivery and the command line."""

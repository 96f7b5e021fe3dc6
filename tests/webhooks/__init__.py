"""What platforms send: proven, stored, answered, read."""

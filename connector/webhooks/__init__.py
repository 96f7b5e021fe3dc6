"""The receiver of what platforms send: proven, stored, then answered. What is received are hints; they are
followed by `connector.intake.hints`."""

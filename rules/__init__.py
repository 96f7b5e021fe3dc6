"""rules: decide. Scores, gates, routing and rejection, as pure functions over a lead."""

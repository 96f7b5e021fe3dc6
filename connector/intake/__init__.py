"""Everything that learns of a change: polls, and what links a record to its lead."""

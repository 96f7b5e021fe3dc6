"""What became of the leads: counted as the ledger is written, and reported."""

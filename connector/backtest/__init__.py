"""The backtest: what other rules would have made of leads whose end is known. It never writes."""

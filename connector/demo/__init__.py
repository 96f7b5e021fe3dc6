"""The demo: leads living their lives in the sandbox, a made-up cast or the leads of a real CSV file."""

"""What every platform adapter does. See docs/contract-tests.md."""

import pytest

# the contract's parts are no test files, but their assertions should explain themselves all the same
pytest.register_assert_rewrite(
    *(f"tests.contract.{part}" for part in ("account", "changes", "reading", "steps", "trouble", "writing"))
)

"""What Alembic runs around the migrations: on the caller's connection, in the caller's transaction."""

from __future__ import annotations

from alembic import context

from connector.store.migrations import VERSION_TABLE
from connector.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    transactional_ddl=True,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()

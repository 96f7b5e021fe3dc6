"""The database: SQLAlchemy Core tables and the queries on them."""

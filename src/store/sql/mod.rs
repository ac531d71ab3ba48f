//! SQLite (and later Postgres) through sqlx.

-- 1 → 2: what holds when things break. The same as in schema.sql, which explains it.

CREATE TABLE relay_pause (
	consumer  TEXT PRIMARY KEY,
	paused_at INTEGER NOT NULL,
	paused_by INTEGER NOT NULL,
	reason    TEXT NOT NULL CHECK (length(reason) BETWEEN 1 AND 200)
) STRICT, WITHOUT ROWID;
CREATE VIEW v_relay_pause AS SELECT consumer, paused_at, paused_by, reason FROM relay_pause;

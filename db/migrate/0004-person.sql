-- 3 → 4: the table user becomes person (user is a reserved word in SQL). The same as in schema.sql, which explains it.
-- The views that read the table are dropped first and made again, so that their text is that of a new database.

DROP VIEW v_api_token;
DROP VIEW v_session;
DROP VIEW v_role_holder;
DROP VIEW v_user;
ALTER TABLE user RENAME TO person;
CREATE VIEW v_user AS
	SELECT u.user_id, u.email, u.name, u.phone, u.lang, u.disabled,
	       (SELECT COALESCE(SUM(CASE r.role WHEN 'customer' THEN 1 WHEN 'employee' THEN 2 WHEN 'manager' THEN 4
	                                        WHEN 'courier' THEN 8 WHEN 'examiner' THEN 16 WHEN 'admin' THEN 32 ELSE 0 END), 0)
	          FROM user_role r WHERE r.user_id = u.user_id) AS roles
	  FROM person u;
CREATE VIEW v_role_holder AS
	SELECT r.role, u.user_id, u.name FROM user_role r JOIN person u ON u.user_id = r.user_id WHERE u.disabled = 0;
CREATE VIEW v_session AS
	SELECT s.token_hash, s.user_id, s.expires_at, v.email, v.name, v.lang, v.roles
	  FROM session s JOIN v_user v ON v.user_id = s.user_id WHERE v.disabled = 0;
CREATE VIEW v_api_token AS
	SELECT t.token_hash, t.user_id, v.email, v.name, v.lang, v.roles
	  FROM api_token t JOIN v_user v ON v.user_id = t.user_id WHERE v.disabled = 0 AND t.revoked_at = 0;

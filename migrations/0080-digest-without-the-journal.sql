-- Whoever seals needs the digest of changes, and not the changes: the journal knows of pushes, keys and customers, too.

alter function changes_digest(bigint[]) security definer set search_path = public, pg_temp;

-- Who folds or seals a batch reads it whole. One Postgres commits a batch at one instant. A cluster commits it on the
-- coordinator and on each node a moment later, so that there this waits for the nodes: citus.sql makes it anew.
create function await_shards() returns void language sql stable as $$ $$;

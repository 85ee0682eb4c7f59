-- The tenant of a session may be its login's, which no statement in that session can change.

create table tenant_logins (
  login text collate "C" primary key check (login <> ''),
  tenant_id text collate "C" not null references tenants
);
select begin_journal('tenant_logins', 'login', '');

-- The tenant whose rows a session may see: its login's, whatever it sets or whichever role it takes; of a login that is
-- nobody's, as a service for many tenants has one, the tenant that the service names for the time of a question.
create function session_tenant() returns text language sql stable security definer
set search_path = public, pg_temp as $$
  select coalesce((select tenant_id from tenant_logins where login = session_user), current_setting('spanledger.tenant', true))
$$;

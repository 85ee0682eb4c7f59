-- The page of acts read everything that the service had done by itself since the last act of a person, and a tenant's acts read the whole journal.

create index changes_of_people on changes (act_id, change_id)
  where act_id is not null and act not in ('worker', 'serve');
create index changes_by_tenant on changes (coalesce(row_key ->> 'tenant_id', kept ->> 'tenant_id'), act_id)
  where act_id is not null and coalesce(row_key ->> 'tenant_id', kept ->> 'tenant_id') is not null;

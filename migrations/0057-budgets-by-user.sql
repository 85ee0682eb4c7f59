-- Of a tenant with a budget for each of its users a call and a fold read the few that concern them, and not all.

create index budgets_by_user on budgets (tenant_id, user_id);

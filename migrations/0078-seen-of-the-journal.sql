-- How far the journal went when every law was seen to hold: what came after it stands in a later seal, or waits for one.
alter table verifications add column change_id bigint;

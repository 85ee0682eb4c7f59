-- A leave that is withdrawn by a customer who had left before, and had come back, gives back the leave that stood before it (R12).

alter table tenants add column left_before timestamptz;

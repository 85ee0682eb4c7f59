-- Whoever holds a draft asks Stripe to, and looks then whether it was released meanwhile. One that dies in between leaves
-- a draft held that is released here. This says since when that may be so; it is null once it was seen not to be.
alter table stripe_invoices add column hold_asked_at timestamptz;

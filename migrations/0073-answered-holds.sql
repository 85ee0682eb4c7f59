-- Whoever asks Stripe to hold a draft may die before Stripe knows of it, and the draft becomes final. This says when Stripe
-- answered that it holds it: a draft of which it never did is held once more before its period is told.
alter table stripe_invoices add column hold_answered_at timestamptz;

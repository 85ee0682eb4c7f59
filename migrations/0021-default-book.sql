-- The book of a tenant without one is named, with a date, and no longer inferred from which books there are.

create table default_price_books (
  effective_from timestamptz primary key,
  book text collate "C" not null,
  named_at timestamptz not null
);
create trigger default_price_books_revision after insert or update on default_price_books
  for each statement execute function bump_catalog_revision('prices');
create trigger default_price_books_are_kept before delete or truncate on default_price_books
  for each statement execute function refuse_change();

-- What was inferred until now holds on, since ever: the book called "standard", or else the only one there is.
insert into default_price_books (effective_from, book, named_at)
select '-infinity', book, min(imported_at) from price_books
where kind = 'charge' and (book = 'standard' or not exists (
  select 1 from price_books other where other.kind = 'charge' and other.book <> price_books.book))
group by book;

import { expect, it } from 'vitest';
import { ROUTES } from '../../src/api/routes.ts';
import { ACTS } from '../../src/console/acts/act-pages.ts';

/** Everything that a person may do by the API has a form in the console, too; or a reason stands here. */

const WITHOUT: Readonly<Record<string, string>> = {
  'POST /v1/archives': 'files are written where the service or a terminal has a place for them',
  'POST /v1/budgets/requests': 'the application that was denied asks, and an operator answers',
  'POST /v1/price-books/{book}/seed': 'the book that is seeded is imported by its form',
  'POST /v1/seals/publish': 'the service publishes by itself',
  'POST /v1/stripe/setup': 'it is done once, with the keys of Stripe at hand',
  'POST /v1/verifications': 'it may run for hours, and its result is for whoever started it',
};

it('has a form for each route that acts, or a reason why there is none', () => {
  const acting = ROUTES.filter(({ act }) => act !== null).map(
    ({ method, path }) => `${method} ${path}`,
  );
  const known = [...ACTS.map(({ route }) => route), ...Object.keys(WITHOUT)];
  expect([...new Set(known)].toSorted()).toEqual(acting.toSorted());
});

it('names each act and each of its fields once', () => {
  expect(new Set(ACTS.map(({ name }) => name)).size).toBe(ACTS.length);
  for (const { name, fields } of ACTS) {
    expect([name, new Set(fields.map((field) => field.name)).size]).toEqual([name, fields.length]);
  }
});

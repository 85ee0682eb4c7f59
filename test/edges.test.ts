import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pathsBelow, ROOT } from './support/source-files.ts';

/**
 * What went wrong in public reports of billing and in trials of this ledger, kind by kind, and what holds it now: names
 * of scenarios, or words of a test's name. A test that is renamed or goes away is missed here.
 */
const KINDS: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  'frozen in the close': {
    'the mode': [
      'R19-what-was-closed-in-shadow-is-never-pushed',
      'keeps the mode in which it was closed',
    ],
    'the customer': ['the invoice of a customer whose tenant was given another one since'],
    'what comes late to a month in shadow': [
      'R19-late-usage-and-corrections-of-shadow-are-never-due',
    ],
  },
  're-rating': {
    'by when calls occurred': ['finds the calls of a closed month where they stand now'],
    'twice, after a close': ['R15-a-month-is-re-rated-twice-after-its-close'],
    'takes no price away': ['takes no price away, names whose it would be'],
    'shows totals': ['shows with --dry-run what it would do, and posts nothing'],
    'shows its progress': ['tells how many of how many it looked at'],
    'on the instant of a wrong version': ['R15-a-version-within-a-second-mends-the-one-before'],
    'late usage without a price': ['R10-late-usage-without-a-price-is-priced-by-its-own-month'],
  },
  books: {
    'a first own book': ['R15-a-first-own-book-holds-from-now'],
    'a second book': ['R15-a-second-book-changes-nobodys-price'],
    'the currency of an idle month': [
      'R15-an-idle-month-has-the-currency-of-the-book-or-of-what-is-owed',
    ],
    'a period in two currencies': [
      'a month that has charges in both currencies is refused, and then it closes',
      'R15-late-usage-of-a-currency-of-before-has-a-way-out',
    ],
    'a correction in a former currency': [
      'R15-what-was-billed-in-another-currency-is-not-taken-back',
    ],
    'minor units of every currency': [
      'the database writes totals with the minor units of the one table',
    ],
  },
  leaving: {
    'in mid-month': ['R12-a-customer-leaves-in-mid-month'],
    'usage that comes after it': [
      'usage that comes later is billed in the period that begins there',
    ],
    'what is owed then': ['what was credited beyond the usage is owed to it'],
    'idle periods after it': [
      'its running period ends there and is closed, and nothing idle follows it',
    ],
  },
  adjustments: {
    'a credit beyond the usage': ['R13-a-credit-that-exceeds-the-usage-is-carried'],
    'the same one twice': ['R13-an-adjustment-of-another-amount-under-the-same-id'],
  },
  'bulk repair': {
    'a dry run': [
      'shows with a dry run what it would do, does that, and finds nothing the second time',
    ],
    'a tenant that nobody made': ['refuses a tenant that nobody made, and makes none'],
    'a calendar of the first month': ['R16-a-calendar-is-put-right-while-nothing-is-closed'],
    'a tag that is taken away': ['R13-a-tag-is-taken-away'],
  },
  'edges of money': {
    'a remainder of another currency': ['R14-a-remainder-stays-in-its-currency'],
    'a failed call that was re-rated': ['counts a failed call that was re-rated once'],
    'the answer of a hedge': ['R8-a-hedge-is-charged-on-the-model-first-requested'],
    'a zone that is set during a first call': [
      'a zone that is set while a worker posts the first calls never makes two periods overlap',
    ],
    'periods that overlap': ['two periods of a tenant overlap'],
    'an entry outside its period': ['an entry stands in a period that nobody made'],
    'two periods of one month': ['R16-two-periods-that-begin-in-one-month-close-together'],
    'small weights': ['keeps the ratio of weights however small or large they are'],
    'reasoning of a member': ['never gives a member more reasoning than output'],
    'caching of a book without rows': ['R6-caching-of-a-book-that-has-no-rows'],
    'every unit and cost of a split': [
      'a member lost a token',
      'holds where calls count every kind of unit',
    ],
    'a voided first attempt': ['R8-attempts-reversed-are-put-right-by-correction'],
    'TRUNCATE, a step back, a deletion': ['is never to be told again', 'nor is the quarantine'],
    'a restored database': ['a worker that outlives the restoring of its database'],
  },
  completeness: {
    'a month that lacks something': ['R24-what-waits-and-what-nobody-knows-is-named'],
    'one event under two tenants': [
      'R24-one-event-under-two-tenants-is-named-until-one-is-taken-back',
    ],
    'a period that appeared later': ['a period that appears after the month was done is closed'],
    'options of every run': ['every run obeys its own options, also one that finds the month done'],
    'law 6 without a key': ['left out: law 6'],
  },
  quarantine: {
    'bodies that are cut': ['what is cut has the digest of the whole'],
    'addresses that are hashed there, too': [
      'what was replayed with a hashed address is one event',
    ],
    'dismissed, accepted, purged': [
      'a dismissed event waits no longer',
      'an accepted conflict is a correction by what came later',
      'only the bodies of what was dismissed are erased',
    ],
  },
  'texts and clocks': {
    'a stray clock': [
      'R12-a-clock-that-went-astray',
      'R12-what-a-wrong-clock-put-long-ago-is-taken-back',
    ],
    'instants in lower case': ['takes an instant whose letters are in lower case'],
    'names of files': ['no name of a statement is longer than a file system takes'],
  },
};

const SCENARIOS = new Set(
  ['accepted', 'refused'].flatMap((kind) => readdirSync(join(ROOT, 'test/scenarios', kind))),
);

const TESTS = pathsBelow('test')
  .filter((path) => path.endsWith('.test.ts') && !path.endsWith('edges.test.ts'))
  .map((path) => readFileSync(join(ROOT, path), 'utf8'))
  .join('\n');

describe.each(Object.entries(KINDS))('%s', (_, kinds) => {
  it.each(Object.entries(kinds))('%s has a test', (_kind, held) => {
    const missed = held.filter((name) => !SCENARIOS.has(name) && !TESTS.includes(name));
    expect(missed).toEqual([]);
  });
});

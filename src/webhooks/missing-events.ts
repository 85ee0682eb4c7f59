import { hash } from 'node:crypto';
import { formatInstant, type InstantMs } from '../clock.ts';
import { type Database, inTransaction } from '../database/database.ts';
import { exactPico, formatPico } from '../money.ts';
import type { MissingThing } from '../month/completeness/missing-answer.ts';
import type { MissingFound } from '../month/completeness/missing-found.ts';
import { andMore } from '../text/counted.ts';
import { changeToldMissing, type ToldMissing, takeToldMissing } from './missing-told-store.ts';
import { addToOutbox, type Happened } from './outbox-store.ts';

/**
 * Tells what is missing when it begins, once; again where it names something that it did not name, or counts ten times
 * as many as were told; and once more where it ended and came again. Answers how many messages that makes.
 */
export async function tellMissing(
  database: Database,
  found: readonly MissingFound[],
  now: InstantMs,
): Promise<number> {
  const standing = new Map(found.map((one) => [keyOf(one), one]));
  return inTransaction(database, async (transaction) => {
    const told = new Map((await takeToldMissing(transaction)).map((row) => [row.thing, row]));
    const news = [...standing].filter(([key, one]) => isNews(one, told.get(key)));
    const newKeys = new Set(news.map(([key]) => key));
    await changeToldMissing(transaction, {
      told: news.map(
        ([
          thing,
          {
            names,
            thing: { count },
          },
        ]) => ({
          thing,
          names,
          told_count: count,
          told_at: now,
        }),
      ),
      renamed: [...standing].flatMap(([key, one]) => {
        const row = told.get(key);
        if (row === undefined || newKeys.has(key)) return [];
        const names = row.names?.filter((name) => one.names.includes(name)) ?? one.names;
        return names.length === row.names?.length ? [] : [{ ...row, names }];
      }),
      // Whoever looked later may have told what was not there yet when this look began.
      ended: [...told.values()].flatMap(({ thing, told_at: at }) =>
        standing.has(thing) || at > now ? [] : [thing],
      ),
    });
    return addToOutbox(transaction, gathered(news, now));
  });
}

/** Ids of producers may be long, and an index has its limits. */
const LONGEST_ABOUT = 64;

function keyOf({ thing: { kind, tenant_id, period_start }, about }: MissingFound): string {
  const short = about.length > LONGEST_ABOUT ? hash('sha256', about) : about;
  return JSON.stringify([kind, tenant_id, period_start, short]);
}

/** So many times as many as were told are news. */
const GROWN_TIMES = 10;
/** Whatever names more than this names something else with every look, as a model called by its day does. */
const NAMES_FOLLOWED = 20;

function isNews({ thing, names }: MissingFound, told: ToldMissing | undefined): boolean {
  if (told === undefined || thing.count >= told.told_count * GROWN_TIMES) return true;
  const { names: known } = told;
  if (known === null || names.length > NAMES_FOLLOWED) return false;
  return names.some((name) => !known.includes(name));
}

/** More than these of one kind at one look, with one way to mend them, are one message. */
const TOLD_APART = 10;
const NAMED_TOGETHER = 5;

function gathered(
  news: readonly (readonly [string, MissingFound])[],
  now: InstantMs,
): readonly Happened[] {
  const things = news.map(([key, { thing }]) => ({ key, thing }));
  const alike = Map.groupBy(things, ({ thing: { kind, tenant_id, period_start, remedy } }) =>
    JSON.stringify([kind, tenant_id, period_start, remedy]),
  );
  return [...alike].flatMap(([group, all]) => {
    if (all.length <= TOLD_APART) return all.map(({ key, thing }) => happened(key, thing, now));
    const together = joined(all.map(({ thing }) => thing));
    return together === null ? [] : [happened(group, together, now)];
  });
}

function joined(things: readonly MissingThing[]): MissingThing | null {
  const [first] = things;
  if (first === undefined) return null;
  const details = things.slice(0, NAMED_TOGETHER).map(({ detail }) => detail);
  return {
    ...first,
    ...sumOf(things),
    count: things.reduce((sum, { count }) => sum + count, 0),
    detail: `${andMore(details, things.length, '; and ')} like these`,
  };
}

/** Amounts of two currencies are never added, and one that is not known makes no sum. */
function sumOf(things: readonly MissingThing[]): Pick<MissingThing, 'amount' | 'currency'> {
  const [currency = null, ...others] = new Set(things.map((thing) => thing.currency));
  const amounts = things.flatMap(({ amount }) => amount ?? []);
  if (currency === null || others.length > 0 || amounts.length < things.length) {
    return { amount: null, currency: null };
  }
  const sum = amounts.reduce((all, amount) => all + exactPico(amount), 0n);
  return { amount: formatPico(sum), currency };
}

/** A problem that ended and came back is another message, so the instant is in its key. */
function happened(key: string, thing: MissingThing, now: InstantMs): Happened {
  return {
    kind: 'month.incomplete',
    key: `month.incomplete ${key} ${formatInstant(now)}`,
    subject: thing.tenant_id === null ? 'ledger' : `tenant ${thing.tenant_id}`,
    occurredAt: now,
    data: { ...thing },
  };
}

import fc from 'fast-check';

/** One change of a body, at a place that is found by counting. */
export interface Mutation {
  readonly at: number;
  readonly how: number;
  readonly value: unknown;
}

type Holder = Record<string, unknown> | unknown[];

const WEIRD = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>('', '0', '-1', 'NaN', '1e400', '9007199254740993', 'None', '__proto__'),
  fc.constantFrom<unknown>(-1, 0.5, 1e300, 2 ** 53, '\u0000', '\uD800', 'x'.repeat(3000), [], {}),
  fc.bigInt({ min: 0n, max: 2n ** 70n }).map(String),
);

export const mutation: fc.Arbitrary<Mutation> = fc.record({
  at: fc.nat(),
  how: fc.nat({ max: 4 }),
  value: WEIRD,
});

/** The body with each change made in turn: a value becomes another, a field goes, a list doubles. */
export function mutatedBody(body: object, mutations: readonly Mutation[]): object {
  const changed = structuredClone(body) as Holder;
  for (const each of mutations) mutate(changed, each);
  return changed;
}

function mutate(body: Holder, { at, how, value }: Mutation): void {
  const places: [Holder, string][] = [];
  const walk = (holder: Holder) => {
    for (const name of Object.keys(holder)) {
      places.push([holder, name]);
      const inner = (holder as Record<string, unknown>)[name];
      if (typeof inner === 'object' && inner !== null) walk(inner as Holder);
    }
  };
  walk(body);
  const place = places[at % Math.max(1, places.length)];
  if (place === undefined) return;
  const [holder, name] = place as [Record<string, unknown>, string];
  const old = holder[name];
  if (how === 0) delete holder[name];
  else if (how === 1 && Array.isArray(old)) old.push(...structuredClone(old));
  else if (how === 2) holder[name] = typeof old === 'number' ? String(old) : [old];
  else if (how === 3 && typeof old === 'string') holder[name] = old.slice(0, old.length / 2);
  else holder[name] = value;
}

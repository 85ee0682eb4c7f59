import { z } from 'zod';
import { Refusal } from '../refusal.ts';
import type { UsageEvent } from './event.ts';
import { canonicalProvider, knownProvider } from './provider-name.ts';
import { id } from './schema-parts.ts';

/**
 * Names that say nothing of a model: a deployment of Azure, an inference profile, an alias of one's own
 * gateway. No list of prices can have them, so that the operator says in a file what each of them is.
 */
export interface ModelMap {
  /** They stand by the name in lower case; of several the one that names the call's provider comes first. */
  readonly deployments: ReadonlyMap<string, readonly Deployment[]>;
}

interface Deployment {
  /** The name as producers write it. */
  readonly name: string;
  /** The provider at which it is called so; null at any. */
  readonly at: string | null;
  readonly model: string;
  /** Who is paid for the model; null leaves the provider that the call names. */
  readonly provider: string | null;
}

const PROVIDER = 'the name of a provider, such as "azure" or "openai"';
const provider = z.string({ error: PROVIDER }).refine((name) => knownProvider(name) !== null, {
  error: `${PROVIDER}; leave it out where it is one of your own, and the calls' own provider stays`,
});

const deployment = z.strictObject(
  { name: id, at: provider.optional(), model: id, provider: provider.optional() },
  { error: 'an object {name, at, model, provider}, of which name and model are required' },
);

const modelMap = z.strictObject(
  {
    // Each is read by itself, so that one mistake hides none of the others.
    deployments: z.array(z.unknown(), { error: 'a list of deployments' }),
  },
  { error: 'an object {"deployments": [{"name": …, "model": …}]}' },
);

/** Reads the text of such a file; throws a `Refusal` that names every mistake in it. */
export function parseModelMap(text: string, place: string): ModelMap {
  const json = parseJson(text);
  if (json instanceof Error) throw refused(place, [`it is not JSON (${json.message})`]);
  const parsed = modelMap.safeParse(json);
  if (!parsed.success) throw refused(place, faultsOf(parsed.error));
  const read = parsed.data.deployments.map((row) => deployment.safeParse(row));
  const wrong = read.flatMap(({ error }, index) =>
    error === undefined ? [] : faultsOf(error, `deployments[${index}]`),
  );
  const placed = read.flatMap(({ data }, index) =>
    data === undefined ? [] : [{ ...placedAt(data), index }],
  );
  const faults = [...wrong, ...findFaults(placed)];
  if (faults.length > 0) throw refused(place, faults);
  const deployments = placed.map(({ index: _, ...row }) => row);
  return { deployments: Map.groupBy(deployments.toSorted(byPlace), ({ name }) => keyOf(name)) };
}

/** An event with its models by their own names; what its producer wrote stands in the tag `deployment`. */
export function throughModelMap(event: UsageEvent, map: ModelMap): UsageEvent {
  const requested = findDeployment(map, event.provider, event.requestedModel);
  const executed = findDeployment(map, event.provider, event.executedModel);
  const found = requested ?? executed;
  if (found === null) return event;
  return {
    ...event,
    requestedModel: requested?.model ?? event.requestedModel,
    executedModel: executed?.model ?? event.executedModel,
    provider: executed?.provider ?? event.provider ?? found.provider,
    furtherTags: { ...event.furtherTags, deployment: found.name },
  };
}

function placedAt({ name, at, model, provider: payee }: z.infer<typeof deployment>): Deployment {
  return {
    ...{ name, model },
    at: at === undefined ? null : canonicalProvider(at),
    provider: payee === undefined ? null : canonicalProvider(payee),
  };
}

function keyOf(name: string): string {
  return name.toLowerCase();
}

function byPlace(one: Deployment, other: Deployment): number {
  return Number(one.at === null) - Number(other.at === null);
}

/**
 * Finds what a model's name means at a provider; null where it is the model's own. Gateways write the provider before a
 * deployment, as in `azure/prod-chat`.
 */
export function findDeployment(
  map: ModelMap,
  at: string | null,
  written: string | null,
): Deployment | null {
  if (written === null) return null;
  const whole = atProvider(map.deployments.get(keyOf(written)), at);
  if (whole !== null) return whole;
  const slash = written.indexOf('/');
  const prefix = slash < 1 ? null : knownProvider(written.slice(0, slash));
  if (prefix === null) return null;
  return atProvider(map.deployments.get(keyOf(written.slice(slash + 1))), prefix);
}

function atProvider(
  deployments: readonly Deployment[] | undefined,
  named: string | null,
): Deployment | null {
  if (deployments === undefined) return null;
  const canonical = named === null ? null : canonicalProvider(named);
  return deployments.find(({ at }) => at === null || at === canonical) ?? null;
}

/** What each deployment alone allows, but all of them together do not. */
function findFaults(
  deployments: readonly (Deployment & { readonly index: number })[],
): readonly string[] {
  const seen = new Map<string, number>();
  return deployments.flatMap(({ name, at, model, index }) => {
    const here = `deployments[${index}]`;
    const key = `${keyOf(name)}\u0000${at ?? ''}`;
    const earlier = seen.get(key);
    if (earlier === undefined) seen.set(key, index);
    const where = at === null ? '' : ` at ${at}`;
    const faults = [
      earlier !== undefined &&
        `${here}.name: ${JSON.stringify(name)}${where} stands in deployments[${earlier}], too`,
      keyOf(name) === keyOf(model) &&
        `${here}.model: ${JSON.stringify(model)} is the deployment itself, which says nothing`,
      keyOf(name) !== keyOf(model) &&
        deployments.some((other) => keyOf(other.name) === keyOf(model)) &&
        `${here}.model: ${JSON.stringify(model)} is a deployment of this file, too; name the model that it is`,
    ];
    return faults.filter((fault) => fault !== false);
  });
}

function refused(place: string, faults: readonly string[]): Refusal {
  return new Refusal(
    'misconfigured',
    `${place} is not a model map: ${faults.join('; ')}`,
    'correct it; README.md, "Deployments", shows one',
  );
}

function faultsOf({ issues }: z.ZodError, within = ''): readonly string[] {
  return issues.map((issue) => describeIssue(issue, within));
}

function describeIssue(issue: z.core.$ZodIssue, within: string): string {
  const path = [within, ...issue.path.map(String)].filter((step) => step !== '').join('.');
  const field = path === '' ? 'the file' : path;
  if (issue.code !== 'unrecognized_keys') return `${field}: must be ${issue.message}`;
  const unknown = issue.keys.map((key) => JSON.stringify(key)).join(', ');
  return `${field}: ${unknown} is not a field of it`;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    return error;
  }
}

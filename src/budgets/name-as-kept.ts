import { type EmailPolicy, hashOfEmail, isEmail } from '../events/email-identifiers.ts';
import { findDeployment, type ModelMap } from '../events/model-map.ts';
import { Refusal } from '../refusal.ts';

/** How identifiers that look like e-mail addresses are kept, and what deployments are; what is left out is kept as it is. */
export interface NamingParts {
  readonly reading?: { readonly emails?: EmailPolicy; readonly models?: ModelMap | null };
}

interface Named {
  readonly feature: string | null;
  readonly user_id: string | null;
  readonly agent_run_id: string | null;
  readonly tags: Readonly<Record<string, string>> | null;
}

interface Called {
  readonly provider: string | null;
  readonly model: string | null;
}

/**
 * Returns the request with the names under which the ledger has what it is about: a budget of a user whose address is hashed
 * is that of the hash, as its events are, and no hold keeps an address that no event may keep. Throws a `Refusal` where
 * addresses are refused.
 */
export function nameAsKept<Request extends Named>(
  { reading }: NamingParts,
  request: Request,
): Request {
  const policy = reading?.emails ?? { kind: 'keep' };
  if (policy.kind === 'keep') return request;
  const { feature, user_id, agent_run_id, tags } = request;
  const name = <Value extends string | null>(field: string, value: Value) =>
    value === null || !isEmail(value) ? value : kept({ field, value }, policy);
  const entries = Object.entries(tags ?? {});
  return {
    ...request,
    feature: name('feature', feature),
    user_id: name('user_id', user_id),
    agent_run_id: name('agent_run_id', agent_run_id),
    tags: tags && Object.fromEntries(entries.map(([tag, value]) => [tag, name(tag, value)])),
  };
}

/**
 * Returns a call as its event will be kept: beside its names, a deployment as the model by which it is charged, and with the
 * tag that a budget may be about.
 */
export function callAsKept<Call extends Named & Called>(parts: NamingParts, given: Call): Call {
  const call = nameAsKept(parts, given);
  const models = parts.reading?.models ?? null;
  const { provider, model, tags } = call;
  const deployment = models === null ? null : findDeployment(models, provider, model);
  if (deployment === null) return call;
  return {
    ...call,
    model: deployment.model,
    provider: deployment.provider ?? provider,
    tags: { ...tags, deployment: deployment.name },
  };
}

function kept(
  { field, value }: { readonly field: string; readonly value: string },
  policy: Exclude<EmailPolicy, { readonly kind: 'keep' }>,
): string {
  if ('key' in policy) return hashOfEmail(value, policy.key);
  throw new Refusal(
    'bad_request',
    `${field} looks like an e-mail address, which SPANLEDGER_EMAIL_IDENTIFIERS=refuse keeps out of the ledger`,
    'send the opaque id that its events have',
  );
}

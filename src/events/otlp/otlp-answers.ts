import { isRepeatingId, providerFamily } from '../provider-name.ts';
import { providerOf } from './otlp-call.ts';
import { type OtlpSpan, responseIdOf } from './otlp-spans.ts';

/**
 * Two ids of one provider are two answers. A gateway may have made one of them, and then names itself as the provider
 * or has another kind of id.
 */
export function areTwoAnswers(one: OtlpSpan, other: OtlpSpan): boolean {
  const [id, otherId] = [responseIdOf(one.attributes), responseIdOf(other.attributes)];
  if (typeof id !== 'string' || typeof otherId !== 'string' || id === otherId) return false;
  if (isRepeatingId(id) || isRepeatingId(otherId) || kindOfId(id) !== kindOfId(otherId))
    return false;
  const [provider, otherProvider] = [providerOf(one.attributes), providerOf(other.attributes)];
  if (typeof provider !== 'string' || typeof otherProvider !== 'string') return true;
  return providerFamily(provider) === providerFamily(otherProvider);
}

function kindOfId(id: string): string {
  return /^[a-z]+(?=[-_])/i.exec(id)?.[0] ?? '';
}

import { type PublicationParts, readPublished } from '../../seals/publication/publication.ts';
import { checkLaws, type LawParts } from './check-laws.ts';
import type { VerificationAnswer, VerificationRequest } from './verification-answer.ts';

/** Checks every law on the live database, and the chain against what was published of it. */
export async function verifyLedger(
  parts: LawParts & PublicationParts,
  { scope, against }: VerificationRequest,
): Promise<VerificationAnswer> {
  const published = against === null ? [] : await readPublished(parts, against);
  const laws = await checkLaws(parts, { scope, published });
  return {
    holds: laws.every((law) => law.violations.length === 0),
    scope,
    laws: laws.map((law) => ({ ...law, range: law.range ?? null })),
  };
}

import type { S3Parts } from '../../aws/s3-address.ts';
import type { ProgressPart } from '../../parts.ts';
import { readPublished } from '../../seals/publication/publication.ts';
import {
  type Published,
  type PublishedRestore,
  sealsToFind,
} from '../../seals/publication/published-seals.ts';
import { checkLaws, type LawParts } from './check-laws.ts';
import type { VerificationAnswer, VerificationRequest } from './verification-answer.ts';

/** Checks every law on the live database, and the chain against what was published of it. */
export async function verifyLedger(
  parts: LawParts & S3Parts & ProgressPart,
  { scope, against }: VerificationRequest,
): Promise<VerificationAnswer> {
  const published = against === null ? NOTHING : await readPublished(parts, against);
  const laws = await checkLaws(parts, { scope, published: sealsToFind(published) });
  const last = published.seals.at(-1);
  return {
    left_out: parts.checkStripe === null ? [NO_STRIPE] : [],
    against:
      against === null
        ? null
        : {
            place: against,
            seals: published.seals.length,
            last_seal: last === undefined ? null : String(last.seal),
            restores: published.restores.map(toRestore),
          },
    holds: laws.every((law) => law.violations.length === 0),
    scope,
    laws: laws.map((law) => ({ ...law, range: law.range ?? null })),
  };
}

const NOTHING: Published = { seals: [], restores: [] };

function toRestore({ from, reason, said_at, kept, lost }: PublishedRestore) {
  return {
    from,
    reason,
    said_at,
    kept_seal: kept === null ? null : String(kept.seal),
    lost: lost.map(({ day, seal }) => ({ day, seal: String(seal) })),
  };
}

const NO_STRIPE =
  'law 6, what Stripe counted: nobody could ask it, since STRIPE_API_KEY is not set';

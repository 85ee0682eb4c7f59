import { formatInstantOrNull } from '../clock.ts';
import { inTransaction } from '../database/database.ts';
import type { Parts } from '../parts.ts';
import type { IssuerAnswer, SetIssuerRequest } from './issuer-answer.ts';
import { type Issuer, readIssuer, saveIssuer } from './issuer-store.ts';
import { readLogo } from './logo.ts';

/** Says who sends the statements. Those of before are shown with it, too: it is read beside what is frozen. */
export async function setIssuer(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  request: SetIssuerRequest,
): Promise<IssuerAnswer> {
  if (request.logo !== undefined && request.logo !== '') readLogo(request.logo);
  const at = clock();
  return inTransaction(database, async (transaction) => {
    const before = await readIssuer(transaction);
    const given = Object.entries(request).map(([name, text]) => [name, text === '' ? null : text]);
    const issuer: Issuer = { ...before, ...Object.fromEntries(given), set_at: at };
    await saveIssuer(transaction, issuer, at);
    return tellIssuer(issuer);
  });
}

export async function showIssuer({ database }: Pick<Parts, 'database'>): Promise<IssuerAnswer> {
  return tellIssuer(await readIssuer(database));
}

function tellIssuer({ set_at: at, ...issuer }: Issuer): IssuerAnswer {
  return { ...issuer, set_at: formatInstantOrNull(at) };
}

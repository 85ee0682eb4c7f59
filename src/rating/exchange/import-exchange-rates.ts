import type { Parts } from '../../parts.ts';
import type { ExchangeAnswer, ExchangeListAnswer, ExchangeRequest } from './exchange-answer.ts';
import { insertExchangeRates, readExchangeRates } from './exchange-store.ts';

/** Stores dated rates, in their order; identical ones change nothing. Costs rated from then on are converted by them. */
export async function importExchangeRates(
  { database, clock }: Pick<Parts, 'database' | 'clock'>,
  { documents }: ExchangeRequest,
): Promise<ExchangeAnswer> {
  const versions: ExchangeAnswer[number][] = [];
  for (const document of documents) {
    const answer = await insertExchangeRates(database, document, clock());
    const { base, effective_from, source, rates } = document;
    versions.push({ base, effective_from, source, currencies: Object.keys(rates).length, answer });
  }
  return versions;
}

/** Every version of the rates, with its source. */
export async function listExchangeRates({
  database,
}: Pick<Parts, 'database'>): Promise<ExchangeListAnswer> {
  return readExchangeRates(database);
}

import { Refusal } from '../refusal.ts';

/**
 * Refuses a request that a browser says another site makes; what says nothing of where it comes
 * from is no browser's.
 */
export function refuseOtherSites(headers: Headers): void {
  const site = headers.get('sec-fetch-site') ?? 'same-origin';
  const origin = headers.get('origin');
  const host = headers.get('x-forwarded-host') ?? headers.get('host') ?? '';
  const isOurs = origin === null || (URL.canParse(origin) && new URL(origin).host === host);
  if ((site === 'same-origin' || site === 'none') && isOurs) return;
  throw new Refusal(
    'not_permitted',
    'the form was sent by a page of another site',
    'open the console itself, and send it from there',
  );
}

import { Refusal } from '../refusal.ts';

/** Browsers say where a request comes from; what says nothing of it is no browser's. */
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

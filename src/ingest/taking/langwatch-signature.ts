import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../clock.ts';

/** A delivery is tried again for three days; an older one is somebody's copy, and a day's clocks differ by less. */
const OLDEST_SECONDS = 73 * 60 * 60;
const AHEAD_SECONDS = 5 * 60;

/**
 * Tells whether LangWatch's gateway signed a body: `t=SECONDS,v1=HEX`, the HMAC-SHA256 of the
 * instant, a full stop and the bytes as they came.
 */
export function isSignedByLangwatch(
  header: string,
  body: Uint8Array,
  { clock, secret }: { readonly clock: Clock; readonly secret: string },
): boolean {
  const parts = header.split(',').map((part) => part.trim().split('='));
  const valuesOf = (name: string) => parts.flatMap(([key, value]) => (key === name ? [value] : []));
  const [instant = ''] = valuesOf('t');
  if (!/^\d{1,12}$/.test(instant)) return false;
  const age = clock() / 1000 - Number(instant);
  if (age > OLDEST_SECONDS || age < -AHEAD_SECONDS) return false;
  const signature = createHmac('sha256', secret).update(`${instant}.`).update(body).digest();
  return valuesOf('v1').some((given = '') => {
    const bytes = Buffer.from(given, 'hex');
    return bytes.length === signature.length && timingSafeEqual(bytes, signature);
  });
}

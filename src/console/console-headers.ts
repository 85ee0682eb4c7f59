/**
 * What every page of the console is sent with: it runs, styles and shows what this server has, sends forms to it
 * alone, and stands in nobody's frame.
 */
export function consoleHeaders(
  frameOrigins: readonly string[] = [],
): Readonly<Record<string, string>> {
  const ancestors = frameOrigins.length === 0 ? "'none'" : frameOrigins.join(' ');
  return {
    'content-security-policy': [
      "default-src 'none'",
      "style-src 'self'",
      "script-src 'self'",
      "img-src 'self' data:",
      "font-src 'self'",
      "connect-src 'self'",
      "form-action 'self'",
      "base-uri 'none'",
      `frame-ancestors ${ancestors}`,
    ].join('; '),
    ...(frameOrigins.length === 0 ? { 'x-frame-options': 'DENY' } : {}),
    ...PRIVATE,
  };
}

/** Nothing of a page is kept by caches, guessed at, or told to the next site. */
export const PRIVATE: Readonly<Record<string, string>> = {
  'cache-control': 'no-store',
  'referrer-policy': 'same-origin',
  'x-content-type-options': 'nosniff',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
};

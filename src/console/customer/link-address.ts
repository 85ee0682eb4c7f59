/**
 * Returns the address that a link opens; without its host where nobody said under which one
 * customers reach the server.
 */
export function linkAddress(key: string, publicUrl: string | null): string {
  return `${(publicUrl ?? '').replace(/\/+$/, '')}/usage/${key}`;
}

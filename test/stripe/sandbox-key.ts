/**
 * The key of a real sandbox; null where none is set, so that only the double is asked. Throws on a live
 * key, and on anything else: the contract suite makes and deletes objects.
 */
export function readSandboxKey(value = process.env['STRIPE_SANDBOX_KEY']): string | null {
  if (value === undefined || value === '') return null;
  if (/^[sr]k_test_/.test(value)) return value;
  throw new Error('STRIPE_SANDBOX_KEY must be a test key: this suite makes and deletes objects');
}

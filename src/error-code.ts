/**
 * Returns the code that the system or a library gave an error, such as `ENOENT`; empty where there
 * is none.
 */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

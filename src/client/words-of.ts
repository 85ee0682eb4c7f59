/** Returns what was thrown, in words; whatever it is, since anything may be thrown. */
export function wordsOf(error: unknown): string {
  try {
    return String(error);
  } catch {
    return 'something that cannot be written';
  }
}

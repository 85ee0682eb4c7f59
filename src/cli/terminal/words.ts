/** Writes a name from an answer, such as a state, as words for people. */
export function words(name: string): string {
  return name.replaceAll('_', ' ');
}

/** Five hues that differ in lightness too, then gray for the others together. */
export const SERIES_COLORS: readonly string[] = [
  '#3554d1',
  '#12a67c',
  '#f2a516',
  '#d6492a',
  '#8a4fc7',
  '#868e96',
];

/** The same hues for a dark page. */
export const DARK_SERIES_COLORS: readonly string[] = [
  '#6384ff',
  '#22bf92',
  '#f5b13d',
  '#f0704f',
  '#ab7ee6',
  '#98a1ab',
];

import { overviewPage } from './pages/overview.ts';
import type { ConsolePage } from './pages/page-asked.ts';

/** Every page of the console: adding a page is adding a row. */
export const PAGES: readonly ConsolePage[] = [overviewPage];

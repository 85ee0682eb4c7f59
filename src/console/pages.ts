import { actsPage } from './pages/acts.ts';
import { alertsPage } from './pages/alerts.ts';
import { backtestPage } from './pages/backtest.ts';
import { entryPage, eventPage } from './pages/entry.ts';
import { exportsPage } from './pages/exports.ts';
import { monthPage } from './pages/month.ts';
import { overviewPage } from './pages/overview.ts';
import type { ConsolePage } from './pages/page-asked.ts';
import { bookPage, pricesPage } from './pages/prices.ts';
import { quarantinedPage, quarantinePage } from './pages/quarantine.ts';
import { runPage } from './pages/run.ts';
import { runsPage } from './pages/runs.ts';
import { linePage, linesPage } from './pages/statement.ts';
import { tenantPage } from './pages/tenant.ts';
import { tenantsPage } from './pages/tenants.ts';
import { webhooksPage } from './pages/webhooks.ts';

/** Every page of the console: adding a page is adding a row. */
export const PAGES: readonly ConsolePage[] = [
  overviewPage,
  tenantsPage,
  tenantPage,
  runsPage,
  runPage,
  entryPage,
  eventPage,
  linesPage,
  linePage,
  monthPage,
  exportsPage,
  alertsPage,
  pricesPage,
  bookPage,
  backtestPage,
  quarantinePage,
  quarantinedPage,
  actsPage,
  webhooksPage,
];

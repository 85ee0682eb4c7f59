import { OLDEST_DAYS } from '../events/read-item.ts';
import { ReadingFolds } from '../ledger/rollups/reading-folds.ts';
import type { Parts } from '../parts.ts';
import { KeptDays } from '../reports/kept-days.ts';
import type { ApiParts } from './api-parts.ts';
import { buildApp } from './app.ts';
import type { AppOptions } from './app-options.ts';
import { type Listening, listenAt } from './listening.ts';
import { LoopLoad } from './loop-load.ts';

/** What is left out is off, and the load has the usual bounds. */
export interface HttpServerOptions
  extends Pick<AppOptions, 'webhook'>,
    Partial<Omit<AppOptions, 'parts' | 'webhook' | 'isDraining'>> {
  readonly parts: Parts & Partial<ApiParts>;
  readonly host: string;
  /** The port 0 takes one that is free. */
  readonly port: number;
}

/** The server while it runs. */
export type HttpServer = Listening;

/** Serves the API, the doors of producers, the webhook endpoint and health checks. Rejects when the port is taken. */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const state = { draining: false };
  const load = options.load ?? new LoopLoad();
  const parts = apiPartsOf(options.parts);
  const app = buildApp({
    pages: options.pages ?? null,
    parts,
    webhook: options.webhook,
    keeper: options.keeper ?? null,
    users: options.users ?? null,
    corsOrigins: options.corsOrigins ?? [],
    langwatchSecret: options.langwatchSecret ?? null,
    load,
    isDraining: () => state.draining,
  });
  const listening = await listenAt((request, bindings) => app.fetch(request, bindings), options);
  return {
    ...listening,
    async close() {
      state.draining = true;
      await listening.close();
      await parts.folds.ended();
      load.close();
    },
  };
}

/** Fills in the parts that are left out: they are off. */
export function apiPartsOf(parts: HttpServerOptions['parts']): ApiParts {
  return {
    reading: { litellmKey: null, oldestDays: OLDEST_DAYS },
    queue: 'the queue was not asked: none is configured',
    destinationFault: null,
    allowsPrivateWebhooks: false,
    stripeParts: null,
    folds: new ReadingFolds(parts),
    days: new KeptDays(),
    s3Endpoint: null,
    ...parts,
  };
}

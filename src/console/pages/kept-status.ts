import { type StatusAnswer, statusRequest } from '../../month/status/status-answer.ts';
import { tellStatus } from '../../month/status/tell-status.ts';
import type { KeptAnswer } from '../../reports/kept-answers.ts';
import { readRequest } from '../../request.ts';
import type { PageAsked } from './page-asked.ts';

/** How things stand, and what keeps months from being whole: one answer about everybody, which pages share. */
export function keptStatus({ parts, kept }: PageAsked): Promise<KeptAnswer<StatusAnswer>> {
  return kept.ask(['status'], () => tellStatus(parts, readRequest(statusRequest, { month: null })));
}

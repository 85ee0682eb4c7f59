import { hash } from 'node:crypto';

/** The groups that SQS accepts: up to 128 ASCII letters, digits and punctuation marks. */
const ALLOWED = /^[!-~]{1,128}$/;

/**
 * Returns the message group of a tenant. On a standard queue a group orders nothing; it tells SQS
 * whose a message is, so that the backlog of one tenant does not hold up the others (fair queues).
 */
export function messageGroupOf(tenantId: string): string {
  return ALLOWED.test(tenantId) ? tenantId : `sha256-${hash('sha256', tenantId, 'hex')}`;
}

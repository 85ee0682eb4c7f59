import type { WebhookParts } from '../../webhooks/webhook-parts.ts';
import type { Session } from './session.ts';

/** Returns the session's parts, with whether webhooks may go to private addresses. */
export function webhookParts(session: Session): ReturnType<Session['parts']> & WebhookParts {
  const { SPANLEDGER_WEBHOOK_PRIVATE: isPrivate } = session.config;
  return { ...session.parts(), allowsPrivateWebhooks: isPrivate === 'yes' };
}

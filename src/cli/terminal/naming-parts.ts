import type { NamingParts } from '../../budgets/name-as-kept.ts';
import { emailPolicy } from '../../events/read-settings.ts';
import type { Parts } from '../../parts.ts';
import type { Session } from './session.ts';

/** Opens the parts of what names a user as the events do. */
export function namingParts(session: Session): Parts & NamingParts {
  return { ...session.parts(), reading: { emails: emailPolicy(session.config) } };
}

import type { NamingParts } from '../../budgets/name-as-kept.ts';
import { emailPolicy, readModelMap } from '../../events/read-settings.ts';
import type { Parts } from '../../parts.ts';
import type { Session } from './session.ts';

/** Opens the parts of what names users and models as the events do. */
export function namingParts(session: Session): Parts & NamingParts {
  const { config } = session;
  const reading = { emails: emailPolicy(config), models: readModelMap(config) };
  return { ...session.parts(), reading };
}

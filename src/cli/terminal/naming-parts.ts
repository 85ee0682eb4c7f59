import type { NamingParts } from '../../budgets/name-as-kept.ts';
import { emailPolicy, readModelMap } from '../../events/read-settings.ts';
import type { Parts } from '../../parts.ts';
import type { Session } from './session.ts';

/** Opens the parts of what names users as the events do. */
export function namingParts(session: Session): Parts & NamingParts {
  return { ...session.parts(), reading: { emails: emailPolicy(session.config) } };
}

/** Opens the parts of what asks about a call, which names models as the events do, too. */
export function callParts(session: Session): Parts & NamingParts {
  const { reading, ...parts } = namingParts(session);
  return { ...parts, reading: { ...reading, models: readModelMap(session.config) } };
}

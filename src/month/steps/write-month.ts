import { writeStatements } from '../../statements/write-statements.ts';
import type { MonthRequest } from '../month-answer.ts';
import { done, type MonthParts, type StepOutcome } from '../month-step.ts';

/** Writes the statements of the closed periods to their folder. */
export async function writeMonth(parts: MonthParts, request: MonthRequest): Promise<StepOutcome> {
  const { folder, periods, endings } = await writeStatements(parts, request);
  return done(`${periods} statements in ${folder}, each as ${endings.join(', ')}`);
}

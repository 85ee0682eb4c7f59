import { present } from '../../present.ts';
import { writeStatements } from '../../statements/write-statements.ts';
import type { MonthRequest } from '../month-answer.ts';
import { done, type MonthParts, type StepOutcome } from '../month-step.ts';

/** Writes the statements of the closed periods to their folder. */
export async function writeMonth(
  parts: MonthParts,
  { folder: named, ...of }: MonthRequest,
): Promise<StepOutcome> {
  const request = { ...of, folder: present(named, 'a folder where this step is taken') };
  const { folder, periods, endings } = await writeStatements(parts, request);
  return done(`${periods} statements in ${folder}, each as ${endings.join(', ')}`);
}

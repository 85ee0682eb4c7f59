/**
 * Returns a value of which the code around it knows that it is there. Where that is wrong the fault
 * is ours, and it is thrown: an amount that is taken for nothing would be a wrong bill instead.
 */
export function present<Value>(value: Value | null | undefined, what: string): Value {
  if (value === null || value === undefined) throw new Error(`${what} is not there`);
  return value;
}

/** Lines of metrics as Prometheus reads them. */

export const PROMETHEUS = 'text/plain; version=0.0.4; charset=utf-8';

/** Writes a gauge of ours; what nobody knows is left out. */
export function gauge(name: string, help: string, value: number | null): readonly string[] {
  return value === null ? [] : single(`spanledger_${name}`, 'gauge', [help, value]);
}

export function single(
  name: string,
  type: string,
  [help, value]: readonly [string, number],
): readonly string[] {
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, `${name} ${value}`];
}

/** Writes one metric with a value for each of its labels. */
export function family(
  name: string,
  type: string,
  ...[help, values]: readonly [string, ReadonlyMap<string, number>]
): readonly string[] {
  const lines = [...values].map(([labels, value]) => `${name}{${labels}} ${value}`);
  return [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines];
}

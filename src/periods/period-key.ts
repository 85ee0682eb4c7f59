/** The key of one tenant's period in a map, or in what is kept about it. */
export function periodKey(of: { readonly tenantId: string; readonly periodStart: string }): string {
  return JSON.stringify([of.tenantId, of.periodStart]);
}

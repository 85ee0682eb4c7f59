/** How a call is asked about, in the server's own words. */
export type ReserveAsked = Readonly<Record<string, unknown>> & {
  readonly tenant_id: string;
  readonly hold_id: string;
};

import { z } from 'zod';
import { dayGiven, monthField } from '../fields.ts';

/** The entries that a report adds up: of a tenant, of a month, of days. */
export const reportScope = {
  /** It is null for every tenant. */
  tenant_id: z.string().nullable(),
  /** The month in which the periods begin, as statements have it; null for any. */
  month: monthField.nullable(),
  /** Whole UTC days, half-open; null for no bound. */
  from: dayGiven.nullable(),
  to: dayGiven.nullable(),
};

/** Real nesting is a handful of spans deep; the limits keep hostile traces from costing more than they are worth. */
export const MOST_STEPS_DEEP = 32;
export const MOST_OF_A_SPAN = 100;

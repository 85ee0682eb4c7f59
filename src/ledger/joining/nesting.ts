/** Real nesting is a handful of spans deep; the limits keep hostile traces from costing more than they are worth. */
export const MOST_STEPS_DEEP = 32;
export const MOST_OF_A_SPAN = 100;

/** A span `s` of the structure that stands between two others, each found by an index in either direction. */
export const IS_STEP = 's.span_id is not null and s.parent_span_id is not null';

import { readFileSync } from 'node:fs';

/** Loaded before a process: its clock is as many milliseconds off as a file says, which may change at any time. */
const file = process.env['SHIFTED_CLOCK_FILE'] ?? '';
const real = Date.now.bind(Date);
let shiftMs = 0;
let readAt = Number.NEGATIVE_INFINITY;

Date.now = () => {
  if (performance.now() - readAt > 50) {
    readAt = performance.now();
    shiftMs = Number(readFileSync(file, 'utf8')) || 0;
  }
  return real() + shiftMs;
};

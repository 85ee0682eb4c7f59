import { expect, it } from 'vitest';
import { FURTHER_UNITS, UNITS, unitOf } from '../src/units.ts';

it('names every unit once, and prices no two by the same rate', () => {
  expect(new Set(UNITS.map(({ name }) => name)).size).toBe(UNITS.length);
  expect(new Set(UNITS.map(({ price }) => `${price.per} ${price.rate}`)).size).toBe(UNITS.length);
});

it('keeps all but the four text units in the map of further units', () => {
  expect(UNITS.length - FURTHER_UNITS.length).toBe(4);
});

it('finds what a unit is a part of, falls back to, and is charged as among the units of its side', () => {
  for (const unit of UNITS) {
    for (const other of [unit.partOf, unit.fallback, unit.workDone]) {
      if (other !== null) expect(unitOf(other).side, unit.name).toBe(unit.side);
    }
  }
});

it('leaves audio, generated pictures and what is no token without a fallback', () => {
  const without = UNITS.filter(({ fallback }) => fallback === null).map(({ name }) => name);
  expect(without).toEqual([
    'input_tokens',
    'output_tokens',
    'input_audio_tokens',
    'output_audio_tokens',
    'output_image_tokens',
    'output_video_tokens',
    ...['images', 'audio_ms', 'video_ms', 'characters', 'pages', 'searches', 'search_units'],
  ]);
});

import { expect, it } from 'vitest';
import { watchAnswers } from '../../src/push/answer-watch.ts';
import { Refusal } from '../../src/refusal.ts';

const away = (what: string) =>
  new Refusal('unavailable', `no answer about ${what}`, 'run it again');

it('one question without an answer is named, and ends nothing while others are answered', () => {
  const answers = watchAnswers();
  for (let round = 0; round < 20; round += 1) {
    expect(answers.unanswered(away('acme'))).toBe('no answer about acme');
    answers.answered();
  }
  expect(() => answers.end()).not.toThrow();
});

it('after eight in a row nobody is asked any more', () => {
  const answers = watchAnswers();
  answers.answered();
  for (let times = 1; times < 8; times += 1) answers.unanswered(away('one'));
  expect(() => answers.unanswered(away('the eighth'))).toThrow('no answer about the eighth');
});

it('where there was no answer at all, the first lack of one is said at the end', () => {
  const answers = watchAnswers();
  answers.unanswered(away('acme'));
  answers.unanswered(away('bolt'));
  expect(() => answers.end()).toThrow('no answer about acme');
});

it('what is no lack of an answer is thrown as it is', () => {
  const refused = new Refusal('conflict', 'no', 'else');
  expect(() => watchAnswers().unanswered(refused)).toThrow(refused);
});

import { expect, it } from 'vitest';
import { watchAnswers } from '../../src/push/answer-watch.ts';
import { EveryTenantRefused } from '../../src/push/destination.ts';
import { Refusal } from '../../src/refusal.ts';

const away = (what: string) =>
  new Refusal('unavailable', `no answer about ${what}`, 'run it again');

it('one question without an answer is named, and ends nothing while others are answered', () => {
  const answers = watchAnswers();
  for (let round = 0; round < 20; round += 1) {
    expect(answers.reasonOf(away('acme'))).toBe('no answer about acme');
    answers.answered();
  }
  expect(() => answers.end()).not.toThrow();
});

it('after eight in a row nobody is asked any more', () => {
  const answers = watchAnswers();
  answers.answered();
  for (let times = 1; times < 8; times += 1) answers.reasonOf(away('one'));
  expect(() => answers.reasonOf(away('the eighth'))).toThrow('no answer about the eighth');
});

it('where there was no answer at all, the first lack of one is said at the end', () => {
  const answers = watchAnswers();
  answers.reasonOf(away('acme'));
  answers.reasonOf(away('bolt'));
  expect(() => answers.end()).toThrow('no answer about acme');
});

it('what is refused of one is an answer, so that somebody is there', () => {
  const answers = watchAnswers();
  for (let round = 0; round < 20; round += 1) {
    answers.reasonOf(away('acme'));
    expect(answers.reasonOf(new Refusal('not_found', 'no such customer', 'else'))).toBe(
      'no such customer',
    );
  }
  expect(() => answers.end()).not.toThrow();
});

it('what would be refused for every tenant is thrown as it is, as a fault of ours is', () => {
  for (const error of [new EveryTenantRefused('not_permitted', 'no', 'else'), new TypeError('x')]) {
    expect(() => watchAnswers().reasonOf(error)).toThrow(error);
  }
});

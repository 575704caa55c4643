import { describe, expect, it } from 'vitest';
import type { CertificationResult } from '../../../src/contract/resources.ts';
import { inputCard, verdictOf } from '../../../src/report/input-card.ts';
import {
  aCertificate,
  aFailure,
  aModel,
  anAbstention,
  aResult,
  aWrongResult,
} from '../../support/certification-samples.ts';

const PICTURES = { clean: 'data:image/png;base64,AAAA', noisy: 'data:image/png;base64,BBBB' };

function card(result: CertificationResult, changes: { source?: string; noisy?: null } = {}): string {
  const pictures = changes.noisy === null ? { ...PICTURES, noisy: null } : PICTURES;
  const input = { result, pictures, source: changes.source ?? 'test set' };
  return inputCard(input, aModel(), 2).toString();
}

/** The text of a card as a person reads it. */
const textOf = (markup: string): string =>
  markup
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ')
    .trim();

describe('verdictOf', () => {
  it.each([
    ['correct', aResult()],
    ['correct', aResult({ reference: null })],
    ['wrong', aWrongResult()],
    ['abstained', anAbstention()],
    ['failed', aFailure()],
    ['failed', aResult({ status: 'cancelled', outcome: null })],
  ])('%s', (verdict, result) => expect(verdictOf(result)).toBe(verdict));
});

describe('inputCard', () => {
  it('shows class, radius, bound, votes and the runner-up', () => {
    const text = textOf(card(aResult()));
    expect(text).toContain('one certified');
    expect(text).toContain('certified radius 1.0986');
    expect(text).toContain('at least 0.986000');
    expect(text).toContain('votes for it 9,900 of 10,000');
    expect(text).toContain('runner-up 70 for two');
  });

  it('shows both pictures', () => {
    const markup = card(aResult());
    expect(markup).toContain('src="data:image/png;base64,AAAA"');
    expect(markup).toContain('src="data:image/png;base64,BBBB"');
  });

  it('has a bar in the share of the largest possible radius', () => {
    expect(card(aResult({ certifiedRadius: 0.5 }))).toContain('width: 25.0%'.replace(' ', ''));
  });

  it('an abstention has no prediction and no radius, but its votes', () => {
    const markup = card(anAbstention());
    const text = textOf(markup);
    expect(markup).toContain('abstained');
    expect(text).toContain('No prediction abstained');
    expect(text).toContain('certified radius none');
    expect(text).toContain('selected class one');
    expect(text).toContain('votes for it 4,200 of 10,000');
    expect(text).toContain('runner-up 4,100 for two');
    expect(markup).toContain('width:0.0%');
  });

  it('says that a certified class is wrong', () => {
    const text = textOf(card(aWrongResult()));
    expect(text).toContain('one certified, but wrong');
    expect(text).toContain('label two');
  });

  it('says why an input failed, without a noisy picture', () => {
    const markup = card(aFailure(), { noisy: null });
    expect(textOf(markup)).toContain('reason not a picture');
    expect(markup.match(/<img/g)).toHaveLength(1);
  });

  it('does without votes for another class', () => {
    const unanimous = aResult({ votes: { '1': 10_000 }, topCount: 10_000 });
    expect(textOf(card(unanimous))).toContain('runner-up none');
  });

  it('rounds down', () => {
    const result = aResult({
      certifiedRadius: 1.098_69,
      pALowerBound: 0.986_000_9,
      certificate: aCertificate({ certifiedRadius: 1.098_69 }),
    });
    const text = textOf(card(result));
    expect(text).toContain('1.0986');
    expect(text).toContain('0.986000');
  });

  it('escapes what others have named', () => {
    const evil = '"><script>alert(1)</script>';
    const model = aModel({ output: { classes: 3, labels: ['zero', evil, 'two'] } });
    const result = aResult({ inputId: evil, prediction: { class: 1, label: evil } });
    const markup = inputCard({ result, pictures: PICTURES, source: evil }, model, 2).toString();
    expect(markup).not.toContain('<script');
    expect(markup).toContain('&quot;&gt;&lt;script&gt;');
  });
});

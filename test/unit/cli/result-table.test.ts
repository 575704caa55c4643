import { describe, expect, it } from 'vitest';
import {
  certificationTable,
  predictionTable,
  predictionText,
  reproductionTable,
} from '../../../src/cli/result-table.ts';
import {
  aFailure,
  aModel,
  anAbstention,
  aPrediction,
  aReproduction,
  aResult,
  aWrongResult,
} from '../../support/certification-samples.ts';

/** The cells of a table, row by row, without its lines. */
const cells = (table: string): string[][] =>
  table
    .split('\n')
    .filter((line) => line.startsWith('│'))
    .map((line) =>
      line
        .split('│')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

describe('reproductionTable', () => {
  it('shows the votes and what they would say, and has no column of a claim', () => {
    const [head, row] = cells(reproductionTable([aReproduction()], aModel(), 10_000));
    expect(head).toEqual(['image', 'outcome', 'class with most votes', 'the earlier result says', 'votes']);
    expect(row).toEqual(['one.png', 'reproduced', 'one', 'certified, radius 1.0986', '9,900 of 10,000']);
  });

  it('shows a failure as such', () => {
    const [, row] = cells(reproductionTable([aFailure()], aModel(), 10_000));
    expect(row).toEqual(['broken.png', 'failed: not a picture', '–', '–', '–']);
  });
});

describe('certificationTable', () => {
  it('shows image, label, prediction, radius, bound and votes', () => {
    const [head, row] = cells(certificationTable([aResult()], aModel(), 10_000));
    expect(head).toEqual(['image', 'label', 'prediction', 'radius', 'p_A at least', 'votes for it']);
    expect(row).toEqual(['one.png', 'one', 'one', '1.0986', '0.986000', '9,900 of 10,000']);
  });

  it('rounds radius and bound down', () => {
    const result = aResult({ certifiedRadius: 1.098_69, pALowerBound: 0.986_000_9 });
    const [, row] = cells(certificationTable([result], aModel(), 10_000));
    expect(row?.slice(3, 5)).toEqual(['1.0986', '0.986000']);
  });

  it('an abstention has no class and no radius, but its votes', () => {
    const [, row] = cells(certificationTable([anAbstention()], aModel(), 10_000));
    expect(row).toEqual(['hard.png', 'one', 'abstained', '–', '0.404900', '4,200 of 10,000']);
  });

  it('a failure says why', () => {
    const [, row] = cells(certificationTable([aFailure()], aModel(), 10_000));
    expect(row).toEqual(['broken.png', 'one', 'failed: not a picture', '–', '–', '–']);
  });

  it('marks a certified class that is not the label', () => {
    const [, row] = cells(certificationTable([aWrongResult()], aModel(), 10_000));
    expect(row?.slice(1, 4)).toEqual(['two', 'one (wrong)', '1.0986']);
  });

  it('does without a label, and with one that the model has no name for', () => {
    const unlabelled = aResult({ reference: null });
    const unnamed = aResult({ reference: { label: 9, correct: false } });
    const rows = cells(certificationTable([unlabelled, unnamed], aModel(), 10_000));
    expect(rows[1]?.[1]).toBe('–');
    expect(rows[2]?.[1]).toBe('9');
  });

  it('has no colours, so that a file can be read', () => {
    expect(certificationTable([aResult()], aModel(), 10_000)).not.toContain('\u001b');
  });
});

describe('predictionTable', () => {
  it('shows the p-value instead of a radius', () => {
    const [head, row] = cells(predictionTable([aPrediction()], aModel(), 1_000));
    expect(head).toEqual(['image', 'label', 'prediction', 'p-value', 'votes for it']);
    expect(row).toEqual(['one.png', '–', 'one', '1.24e-20', '990 of 1,000']);
  });

  it('an abstention is one', () => {
    const abstained = aPrediction({ outcome: 'abstained', prediction: null, pValue: 0.4 });
    expect(cells(predictionTable([abstained], aModel(), 1_000))[1]?.[2]).toBe('abstained');
  });
});

describe('predictionText', () => {
  it.each(['pending', 'cancelled'] as const)('an input that is %s says so', (status) => {
    expect(predictionText(aResult({ status, outcome: null, prediction: null }))).toBe(status);
  });
});

import { describe, expect, it } from 'vitest';
import type { Report } from '../../../src/report/facts.ts';
import { summarise } from '../../../src/report/summary.ts';
import { renderReport } from '../../../src/report/report.ts';
import {
  aFailure,
  aJob,
  aModel,
  anAbstention,
  aResult,
  aWrongResult,
  DIGEST,
  SEED,
} from '../../support/certification-samples.ts';

const EVIL = '</style><script>alert("x")</script><img src=x onerror=alert(1)>';

function aReport(
  changes: Partial<Report> = {},
  results = [aResult(), aWrongResult(), anAbstention()],
): Report {
  const job = changes.job ?? aJob();
  const inputs = results.map((result) => ({
    result,
    pictures: { clean: 'data:image/png;base64,AAAA', noisy: null },
    source: 'test set',
  }));
  const summary = summarise(job, results);
  return {
    model: aModel(),
    job,
    summary,
    results,
    inputs,
    command: 'smoothcert certify --seed 00',
    ...changes,
  };
}

const textOf = (page: string): string =>
  page
    .replaceAll(/<style>[^]*?<\/style>/g, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll(/\s+/g, ' ');

describe('renderReport', () => {
  const page = renderReport(aReport());
  const text = textOf(page);

  it('is one page of HTML in British English', () => {
    expect(page).toMatch(/^<!doctype html>\s*<html lang="en-GB">/i);
    expect(page.trim().endsWith('</html>')).toBe(true);
    expect(page).toMatch(/<meta charset="utf-8" ?\/>/);
  });

  it('loads nothing, and forbids it', () => {
    expect(page).not.toMatch(/<script|<link|<iframe|@import|url\(/);
    expect(page).not.toMatch(/https?:/);
    expect(page).toContain('default-src &#39;none&#39;; img-src data:; style-src &#39;unsafe-inline&#39;');
  });

  it('counts what was decided, each input once', () => {
    expect(text).toContain('3 images');
    expect(text).toContain('1 certified and correct');
    expect(text).toContain('1 certified, but wrong');
    expect(text).toContain('1 abstained');
    expect(text).not.toContain('failed ');
  });

  it('states parameters, digest, seed, engine and versions', () => {
    for (const fact of [
      DIGEST,
      SEED,
      'digits 1.2.3 (onnx)',
      'onnxruntime-node 1.30.0, cpu',
      'smoothcert 0.1.0',
    ]) {
      expect(text).toContain(fact);
    }
    expect(text).toContain('σ = 0.5 in pixel units');
    expect(text).toContain('n = 10,000 others');
    expect(text).toContain('α = 0.001 for each image');
    expect(text).toContain('rounded-gaussian/1, total variation from the exact Gaussian at most 1.50e-23');
    expect(text).toContain('smoothcert certify --seed 00');
  });

  it('says who drew the seed', () => {
    expect(text).toContain('drawn by the server after the request');
  });

  it('says when it was made and how fast', () => {
    expect(text).toContain('2026-01-02 at 03:04 UTC, in 10.0 s at 25,000 samples a second');
  });

  it('says what the average is taken over: the correct one over all three', () => {
    expect(text).toMatch(/0\.3662 average certified radius/);
  });

  it('counts failures, and lives with nothing but failures', () => {
    const failed = textOf(renderReport(aReport({}, [aFailure(), aFailure()])));
    expect(failed).toContain('2 failed');
    expect(failed).not.toMatch(/NaN|undefined|Infinity/);
    expect(failed).not.toContain('noise scheme');
  });

  it('claims no accuracy of images without labels', () => {
    const unlabelled = textOf(
      renderReport(aReport({}, [aResult({ reference: null }), anAbstention({ reference: null })])),
    );
    expect(unlabelled).toContain('Share certified');
    expect(unlabelled).not.toMatch(/accuracy at|certified and correct|but wrong/i);
    expect(unlabelled).toContain('they have no labels');
  });

  it('says how many images the numbers are of where it shows fewer', () => {
    const all = aReport();
    const fewer = textOf(renderReport({ ...all, inputs: all.inputs.slice(0, 1) }));
    expect(fewer).toContain('1 of 3: what failed, is wrong or abstains first');
    expect(fewer).toContain('1 certified, but wrong');
    expect(text).not.toContain('abstains first');
  });

  it('names the two-sided bound', () => {
    const job = aJob({ parameters: { ...aJob().parameters, bound: 'pA-pB' } });
    expect(textOf(renderReport(aReport({ job })))).toContain('Clopper-Pearson on p_A and on the next class');
  });

  it('escapes text from anywhere', () => {
    const model = aModel({ name: EVIL, version: EVIL, output: { classes: 3, labels: [EVIL, EVIL, EVIL] } });
    const job = aJob({ id: EVIL, model: { name: EVIL, version: EVIL, digest: EVIL } });
    const results = [
      aResult({ inputId: EVIL, prediction: { class: 1, label: EVIL } }),
      aFailure({ error: { code: 'sampling_failed', detail: EVIL } }),
    ];
    const hostile = renderReport(aReport({ model, job, command: EVIL }, results));
    expect(hostile).not.toContain('<script');
    expect(hostile).not.toContain('<img src=x');
    expect(hostile.match(/<\/style>/g)).toHaveLength(3);
    expect(hostile).toContain('&lt;script&gt;');
  });
});

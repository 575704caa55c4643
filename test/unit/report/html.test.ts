import { describe, expect, it } from 'vitest';
import { html as markup } from '../../../src/report/html.ts';

// By another name, since formatters rewrite the text of templates that are called html.
describe('html', () => {
  it('escapes every character that is markup', () => {
    expect(markup`<b title="${`"'`}">${'<script>&'}</b>`.toString()).toBe(
      '<b title="&quot;&#39;">&lt;script&gt;&amp;</b>',
    );
  });

  it('escapes once: text that looks escaped is text', () => {
    expect(markup`${'&lt;'}`.toString()).toBe('&amp;lt;');
  });

  it('keeps markup that it made itself, alone and in lists', () => {
    const items = ['a', '<b>'].map((text) => markup`<li>${text}</li>`);
    expect(markup`<ul>${items}</ul>${markup`<hr>`}`.toString()).toBe(
      '<ul><li>a</li><li>&lt;b&gt;</li></ul><hr>',
    );
  });

  it('does not take an object with a toString for markup', () => {
    const impostor = { toString: () => '<script>' } as unknown as string;
    expect(() => markup`${impostor}`.toString()).toThrow(TypeError);
  });

  it('writes numbers, and nothing for null and for an empty list', () => {
    expect(markup`${1.5}|${null}|${0}|${[]}`.toString()).toBe('1.5||0|');
  });

  it('leaves escapes of its own template as they are meant', () => {
    expect(markup`a\tb`.toString()).toBe('a\tb');
  });
});

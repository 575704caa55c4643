import { describe, expect, it } from 'vitest';
import { parseLabels, readLabels } from '../../../src/cli/labels.ts';

describe('readLabels', () => {
  it.each([
    ['a heading in any order and case', 'Label,source,File\ncat,x,a.png\n3,y,"b, c.png"\n'],
    ['no heading', 'a.png,cat\n"b, c.png",3\n'],
    [
      'a byte order mark, carriage returns, spaces and empty lines',
      '\uFEFFa.png , cat\r\n\r\n"b, c.png", 3\r\n',
    ],
  ])('reads CSV with %s', (_what, text) => {
    expect(readLabels(text)).toEqual([
      { file: 'a.png', label: 'cat' },
      { file: 'b, c.png', label: '3' },
    ]);
  });

  it.each([
    ['file,label\n', 'has no entry'],
    ['', 'has no entry'],
    ['a.png\n', 'line 1 must have a file and its label'],
    ['file,label\na.png,1\nb.png,\n', 'line 3 must have'],
    ['a.png,1\na.png,2\n', 'a.png has two labels: 1 and 2'],
    ['[{"file":"a","label":1},{"file":"a","label":2}]', 'a has two labels'],
    ['a.png,"1\n', 'Quote'],
  ])('refuses %j and says where', (text, where) => {
    expect(() => readLabels(text)).toThrow(where);
  });
});

describe('parseLabels', () => {
  it.each([
    ['{}', 'list'],
    ['[{}]', 'entry 0'],
    ['[{"file":"a","label":1},{"file":"b","label":"1"}]', 'entry 1'],
    ['[{"file":"a","label":-1}]', 'entry 0'],
    ['[{"file":"a","label":1.5}]', 'entry 0'],
    ['[null]', 'entry 0'],
  ])('refuses %s and says where', (text, where) => {
    expect(() => parseLabels(text)).toThrow(where);
  });

  it('reads what the examples have', () => {
    expect(parseLabels('[{"file":"a.png","label":0,"source":"test set"}]')).toEqual([
      { file: 'a.png', label: 0, source: 'test set' },
    ]);
  });
});

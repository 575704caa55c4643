import { parse } from 'csv-parse/sync';

/** An entry of a list of labels: a file beside the list, and its class. */
export interface LabelEntry {
  readonly file: string;
  /** The number of the class, or a text that is the number or the name of one. */
  readonly label: number | string;
  readonly source?: string;
}

/** Names that a CSV file gives its columns, where its first line is a heading. */
const FILE_HEADINGS = ['file', 'filename', 'path', 'image'];
const LABEL_HEADINGS = ['label', 'class', 'target'];

/**
 * Reads a list of labels: JSON `[{ "file", "label" }]`, or CSV (RFC 4180) with the file first and the label second, or with
 * a heading that names the two.
 *
 * @throws Error that says which entry is wrong
 */
export function readLabels(text: string): LabelEntry[] {
  const entries = /^\s*[[{]/.test(text) ? parseLabels(text) : parseCsv(text);
  const labels = new Map<string, LabelEntry['label']>();
  for (const { file, label } of entries) {
    const before = labels.get(file);
    if (before !== undefined && before !== label)
      throw new Error(`${file} has two labels: ${before} and ${label}`);
    labels.set(file, label);
  }
  return entries;
}

/** The entries of a `labels.json`. @throws Error that says which entry is wrong */
export function parseLabels(text: string): (LabelEntry & { readonly label: number })[] {
  const value: unknown = JSON.parse(text);
  if (!Array.isArray(value)) throw new Error('must be a list of { "file", "label" }');
  return value.map((entry: Partial<LabelEntry> | null, index) => {
    const { file, label } = entry ?? {};
    if (typeof file !== 'string' || !Number.isInteger(label) || Number(label) < 0) {
      throw new Error(`entry ${index} must have a file and a class number as its label`);
    }
    return entry as LabelEntry & { readonly label: number };
  });
}

function parseCsv(text: string): LabelEntry[] {
  const rows: string[][] = parse(text, {
    bom: true,
    trim: true,
    skip_empty_lines: true,
    relax_column_count: true,
  });
  const heading = (rows[0] ?? []).map((name) => name.toLowerCase());
  const [file, label] = [FILE_HEADINGS, LABEL_HEADINGS].map((names) =>
    heading.findIndex((name) => names.includes(name)),
  );
  const hasHeading = file! >= 0 && label! >= 0;
  const [fileColumn, labelColumn] = hasHeading ? [file!, label!] : [0, 1];
  const entries = hasHeading ? rows.slice(1) : rows;
  if (entries.length === 0) throw new Error('has no entry: each line is a file and its label');
  return entries.map((row, index) => {
    const [name, of] = [row[fileColumn], row[labelColumn]];
    if (!name || !of) throw new Error(`line ${index + (hasHeading ? 2 : 1)} must have a file and its label`);
    return { file: name, label: of };
  });
}

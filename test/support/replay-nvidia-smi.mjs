// Prints what nvidia-smi printed elsewhere: `node replay-nvidia-smi.mjs <recording> [arguments of nvidia-smi]`.
// Of recorded rows it prints the columns that are asked for, as `--format=csv,noheader,nounits` does.
import { readFileSync } from 'node:fs';

const [, , recording, ...args] = process.argv;
const { list, rows, status = 0, stderr = '' } = JSON.parse(readFileSync(recording, 'utf8'));
const query = args.find((argument) => argument.startsWith('--query-gpu='));

function lines() {
  if (query === undefined) return list;
  const fields = query.slice('--query-gpu='.length).split(',');
  const unknown = fields.find((field) => rows.some((row) => isRow(row) && !(field in row)));
  if (unknown !== undefined) {
    process.exitCode = 2;
    return [`Field "${unknown}" is not a valid field to query.`, ''];
  }
  return rows.map((row) => {
    if (typeof row === 'string') return row;
    const values = fields.map((field) => (isRow(row) ? row[field] : row.every));
    return values.map((value) => value.replace(/ (MiB|%|W)$/, '')).join(', ');
  });
}

function isRow(row) {
  return typeof row === 'object' && 'uuid' in row;
}

if (query === undefined && args[0] !== '-L') throw new Error(`not recorded: ${args.join(' ')}`);
process.exitCode = status;
process.stdout.write(`${lines().join('\n')}\n`);
process.stderr.write(stderr);

// Writes models/manifest.schema.json, the published JSON Schema of a model's manifest, from the one that manifests are
// checked with. Run it after a build: node scripts/write-manifest-schema.mjs
import { writeFile } from 'node:fs/promises';
import { ManifestSchema } from '../dist/models/manifest-schema.js';

const file = new URL('../models/manifest.schema.json', import.meta.url);
await writeFile(file, `${JSON.stringify(ManifestSchema, null, 2)}\n`);

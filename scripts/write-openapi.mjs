// Writes the OpenAPI document of the API that was built into dist/. Usage: npm run openapi
import { mkdir, writeFile } from 'node:fs/promises';
import { openapiDocument } from '../dist/main/openapi.js';

const folder = new URL('../openapi/', import.meta.url);
await mkdir(folder, { recursive: true });
await writeFile(new URL('openapi.json', folder), `${JSON.stringify(await openapiDocument(), null, 2)}\n`);

import { Type } from 'typebox';
import { Sha256 } from '../../contract/building-blocks.ts';
import type { Claim } from '../idempotency.ts';
import { storedFormat } from './format.ts';

/** What a client's idempotency key stands for. */
export const claimFormat = storedFormat<Claim>({
  what: 'what an idempotency key stands for',
  version: 1,
  schema: Type.Object({ id: Type.String(), fingerprint: Sha256 }, { additionalProperties: false }),
});

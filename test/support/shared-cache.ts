import { fileURLToPath } from 'node:url';

/** SMOOTHCERT_CACHE_DIR of everything that tests start; ignored by git, and safe to fill from several test files at once. */
export const SHARED_CACHE = fileURLToPath(new URL('../../.redis', import.meta.url));

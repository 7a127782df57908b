// A build starts on empty ground: a file that was renamed leaves no old twin in dist/.
import { rmSync } from 'node:fs';

rmSync(new URL('../dist', import.meta.url), { recursive: true, force: true });

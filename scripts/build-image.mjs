// Builds the container image of ops/docker/Dockerfile: packs dist/ and the packages that running needs, and nothing else,
// into a directory of its own, and hands that to `docker build`. Usage: npm run image -- [TAG], `drystone` unless given.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const tag = process.argv[2] ?? 'drystone';
if (!existsSync('dist/cli/main.js')) {
  console.error('there is nothing to pack; build it by `npm ci`');
  process.exit(1);
}
const context = mkdtempSync(join(tmpdir(), 'drystone-image-'));
try {
  for (const name of ['package.json', 'package-lock.json', 'dist'])
    cpSync(name, join(context, name), { recursive: true });
  // Without scripts: `prepare` would build again, and what is native comes ready from npm.
  execFileSync('npm', ['ci', '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund'], {
    cwd: context,
    stdio: 'inherit',
  });
  execFileSync('docker', ['build', '--tag', tag, '--file', 'ops/docker/Dockerfile', context], { stdio: 'inherit' });
} finally {
  rmSync(context, { recursive: true, force: true });
}

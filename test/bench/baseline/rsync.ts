import { execFile, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { setTimeout as sleep } from 'node:timers/promises';

const MODULE = 'bench';
const STARTUP_ATTEMPTS = 100;

/** rsync's daemon on loopback, with one directory that it receives into. */
export interface RsyncPeer {
  /** Makes what the daemon holds below `name` the same as `source`. */
  copy(source: string, name: string, args?: readonly string[]): Promise<void>;
  end(): Promise<void>;
}

/** The peer, or why there is none. */
export async function startRsync(dir: string): Promise<RsyncPeer | 'not installed'> {
  if (spawnSync('rsync', ['--version']).status !== 0) return 'not installed';
  const target = join(dir, 'rsync-target');
  mkdirSync(target, { recursive: true });
  const config = join(dir, 'rsyncd.conf');
  const port = await freePort();
  // A daemon that root starts would otherwise write as nobody.
  const ids = process.getuid?.() === 0 ? 'uid = 0\ngid = 0\n' : '';
  writeFileSync(config, `use chroot = no\n${ids}[${MODULE}]\npath = ${target}\nread only = no\n`);
  const args = ['--daemon', '--no-detach', `--config=${config}`, `--port=${port}`, '--address=127.0.0.1'];
  const daemon = spawn('rsync', args, { stdio: 'ignore' });
  const run = promisify(execFile);
  const url = `rsync://127.0.0.1:${port}/${MODULE}/`;
  for (let attempt = 0; ; attempt++) {
    try {
      await run('rsync', [url]);
      break;
    } catch (thrown) {
      if (attempt === STARTUP_ATTEMPTS) throw thrown;
      await sleep(20);
    }
  }
  return {
    async copy(source, name, more = []) {
      mkdirSync(join(target, name), { recursive: true });
      await run('rsync', ['-a', ...more, `${source}/`, `${url}${name}/`]);
    },
    async end() {
      daemon.kill('SIGTERM');
      await new Promise((resolve) => (daemon.exitCode === null ? daemon.once('close', resolve) : resolve(undefined)));
    },
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}

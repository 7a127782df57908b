import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect as connectTcp, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { parseHostPort } from '../../../common/address.js';
import type { HeldIdentity } from '../../../common/identity/held-identity.js';
import type { DeviceIdentity } from '../../../common/identity/identity.js';
import { TestEnrollment, type TestCaller } from '../metadata/callers.js';

const PROGRAM = fileURLToPath(new URL('./serve-metadata.mjs', import.meta.url));

/** A metadata service in a process of its own, which says how much it holds, and all means to plague it. */
export class MetadataProcess {
  readonly #plagues: (() => void)[] = [];

  private constructor(
    readonly dir: string,
    readonly child: ChildProcess,
    readonly address: string,
    readonly enrollment: TestEnrollment,
    readonly administrator: TestCaller<DeviceIdentity>,
  ) {}

  static async start(): Promise<MetadataProcess> {
    const dir = mkdtempSync(join(tmpdir(), 'drystone-metadata-'));
    const child = fork(PROGRAM, [dir], { execArgv: ['--expose-gc'], stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    const [{ address, adminTokenFile }] = (await once(child, 'message')) as [
      { address: string; adminTokenFile: string },
    ];
    const enrollment = new TestEnrollment(address, dir);
    const token = readFileSync(adminTokenFile, 'utf8').trim();
    const administrator = (await enrollment.join(token)) as TestCaller<DeviceIdentity>;
    return new MetadataProcess(dir, child, address, enrollment, administrator);
  }

  /** What it holds, heap and buffers, after a full garbage collection: bytes. */
  async heldBytes(): Promise<number> {
    this.child.send('how much?');
    const [{ heldBytes }] = (await once(this.child, 'message')) as [{ heldBytes: number }];
    return heldBytes;
  }

  /** A new device of the administrator's account. */
  async device(): Promise<TestCaller<DeviceIdentity>> {
    const { access } = this.administrator.calls;
    const { token } = await access.issueDeviceToken({
      account: this.administrator.identity.account,
      validSeconds: 0,
    });
    return (await this.enrollment.join(token)) as TestCaller<DeviceIdentity>;
  }

  /** That it still does its work, for those who do theirs. */
  async serves({ calls } = this.administrator): Promise<void> {
    await calls.account.getAssignments({ namespaceName: '' });
  }

  /** A bare connection, from this address of the loopback. Its errors are swallowed: `closed` says when it is gone. */
  tcp(localAddress = '127.0.0.1'): { readonly socket: Socket; readonly closed: Promise<void> } {
    const { host, port } = parseHostPort('address', this.address);
    const socket = connectTcp({ host, port, localAddress });
    socket.on('error', () => undefined);
    this.#plagues.push(() => socket.destroy());
    return { socket, closed: new Promise((resolve) => socket.once('close', () => resolve())) };
  }

  /** A TLS connection over a bare one, as whoever holds this; without, one that shows no certificate. */
  async tls(held?: HeldIdentity, localAddress?: string): Promise<TLSSocket> {
    const { socket } = this.tcp(localAddress);
    await once(socket, 'connect');
    const secured = connectTls({
      socket,
      ca: this.enrollment.trustedPem,
      ALPNProtocols: ['h2'],
      checkServerIdentity: () => undefined,
      ...(held === undefined ? {} : { cert: held.credential.certificateChain, key: privateKeyPem(held) }),
    });
    secured.on('error', () => undefined);
    await once(secured, 'secureConnect');
    return secured;
  }

  /** HTTP/2 over that, under the sender's own control. */
  async http2(held?: HeldIdentity, localAddress?: string): Promise<ClientHttp2Session> {
    const socket = await this.tls(held, localAddress);
    const session = connectHttp2(`https://${this.address}`, { createConnection: () => socket });
    session.on('error', () => undefined);
    return session;
  }

  async stop(): Promise<void> {
    for (const end of this.#plagues) end();
    this.enrollment.close();
    this.child.kill('SIGKILL');
    await once(this.child, 'exit');
    rmSync(this.dir, { recursive: true, force: true });
  }
}

function privateKeyPem({ privateKey }: HeldIdentity): string {
  return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
}

import { createServer } from 'node:net';
import { parseHostPort } from '../address.js';
import { listenFailure } from '../errors.js';

/**
 * Finds out whether HOST:PORT can be listened at, before anything is done that cannot be undone. `setting` is how whoever chose
 * the address calls it. Raises FAILED_PRECONDITION (PORT_IN_USE, ADDRESS_UNUSABLE), and INVALID_ARGUMENT where it is no HOST:PORT.
 */
export async function checkListenable(setting: 'listen' | 'http', address: string): Promise<void> {
  const { host, port } = parseHostPort(setting, address);
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(address, error, `--${setting}`)));
    server.listen(port, host, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}

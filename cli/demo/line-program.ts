import { connect, createServer } from 'node:net';
import { parseHostPort } from '../../common/address.js';

/**
 * The line between a site and the rest of the world, as a process of its own: it listens at the address that is its first
 * argument and passes every connection on to the second. Ending it cuts the line, starting it again mends it.
 */
const [listen = '', target = ''] = process.argv.slice(2);
const to = parseHostPort('target', target);
const server = createServer((near) => {
  const far = connect({ host: to.host, port: to.port, noDelay: true });
  near.setNoDelay(true);
  // Either end takes the other with it, however it ended; which error that was says nothing to anybody.
  near.on('error', () => far.destroy()).on('close', () => far.destroy());
  far.on('error', () => near.destroy()).on('close', () => near.destroy());
  near.pipe(far).pipe(near);
});
const { host, port } = parseHostPort('listen', listen);
server.listen(port, host, () => {
  const bound = server.address();
  const address = typeof bound === 'object' && bound !== null ? `${host}:${bound.port}` : listen;
  process.stdout.write(`${JSON.stringify({ event: 'listening', program: 'line', address })}\n`);
});

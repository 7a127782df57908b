import { connect } from 'node:net';
import { createServer } from 'node:http';
import { Counter, Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startHttpEndpoint, type HttpEndpoint } from '../../../../common/program/http-endpoint.js';
import { rejection } from '../../../support/async-tools.js';

let registry: Registry;
let ready: boolean;
let endpoint: HttpEndpoint;

beforeEach(async () => {
  registry = new Registry();
  ready = true;
  new Counter({ name: 'drystone_test_things_total', help: 'Things.', registers: [registry] }).inc(3);
  endpoint = await startHttpEndpoint({ listen: '127.0.0.1:0', registry, isReady: () => ready });
});
afterEach(() => endpoint.close());

const get = (path: string, init?: RequestInit): Promise<Response> => fetch(`http://${endpoint.address}${path}`, init);

describe('the endpoint of operators', () => {
  it('gives metrics as Prometheus text', async () => {
    const response = await get('/metrics');
    expect(response.status).toBe(200);
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
    const text = await response.text();
    expect(text).toContain('# TYPE drystone_test_things_total counter\ndrystone_test_things_total 3\n');
    expect(text).not.toContain('# EOF');
  });

  it('gives metrics as OpenMetrics to a scraper that accepts them', async () => {
    const accept = 'application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.1';
    const response = await get('/metrics', { headers: { accept } });
    expect(response.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
    const text = await response.text();
    expect(text).toContain('# TYPE drystone_test_things counter\ndrystone_test_things_total 3\n');
    expect(text.endsWith('# EOF\n')).toBe(true);
  });

  it('gives each of many scrapers at once the format that it asked for', async () => {
    const texts = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const headers = { accept: index % 2 === 0 ? 'text/plain' : 'application/openmetrics-text' };
        return (await get('/metrics', { headers })).text();
      }),
    );
    texts.forEach((text, index) => expect(text.includes('# EOF')).toBe(index % 2 === 1));
  });

  it('says that it lives, and whether it can work', async () => {
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz')).status).toBe(200);
    ready = false;
    expect((await get('/healthz')).status).toBe(200);
    expect((await get('/readyz?verbose')).status).toBe(503);
  });

  it('answers other paths with 404, other methods with 405, and HEAD without a body', async () => {
    expect((await get('/')).status).toBe(404);
    expect((await get('/metrics/x')).status).toBe(404);
    expect((await get('/metrics', { method: 'POST', body: 'x' })).status).toBe(405);
    const head = await get('/metrics', { method: 'HEAD' });
    expect(head.status).toBe(200);
    expect(await head.text()).toBe('');
  });

  it('answers 500 when collecting fails, and the next scrape none the worse', async () => {
    let broken = true;
    registry.registerMetric(
      new Counter({
        name: 'drystone_test_broken_total',
        help: 'Broken.',
        registers: [],
        collect() {
          if (broken) throw new Error('no numbers today');
        },
      }),
    );
    const response = await get('/metrics');
    expect(response.status).toBe(500);
    expect(await response.text()).toContain('no numbers today');
    broken = false;
    expect((await get('/metrics')).status).toBe(200);
  });

  it.each(['GET // HTTP/1.1', 'GET http://[ HTTP/1.1', 'GET * HTTP/1.1', 'NONSENSE'])('survives %j', async (line) => {
    const [host, port] = endpoint.address.split(':');
    const socket = connect(Number(port), host);
    socket.on('error', () => undefined).resume();
    socket.end(`${line}\r\nHost: x\r\nConnection: close\r\n\r\n`);
    await new Promise((resolve) => socket.once('close', resolve));
    expect((await get('/healthz')).status).toBe(200);
  });

  it('refuses a port in use, and what is no address', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const { port } = other.address() as { port: number };
    const start = (listen: string) => startHttpEndpoint({ listen, registry, isReady: () => true });
    const error = await rejection(start(`127.0.0.1:${port}`));
    other.close();
    expect(error).toMatchObject({ code: 'FAILED_PRECONDITION', reason: 'PORT_IN_USE' });
    expect(await rejection(start('203.0.113.1:0'))).toMatchObject({ reason: 'ADDRESS_UNUSABLE' });
    expect(await rejection(start('9090'))).toMatchObject({ reason: 'FIELD_INVALID', details: { field: 'http' } });
  });

  it('listens on IPv6 and says so as an address', async () => {
    const six = await startHttpEndpoint({ listen: '[::1]:0', registry, isReady: () => true });
    expect(six.address).toMatch(/^\[::1\]:\d+$/);
    expect((await fetch(`http://${six.address}/healthz`)).status).toBe(200);
    await six.close();
  });
});

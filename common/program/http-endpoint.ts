import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { Registry } from 'prom-client';
import { formatHostPort, parseHostPort } from '../address.js';
import { listenFailure } from '../errors.js';

export interface HttpEndpointOptions {
  /** HOST:PORT; port 0 takes a free one. */
  readonly listen: string;
  readonly registry: Registry;
  /** Whether the program can do its work now: /readyz. */
  readonly isReady: () => boolean;
}

/** The operators' side door of a program. */
export interface HttpEndpoint {
  readonly address: string;
  close(): Promise<void>;
}

const SCRAPE_TIMEOUT_MS = 10_000;

/**
 * Serves GET /metrics (Prometheus text, or OpenMetrics where the scraper accepts it), /healthz (200 while the process
 * lives) and /readyz (200 while it can work, else 503). Raises INVALID_ARGUMENT where `listen` is no HOST:PORT, and
 * FAILED_PRECONDITION where the address is taken (PORT_IN_USE) or cannot be had (ADDRESS_UNUSABLE).
 */
export async function startHttpEndpoint(options: HttpEndpointOptions): Promise<HttpEndpoint> {
  const scrape = createScraper(options.registry);
  const server = createServer((request, response) => {
    void respond(request, response, options, scrape);
  });
  server.requestTimeout = SCRAPE_TIMEOUT_MS;
  const { host, port } = parseHostPort('http', options.listen);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenFailure(options.listen, error, '--http')));
    server.listen(port, host, resolve);
  });
  const bound = server.address();
  return {
    address: formatHostPort({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Scraper = (openMetrics: boolean) => Promise<{ contentType: string; text: string }>;

/** A registry's format is a setting of the whole registry, so scrapes of different formats take turns. */
function createScraper(registry: Registry): Scraper {
  let last: Promise<unknown> = Promise.resolve();
  return (openMetrics) => {
    const next = last.then(async () => {
      const contentType = openMetrics ? Registry.OPENMETRICS_CONTENT_TYPE : Registry.PROMETHEUS_CONTENT_TYPE;
      (registry as Registry<typeof contentType>).setContentType(contentType);
      return { contentType, text: await registry.metrics() };
    });
    last = next.catch(() => undefined);
    return next;
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  options: HttpEndpointOptions,
  scrape: Scraper,
): Promise<void> {
  const [path] = (request.url ?? '/').split('?');
  const plain = (code: number, text: string): void => {
    response.writeHead(code, { 'content-type': 'text/plain; charset=utf-8' }).end(`${text}\n`);
  };
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    plain(405, 'only GET is served here');
  } else if (path === '/healthz') {
    plain(200, 'alive');
  } else if (path === '/readyz') {
    const ready = options.isReady();
    plain(ready ? 200 : 503, ready ? 'ready' : 'not ready');
  } else if (path === '/metrics') {
    try {
      const { contentType, text } = await scrape(
        (request.headers.accept ?? '').includes('application/openmetrics-text'),
      );
      response.writeHead(200, { 'content-type': contentType }).end(text);
    } catch (thrown) {
      plain(500, `collecting the metrics failed: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
    }
  } else {
    plain(404, 'here are /metrics, /healthz and /readyz');
  }
}

import { Counter, Gauge, Histogram, type Registry } from 'prom-client';
import { createTrustMetrics, type TrustMetrics } from './trust-metrics.js';

/** Counts what an RPC server does. */
export interface RpcServerMetrics extends TrustMetrics {
  /** A call of the method at `path` began; call the result once with the name of its status code. */
  callStarted(path: string): (code: string) => void;
}

const BUCKETS_SECONDS = [0.001, 0.005, 0.025, 0.1, 0.5, 2.5, 10, 60];

/** Success, and the server's own failures: an alert sees a series grow only if it was there before. */
const CODES_FROM_THE_START = ['OK', 'UNKNOWN', 'INTERNAL', 'DATA_LOSS'];

/**
 * The standard gRPC server series, by service, method and code, and those on trust. Methods in `paths` have zero-valued series from the
 * start; a path is `/package.Service/Method`.
 */
export function createRpcServerMetrics(registry: Registry, paths: readonly string[]): RpcServerMetrics {
  const labels = ['grpc_service', 'grpc_method'] as const;
  const registers = [registry];
  const started = new Counter({
    name: 'grpc_server_started_total',
    help: 'Calls begun.',
    labelNames: labels,
    registers,
  });
  const handled = new Counter({
    name: 'grpc_server_handled_total',
    help: 'Calls ended, by status code.',
    labelNames: [...labels, 'grpc_code'] as const,
    registers,
  });
  const seconds = new Histogram({
    name: 'grpc_server_handling_seconds',
    help: 'How long calls took until their last response.',
    labelNames: labels,
    buckets: BUCKETS_SECONDS,
    registers,
  });
  const open = new Gauge({
    name: 'drystone_rpc_open_calls',
    help: 'Calls that are open now.',
    labelNames: labels,
    registers,
  });
  for (const path of paths) {
    const names = labelsOf(path);
    started.inc(names, 0);
    for (const code of CODES_FROM_THE_START) handled.inc({ ...names, grpc_code: code }, 0);
    seconds.zero(names);
    open.set(names, 0);
  }
  return {
    ...createTrustMetrics(registry),
    callStarted(path) {
      const names = labelsOf(path);
      const startedAt = process.hrtime.bigint();
      started.inc(names);
      open.inc(names);
      return (code) => {
        open.dec(names);
        handled.inc({ ...names, grpc_code: code });
        seconds.observe(names, Number(process.hrtime.bigint() - startedAt) / 1e9);
      };
    },
  };
}

function labelsOf(path: string): { grpc_service: string; grpc_method: string } {
  const [, service = '', method = ''] = path.split('/');
  return { grpc_service: service, grpc_method: method };
}

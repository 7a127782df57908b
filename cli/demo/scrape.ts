import type { DemoServer } from './demo-fleet.js';
import type { MetricsResult } from './demo-report.js';

/** Fetches a server's /metrics once, as Prometheus would. */
export async function scrape({ program, http }: DemoServer, signal: AbortSignal): Promise<MetricsResult> {
  const url = metricsUrl(http);
  const response = await fetch(url, { signal });
  const lines = (await response.text()).split('\n');
  const samples = lines.filter((line) => line !== '' && !line.startsWith('#')).length;
  return { program: program.name, url, status: response.status, samples };
}

/** Where a server's metrics are. */
export function metricsUrl(http: string): string {
  return `http://${http}/metrics`;
}

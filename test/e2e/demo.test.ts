import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import type { DemoReport } from '../../cli/demo/demo-report.js';
import { DrystoneProcess } from '../support/drystone-process.js';
import { seededRandom } from '../support/seeded-random.js';
import { makeTree } from '../support/trees.js';
import { waitUntil } from '../support/wait-until.js';

const LARGE_BYTES = 16 * 1024 * 1024;

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function temporaryDirectory(): string {
  const path = mkdtempSync(join(tmpdir(), 'drystone-demo-test-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

async function play(args: readonly string[]): Promise<DemoReport> {
  const directory = temporaryDirectory();
  const source = join(directory, 'source');
  makeTree(source, { seed: 11, fileCount: 60 });
  // For a little peers are not looked for.
  writeFileSync(join(source, 'large.bin'), seededRandom('demo').bytes(LARGE_BYTES));
  const demo = new DrystoneProcess(['demo', '--source', source, ...args, '--json'], {
    HOME: directory,
    TMPDIR: directory,
    // What a user has set must not reach the fleet of the demo.
    DRYSTONE_CLIENT_PREMISES: 'elsewhere',
    DRYSTONE_AGENT_FREE_FLOOR: '1000PiB',
  });
  expect(await demo.exited, demo.log).toEqual({ code: 0, signal: null });
  expect(demo.events).toHaveLength(1);
  return demo.events[0] as unknown as DemoReport;
}

it('syncs, edits, renames and deletes, proves each step, and cleans up', async () => {
  const report = await play([]);
  expect(report).toMatchObject({ identical: true, succeeded: true, kept: false });
  expect(report.stranger).toMatchObject({ accessRefused: 'NAMESPACE_UNKNOWN', blockRefused: 'TOKEN_INVALID' });
  expect(report.steps).toHaveLength(4);
  const [first, edited, renamed, deleted] = report.steps;
  for (const step of report.steps) {
    expect(step).toMatchObject({ identical: true, differences: [] });
    // Changes go one way: nothing that arrived is sent back.
    expect(step).toMatchObject({ reader: { itemsCommitted: 0, blocksAsked: 0 }, writer: { itemsApplied: 0 } });
  }

  const distinct = report.candidates!.blocks;
  expect(first!.writer).toMatchObject({ blocksMissing: distinct, blocksUploaded: distinct });
  expect(first!.writer.bytesSaved).toBeGreaterThan(0);
  expect(first!.reader).toMatchObject({ blocksFetched: distinct, bytesFetched: first!.writer.bytesUploaded });
  expect(report.candidates!.agents.map(({ missing }) => missing).sort()).toEqual([0, distinct].sort());

  expect(edited!.writer.blocksUploaded).toBeGreaterThan(0);
  expect(edited!.writer.bytesUploaded).toBeLessThan(edited!.tree.bytes / 2);
  expect(renamed!.writer).toMatchObject({ blocksUploaded: 0, bytesUploaded: 0 });
  expect(renamed!.reader).toMatchObject({ blocksFetched: 0, bytesFetched: 0 });
  expect(deleted!.tree.files).toBeLessThan(renamed!.tree.files);
  expect(deleted!.writer.bytesUploaded).toBe(0);

  const { identical, bytes, bytesFromPeers, bytesFromAgents } = report.joined!;
  expect(identical).toBe(true);
  expect(bytesFromPeers).toBeGreaterThan(0);
  expect(bytesFromPeers + bytesFromAgents).toBe(bytes);
  expect(report.cut).toMatchObject({ identical: true, crossed: false, conflicts: 0 });

  expect(report.metrics.map(({ program, status }) => ({ program, status }))).toEqual([
    { program: 'metadata', status: 200 },
    { program: 'agent-lisbon', status: 200 },
    { program: 'agent-porto', status: 200 },
  ]);
  for (const { samples } of report.metrics) expect(samples).toBeGreaterThan(0);
  expect(report.programs.filter(({ pid }) => isRunning(pid))).toEqual([]);
  expect(existsSync(report.directory)).toBe(false);
});

it('leaves everything running where that is asked for', async () => {
  const report = await play(['--keep']);
  const pids = report.programs.map(({ pid }) => pid);
  onTestFinished(async () => {
    for (const pid of pids) process.kill(pid, 'SIGTERM');
    await waitUntil('the kept programs have ended', () => !pids.some(isRunning));
  });
  expect(report).toMatchObject({ identical: true, kept: true });
  expect(pids.filter((pid) => !isRunning(pid))).toEqual([]);
  const metadata = report.programs.find(({ name }) => name === 'metadata')!;
  const lisbon = report.programs.find(({ name }) => name === 'client-lisbon')!;
  const home = join(report.directory, 'home-admin');
  const look = async (): Promise<DrystoneProcess> => {
    const status = new DrystoneProcess(['status', '--home', home, '--dir', lisbon.folder!, '--json']);
    expect(await status.exited, status.log).toEqual({ code: 0, signal: null });
    return status;
  };
  // What the others did last may still be on its way to its state.
  const status = await waitUntil('the folder is not behind', async () => {
    const looked = await look();
    const { folder } = looked.events[0] as { readonly folder?: { readonly behind?: number } };
    return folder?.behind === 0 && looked;
  });
  expect(status.events[0]).toMatchObject({
    device: { account: 'admin' },
    metadata: { address: metadata.address, reachable: true },
    agents: { online: 2, offline: 0 },
    folder: { namespace: 'demo', behind: 0, syncedBy: lisbon.pid },
  });
});

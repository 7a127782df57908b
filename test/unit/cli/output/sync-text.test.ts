import { describe, expect, it } from 'vitest';
import { formatProgress, formatRound, formatSummary, NOTHING_DONE } from '../../../../cli/output/sync-text.js';

const syncing = {
  phase: 'syncing',
  mode: 'online',
  itemsDone: 12,
  itemsTotal: 3400,
  bytesDone: 64 * 1024 ** 2,
  bytesTotal: 100 * 1024 ** 2,
  itemsProvisional: 0,
} as const;

describe('formatProgress', () => {
  it('shows items, bytes, rate and time left', () => {
    expect(formatProgress(syncing, 12 * 1024 ** 2, 200)).toBe(
      'syncing  12/3,400 items  64.0 MiB of 100.0 MiB  12.0 MiB/s  3.0 s left',
    );
  });

  it('promises no time before it knows a rate', () => {
    expect(formatProgress(syncing, 0, 200)).toBe('syncing  12/3,400 items  64.0 MiB of 100.0 MiB');
  });

  it.each([
    [60, 'syncing  12/3,400 items  64.0 MiB of 100.0 MiB  12.0 MiB/s'],
    [24, 'syncing  12/3,400 items'],
    [10, 'syncing'],
    [4, 'sync'],
  ])('fits in %i columns', (columns, text) => {
    expect(formatProgress(syncing, 12 * 1024 ** 2, columns)).toBe(text);
  });

  it('says in words what else is going on', () => {
    expect(formatProgress({ ...syncing, phase: 'waiting' }, 5, 80)).toBe('waiting for the fleet');
    expect(formatProgress({ ...syncing, phase: 'quiet', mode: 'agent', itemsProvisional: 2 }, 0, 80)).toBe(
      'up to date  metadata is away, an agent stands in  2 items wait for metadata',
    );
  });
});

const summary = {
  ...NOTHING_DONE,
  itemsCommitted: 1200,
  itemsApplied: 3,
  filesMoved: 1,
  filesFetched: 2,
  blocksAsked: 1000,
  blocksMissing: 900,
  blocksUploaded: 899,
  bytesUploaded: 1024 ** 3,
  bytesSaved: 2048,
  blocksFetched: 4,
  bytesFetched: 4096,
  bytesFromLocal: 512,
};

describe('formatSummary', () => {
  it('says what was asked, missing, sent and saved', () => {
    expect(formatSummary(summary, 1500).split('\n')).toEqual([
      'items  1,200 committed, 3 brought here, 1 file renamed without moving a byte',
      'up     1,000 blocks asked about, 900 missing, 899 uploaded (1.0 GiB), 2.0 KiB saved',
      'down   2 files, 4 blocks fetched (4.0 KiB), 512 B found on this disk',
      'took   1.5 s',
    ]);
  });

  it('keeps quiet about conflicts and problems only where there are none', () => {
    const text = formatSummary({ ...summary, conflicts: 1, problems: 2 }, 0);
    expect(text).toContain('conflicts  1; both contents are kept');
    expect(text).toContain('problems   2; left as they are');
  });
});

describe('formatRound', () => {
  it('tells only what happened since', () => {
    expect(formatRound(NOTHING_DONE, summary)).toBe(
      'up to date: 1,200 items committed (1.0 GiB sent), 3 items brought here (4.0 KiB fetched)',
    );
    expect(formatRound(summary, { ...summary, itemsApplied: 4, bytesFetched: 4097 })).toBe(
      'up to date: 1 item brought here (1 B fetched)',
    );
    expect(formatRound(summary, summary)).toBeUndefined();
  });
});

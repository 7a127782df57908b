import { BYTE_UNITS, formatBytes, UNIT_STEP } from '../../common/format-bytes.js';

const BYTES_PATTERN = /^(\d+(?:\.\d+)?) ?(B|KiB|MiB|GiB|TiB|PiB)?$/i;

/** The number of bytes that a person means by `500MiB`, `1.5 GiB` or `4096`; undefined where it is none. */
export function parseBytes(text: string): number | undefined {
  const match = BYTES_PATTERN.exec(text);
  if (match === null) return undefined;
  const unit = BYTE_UNITS.findIndex((name) => name.toLowerCase() === (match[2] ?? 'B').toLowerCase());
  const bytes = Number(match[1]) * UNIT_STEP ** unit;
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

/** `1234567` as `1,234,567`. */
export function formatCount(count: number): string {
  return count.toLocaleString('en-GB');
}

const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A duration for people, coarser as it grows: `40 ms`, `1.2 s`, `3 min 20 s`, `5 h 12 min`, `3 d 4 h`. */
export function formatDuration(durationMs: number): string {
  const ms = Math.max(0, Math.round(durationMs));
  if (ms < 1000) return `${ms} ms`;
  // 59.95 s would be shown as 60.0 s.
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} min ${seconds % MINUTE} s`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h ${Math.floor((seconds % HOUR) / MINUTE)} min`;
  return `${Math.floor(seconds / DAY)} d ${Math.floor((seconds % DAY) / HOUR)} h`;
}

const DURATION_UNITS = { s: 1, m: MINUTE, h: HOUR, d: DAY } as const;

/** The milliseconds that a person means by `90s`, `30m`, `12h` or `2d`; undefined where it is no such duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d{1,9})([smhd])$/.exec(text);
  return match === null ? undefined : Number(match[1]) * DURATION_UNITS[match[2] as keyof typeof DURATION_UNITS] * 1000;
}

/** Bytes a second, for people. */
export function formatRate(bytesPerSecond: number): string {
  return `${formatBytes(Math.round(bytesPerSecond))}/s`;
}

const RATE_PATTERN = /^(\d+(?:\.\d+)?) ?(B|kB|MB|GB|KiB|MiB|GiB)?(?:\/s)?$/i;
const RATE_UNITS = { b: 1, kb: 1e3, mb: 1e6, gb: 1e9, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 } as const;

/**
 * The bytes a second that a person means by `10MB`, `1.5 MiB/s` or `4096`, as lines are sold: `MB` is a million; undefined
 * where it is no rate. Rounded to whole bytes.
 */
export function parseRate(text: string): number | undefined {
  const match = RATE_PATTERN.exec(text);
  if (match === null) return undefined;
  const unit = RATE_UNITS[(match[2] ?? 'b').toLowerCase() as keyof typeof RATE_UNITS];
  const rate = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(rate) ? rate : undefined;
}

/** `1 file`, `2 files`, `1,000 files`. */
export function formatNumberOf(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}

/** A moment for people, in UTC, to the second: `2026-03-01 12:30:05`. */
export function formatMoment(sinceEpochMs: number): string {
  return new Date(sinceEpochMs).toISOString().slice(0, 19).replace('T', ' ');
}

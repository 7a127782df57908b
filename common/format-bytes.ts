/** Binary units, each 1024 of the one before. */
export const BYTE_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;
/** How many of a unit are one of the next. */
export const UNIT_STEP = 1024;

/** `1536` as `1.5 KiB`: binary units, one decimal from KiB up. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // What would be rounded up to 1024.0 is shown in the next unit.
  while (Math.abs(value) >= (unit === 0 ? UNIT_STEP : UNIT_STEP - 0.05) && unit < BYTE_UNITS.length - 1) {
    value /= UNIT_STEP;
    unit++;
  }
  return `${unit === 0 ? String(value) : value.toFixed(1)} ${BYTE_UNITS[unit] ?? 'B'}`;
}

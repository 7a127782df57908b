import type { Terminal } from '../output/terminal.js';
import { formatMoment } from '../output/units.js';

/** A one-time token that was issued, as `--json` shows it. */
export interface IssuedToken {
  readonly token: string;
  /** Milliseconds since 1970 UTC. */
  readonly expiresAtMs: number;
}

/** Hands a one-time token out: on standard output nothing else, so that it can be led into a file or another command. */
export function handOut(terminal: Terminal, { token, expiresAtMs }: IssuedToken, whatFor: string): void {
  terminal.note(`for ${whatFor}, once, until ${formatMoment(expiresAtMs)} UTC; whoever has it can take that place`);
  terminal.result({ token, expiresAtMs }, () => token);
}

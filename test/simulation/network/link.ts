import type { Random } from '../../../common/random.js';

/** One way from one site to another. */
export class Link {
  isCut = false;
  /** How much slower than usual it is. */
  congestion = 1;

  /** @param usualMs what a message takes at the least */
  constructor(
    readonly name: string,
    private readonly usualMs: number,
  ) {}

  /** What the next message takes. Now and then a packet is lost and sent again. */
  delayMs(random: Random): number {
    const lost = random.fraction() < 0.02 ? 200 : 0;
    return (this.usualMs * (1 + random.fraction()) + lost) * this.congestion;
  }
}

import { expect } from 'vitest';
import { conflictsOf } from '../../../common/feed/conflicts.js';
import type { DeviceId } from '../../../common/ids.js';
import type { Random } from '../../../common/random.js';
import { live } from '../../../client/plan/difference.js';
import { everyPath, plan } from '../../../client/plan/plan.js';
import { seededRandom } from '../seeded-random.js';
import { shownFolder, textsOf, WrittenTexts, type Edit } from './folder-edits.js';
import { SimulatedDevice } from './plan-world.js';
import { SimulatedNamespace } from './simulated-namespace.js';

/** Several folders of one namespace, on devices whose clocks and lines are as bad as they come. */
export class SimulatedWorld {
  readonly namespace = new SimulatedNamespace();
  readonly random: Random;
  readonly devices: readonly SimulatedDevice[];
  readonly texts = new WrittenTexts();

  /** @param devices whose folders these are, by the folder. */
  constructor(count: number, seed: number, devices = 'abcde') {
    this.random = seededRandom(seed);
    this.devices = Array.from({ length: count }, (_, index) => {
      const id = devices.charAt(index).repeat(32) as DeviceId;
      return new SimulatedDevice(id, 'abcde'.charAt(index), this.namespace, this.random);
    });
    for (const device of this.devices) device.skewMs = Math.floor(this.random.fraction() * 1000);
  }

  badLines(): void {
    for (const device of this.devices) device.line = { losesAnswers: 0.2, delays: 0.2 };
  }

  edit(folder: number, edit: Edit): void {
    this.texts.apply(this.devices[folder % this.devices.length]!.folder, edit);
  }

  /** Each device does something, or not; now and then one ends in the middle of it. */
  async bustle(rounds: number): Promise<void> {
    const { random } = this;
    for (let round = 0; round < rounds; round++) {
      this.namespace.arrive(random);
      for (const device of this.devices) {
        if (random.fraction() < 0.5) await device.scan();
        if (random.fraction() < 0.5) await device.pull(random);
        if (random.fraction() < 0.7) await device.step(random);
        if (random.fraction() < 0.1) device.crash();
      }
    }
  }

  /** Everything gets through from now on; returns when nothing is left to do. */
  async heal(): Promise<void> {
    const always = { ...this.random, fraction: () => 0.9999 };
    for (const device of this.devices) device.line = { losesAnswers: 0, delays: 0 };
    this.namespace.arrive({ ...this.random, fraction: () => 0 });
    let quiet = 0;
    for (let round = 0; quiet < 3; round++) {
      expect(round, 'rounds until quiet').toBeLessThan(200);
      let operations = 0;
      for (const device of this.devices) {
        await device.scan();
        await device.pull(always);
        operations += await device.step(always);
      }
      quiet = operations === 0 ? quiet + 1 : 0;
    }
  }

  /** All folders hold what the namespace does, nothing is left to do, and no conflict is open. */
  checkEqual(): void {
    const [first, ...others] = this.devices;
    for (const { folder } of others) expect(shownFolder(folder)).toEqual(shownFolder(first!.folder));
    const held = [...this.namespace.items.values()].filter((item) => live(item) !== undefined);
    expect(held.map(({ path }) => path).sort()).toEqual([...first!.folder.keys()].sort());
    for (const item of held) expect(conflictsOf(item)).toEqual([]);
    for (const { state, rules } of this.devices) {
      expect(plan(state, everyPath(state), rules)).toEqual({ operations: [], deferred: new Set() });
    }
  }

  /** Every text that nobody replaced is there, in one place. */
  checkTexts(places: 'once' | 'at least once' = 'once'): void {
    const there = textsOf(this.devices[0]!.folder);
    const { written, replaced, restated } = this.texts;
    for (const text of written) {
      if (!replaced.has(text)) expect(there.get(text) ?? 0, text).toBeGreaterThan(0);
      const most = 1 + (restated.get(text) ?? 0);
      if (places === 'once') expect(there.get(text) ?? 0, text).toBeLessThanOrEqual(most);
    }
  }
}

import fc from 'fast-check';
import { describe, it } from 'vitest';
import { edits } from '../support/client/folder-edits.js';
import { SimulatedWorld } from '../support/client/simulated-world.js';

const folderEdits = fc.record({ folder: fc.nat(4), edit: edits });
const phases = fc.array(fc.array(folderEdits, { maxLength: 8 }), { minLength: 1, maxLength: 4 });

describe('folders that change apart', () => {
  it('become equal again, with every content in one place, whoever changed what at the same time', async () => {
    await fc.assert(
      fc.asyncProperty(phases, fc.integer({ min: 2, max: 5 }), fc.integer(), async (history, count, seed) => {
        const world = new SimulatedWorld(count, seed);
        for (const phase of history) {
          for (const { folder, edit } of phase) world.edit(folder, edit);
          await world.bustle(2);
        }
        await world.heal();
        world.checkEqual();
        world.checkTexts();
      }),
      { numRuns: 400 },
    );
  });

  it('do so where commits arrive late, answers are lost and clients end in the middle of their work', async () => {
    await fc.assert(
      fc.asyncProperty(phases, fc.integer({ min: 2, max: 5 }), fc.integer(), async (history, count, seed) => {
        const world = new SimulatedWorld(count, seed);
        world.badLines();
        for (const phase of history) {
          for (const { folder, edit } of phase) world.edit(folder, edit);
          await world.bustle(3);
        }
        await world.heal();
        world.checkEqual();
        world.checkTexts();
      }),
      { numRuns: 400 },
    );
  });

  it('do so where several of them are those of one device', async () => {
    await fc.assert(
      fc.asyncProperty(phases, fc.integer(), fc.boolean(), async (history, seed, isBad) => {
        const world = new SimulatedWorld(4, seed, 'aabb');
        if (isBad) world.badLines();
        for (const phase of history) {
          for (const { folder, edit } of phase) world.edit(folder, edit);
          await world.bustle(2);
        }
        await world.heal();
        world.checkEqual();
        world.checkTexts();
      }),
      { numRuns: 300 },
    );
  });

  it('lose nothing where one of them forgets all it knew', async () => {
    await fc.assert(
      fc.asyncProperty(phases, fc.integer({ min: 2, max: 3 }), fc.integer(), async (history, count, seed) => {
        const world = new SimulatedWorld(count, seed);
        for (const phase of history) {
          for (const { folder, edit } of phase) world.edit(folder, edit);
          await world.bustle(2);
          world.devices[0]!.forget();
        }
        await world.heal();
        world.checkEqual();
        world.checkTexts('at least once');
      }),
      { numRuns: 200 },
    );
  });
});

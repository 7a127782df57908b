import { hashBlockSync } from '../../../common/block-hash.js';
import type { Disk } from '../../../client/act/disk/disk-task.js';
import type { CutBlock, Cutter } from '../../../client/observe/cutter.js';
import type { FolderSight } from '../../../client/observe/folder-sight.js';
import type { StateChanges, TreeStore } from '../../../client/state/tree-store.js';
import type { SimulatedFolder } from '../folder/folder.js';
import type { ClientPlace } from '../nodes/client-place.js';
import type { SimulatedProcess } from '../process.js';
import type { PlantedFault } from './fault.js';

/** A store that does something else with what is written. */
function writing(store: TreeStore, write: (changes: StateChanges) => Promise<void>): TreeStore {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'write') return write;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

const cursorFirst: PlantedFault = {
  name: 'cursor-before-the-entries',
  what: 'a client saves how far it has read before it saves what it has read',
  faults: {
    client: {
      trees: (store) =>
        writing(store, async ({ cursor, ...entries }) => {
          if (cursor !== undefined) await store.write({ cursor });
          await store.write(entries);
        }),
    },
  },
};

/** A store that keeps no offers, and gives the folder another name at each start. */
function forgetful(store: TreeStore, process: SimulatedProcess): TreeStore {
  const life = String(process.world.time.nowMs);
  const write = ({ offered: _, ...changes }: StateChanges): Promise<void> => store.write(changes);
  return new Proxy(writing(store, write), {
    get: (target, name) =>
      name === 'nonce' ? `${store.nonce} ${life}` : (Reflect.get(target, name, target) as unknown),
  });
}

const freshNumberOnRetry: PlantedFault = {
  name: 'retry-with-a-new-number',
  what: 'a change that was not answered before a client ended is another change after its start',
  faults: { client: { trees: forgetful } },
};

/** Files take their place in the background; the client is told at once that they have. */
function placingLater(disk: Disk, folder: SimulatedFolder, process: SimulatedProcess): Disk {
  return new Proxy(disk, {
    get(target, name) {
      if (name === 'placeFiles') return placeUnsynced;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });

  async function placeUnsynced(task: Parameters<Disk['placeFiles']>[0]): ReturnType<Disk['placeFiles']> {
    const { files, content } = task;
    await process.step('temporary files written');
    return files.map(({ path, bytes, temporaryName, modifiedAtMs, executable }) => {
      const written =
        bytes === undefined
          ? (folder.temporaries.get(temporaryName)?.bytes ?? Buffer.alloc(0))
          : Buffer.from(new Uint8Array(content, bytes.offset, bytes.sizeBytes));
      folder.temporaries.delete(temporaryName);
      if (!folder.hasParent(path)) return { outcome: 'changed' };
      folder.put(path, folder.newFile({ bytes: written, modifiedAtMs, executable }, false));
      return { outcome: 'done', entry: folder.observe(path) };
    });
  }
}

const syncedBeforeDurable: PlantedFault = {
  name: 'synced-before-the-file-is-durable',
  what: 'a client notes a file as fetched that is not on disk yet, nor looks what it writes over',
  faults: { client: { disk: placingLater } },
};

const resumedWithoutLooking: PlantedFault = {
  name: 'resumed-download-forgets-blocks',
  what: 'a download that goes on takes every block of the partial file for fetched',
  peers: true,
  faults: {
    client: {
      disk: (disk) =>
        new Proxy(disk, {
          get(target, name) {
            if (name === 'copyBlocks') {
              return async (task: Parameters<Disk['copyBlocks']>[0]) => {
                const outcome = await disk.copyBlocks(task);
                return task.source === task.target && outcome.outcome === 'done' ? { ...outcome, wrong: [] } : outcome;
              };
            }
            const value: unknown = Reflect.get(target, name, target);
            return typeof value === 'function' ? (value.bind(target) as unknown) : value;
          },
        }),
    },
  },
};

/** Cuts the first block of a large file once more, each client at another place. */
function cuttingDifferently(cutter: Cutter, { name }: ClientPlace): Cutter {
  const at = 100 * name.charCodeAt(name.length - 1);
  return {
    async *cutFile(request, signal) {
      for await (const block of cutter.cutFile(request, signal)) {
        const { data, offsetBytes } = block;
        if (data === undefined || offsetBytes > 0) yield block;
        else for (const part of [data.subarray(0, at), data.subarray(at)]) yield cutOut(part, data);
      }
    },
    cutSmallFiles: (requests) => cutter.cutSmallFiles(requests),
    close: () => cutter.close(),
  };
}

function cutOut(part: Buffer, whole: Buffer): CutBlock {
  const offsetBytes = part.byteOffset - whole.byteOffset;
  return { hash: hashBlockSync(part), offsetBytes, sizeBytes: part.length, data: Buffer.from(part) };
}

const equalContentDiffers: PlantedFault = {
  name: 'equal-content-is-a-conflict',
  what: 'two clients make different blocks of the same bytes, so that equal files count as different',
  faults: { client: { cutter: cuttingDifferently } },
};

/** A watcher and scanner that tell of nothing below the root's first level. */
function shortSighted(sight: FolderSight): FolderSight {
  return {
    scanner: sight.scanner,
    startWatch: async (report) => {
      const watch = await sight.startWatch(report);
      return {
        next: async (signal) => {
          const hint = await watch.next(signal);
          if (hint.kind === 'everything') return hint;
          const [first, ...others] = hint.diskPaths;
          return { kind: 'paths', diskPaths: new Set(others.length > 0 || first === undefined ? others : [first]) };
        },
        close: () => watch.close(),
      };
    },
  };
}

const watchForgets: PlantedFault = {
  name: 'hint-forgotten',
  what: 'of several paths that changed together the first is not looked at',
  faults: { client: { sight: shortSighted } },
};

export const clientFaults: readonly PlantedFault[] = [
  cursorFirst,
  freshNumberOnRetry,
  syncedBeforeDurable,
  resumedWithoutLooking,
  equalContentDiffers,
  watchForgets,
];

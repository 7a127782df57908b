import type { Cursor } from '../../common/ids.js';
import { numberBelow, pick, seededRandom } from '../support/seeded-random.js';
import { checkFleet } from './checks.js';
import { Desertion } from './desertion.js';
import { SOUND, type Faults } from './faults/fault.js';
import { SimulatedFleet } from './fleet.js';
import { People, textOf } from './people.js';
import { BEGINNING_MS } from './time.js';
import { Trace } from './trace.js';
import { Weather } from './weather.js';

/** How long a fleet may take to come to rest once everything is mended. */
const REST_WITHIN_MS = 15 * 60_000;
/** How often it is looked at, and how often in a row it must be at rest. */
const LOOK_MS = 500;
const LOOKS_AT_REST = 10;
/** The share of worlds in which clients speak with each other. */
const PEERS_SHARE = 0.5;

/** What became of one seed. */
export interface SeedResult {
  readonly seed: number;
  /** Empty where all is well. */
  readonly problems: readonly string[];
  /** Of the trace: the same for the same seed and code. */
  readonly digest: string;
  readonly lastLines: readonly string[];
  readonly events: number;
  readonly simulatedMs: number;
  /** Whether clients speak with each other. */
  readonly hasPeers: boolean;
  /** How often one of them has begun to go on with others alone. */
  readonly desertions: number;
  /** Blocks that they have given each other. */
  readonly blocksGiven: number;
}

/** In every world, in none, or as the seed says. */
export type PeersChoice = boolean | 'some';

export interface SeedOptions {
  readonly faults?: Faults;
  /** Whether clients speak with each other; they do not unless set. */
  readonly peers?: PeersChoice | undefined;
  /** Told every line of the trace. */
  readonly onLine?: (line: string) => void;
}

/** One world, from its beginning to its rest, and what is wrong with it then. */
export async function runSeed(
  seed: number,
  { faults = SOUND, onLine, peers = false }: SeedOptions = {},
): Promise<SeedResult> {
  const trace = new Trace(onLine);
  // A chance of its own: worlds without peers are what they would be if there were none anywhere.
  const peerRandom = seededRandom(`peers ${seed}`);
  const isChosen = peerRandom.fraction() < PEERS_SHARE;
  const hasPeers = peers === 'some' ? isChosen : peers;
  const fleet = await SimulatedFleet.start(seed, trace, faults, hasPeers ? peerRandom : undefined);
  const people = new People(fleet.world.random);
  const { time, world } = fleet;
  const { random } = world;
  const desertion = hasPeers && peerRandom.fraction() < 0.7 ? new Desertion(fleet, peerRandom) : undefined;
  const untilMs = BEGINNING_MS + 8_000 + random.fraction() * 32_000 + (desertion?.moreMs ?? 0);
  const weather = new Weather(fleet, untilMs);
  if (random.fraction() < 0.85) weather.start();
  bustle(fleet, people, untilMs);
  desertion?.start(BEGINNING_MS, untilMs, () => edit(fleet, people, untilMs));
  await time.passUntil(untilMs);
  weather.clear();
  const problems = (await comesToRest(fleet)) ? await checkFleet(fleet, people) : [restless(fleet)];
  const [first] = fleet.clients;
  for (const [path, entry] of first?.folder.entries ?? []) {
    world.trace.note(time.nowMs, `in the end: ${path} ${entry.kind === 'file' ? textOf(entry.bytes) : entry.kind}`);
  }
  return {
    seed,
    problems,
    digest: trace.digest(),
    lastLines: trace.lastLines(),
    events: time.eventCount,
    simulatedMs: time.nowMs - BEGINNING_MS,
    hasPeers,
    desertions: fleet.clients.reduce((sum, client) => sum + client.desertions, 0),
    blocksGiven: fleet.clients.reduce((sum, client) => sum + client.blocksGiven, 0),
  };
}

/** People edit, some of them at the same time. */
function bustle(fleet: SimulatedFleet, people: People, untilMs: number): void {
  const { time, world } = fleet;
  const { random } = world;
  const moments = 5 + numberBelow(35, random);
  for (let moment = 0; moment < moments; moment++) {
    time.after((untilMs - BEGINNING_MS) * random.fraction(), () => edit(fleet, people, untilMs));
  }
}

function edit({ time, clients, world }: SimulatedFleet, people: People, untilMs: number): void {
  const { random, trace } = world;
  const roll = random.fraction();
  const { place, folder } = pick(clients, random);
  const note = (where: string, what: string): void => trace.note(time.nowMs, `somebody at ${where}: ${what}`);
  if (roll < 0.05) {
    note('all sites', people.handOut(clients.map((client) => client.folder)));
  } else if (roll < 0.2) {
    // Who keeps a diary saves it often, whatever becomes of the client meanwhile.
    const save = (): void => {
      note(place.name, people.keepDiary(folder, place.name));
      if (random.fraction() < 0.6) time.after(random.fraction() * 4_000, () => time.nowMs < untilMs && save());
    };
    save();
  } else {
    note(place.name, people.edit(folder));
    const other = pick(clients, random);
    if (roll < 0.5) note(other.place.name, people.edit(other.folder));
  }
}

async function comesToRest(fleet: SimulatedFleet): Promise<boolean> {
  const { time } = fleet;
  const deadlineMs = time.nowMs + REST_WITHIN_MS;
  let looks = 0;
  let lastHead = -1;
  while (time.nowMs < deadlineMs && looks < LOOKS_AT_REST) {
    await time.passUntil(time.nowMs + LOOK_MS);
    const { cursor } = await fleet.metadata.store.journal.feedHead(fleet.namespace.id);
    const isAtRest = fleet.clients.every(
      ({ phase, store }) => phase === 'quiet' && store?.cursor === cursor && store.provisionalCount === 0,
    );
    const isUp = fleet.nodes.every(({ process }) => process?.isAlive === true);
    const { openCalls, servedCalls } = fleet.network;
    const isIdle = openCalls === fleet.idleCalls && servedCalls === fleet.idleCalls;
    const isKnown = await agentsHaveRead(fleet, cursor);
    looks = isAtRest && isUp && isIdle && isKnown && cursor === lastHead ? looks + 1 : 0;
    lastHead = cursor;
    if (fleet.clients.some(({ ending }) => ending !== undefined)) return false;
  }
  return looks >= LOOKS_AT_REST;
}

/** Whether every agent's replica is as far as metadata's feed, and passes nothing on any more. */
async function agentsHaveRead({ agents, namespace }: SimulatedFleet, end: Cursor): Promise<boolean> {
  for (const { feeds } of agents) {
    const { followed } = await feeds.progress(namespace.id);
    if (followed !== end || (await feeds.firstProvisional(namespace.id)) !== undefined) return false;
  }
  return true;
}

function restless({ clients, network, idleCalls }: SimulatedFleet): string {
  const states = clients.map(({ place, phase, ending, lastWait, store }) => {
    const state =
      ending === undefined
        ? `is ${phase} at ${store?.cursor}, ${store?.provisionalCount} provisional`
        : `has ended: ${ending}`;
    return `${place.name} ${state}${phase === 'waiting' ? ` (${lastWait})` : ''}`;
  });
  const calls = `${network.openCalls} calls are open and ${network.servedCalls} served, not ${idleCalls}`;
  return `the fleet does not come to rest: ${states.join(', ')}; ${calls}`;
}

import type { AgentFaults } from '../nodes/agent-node.js';
import type { ClientFaults } from '../nodes/client-node.js';
import type { MetadataFaults } from '../nodes/metadata-node.js';

/** What is put in the place of sound parts, by the program that they belong to. */
export interface Faults {
  readonly metadata?: MetadataFaults;
  readonly agent?: AgentFaults;
  readonly client?: ClientFaults;
}

/** A deliberate fault, planted to see that it is found. */
export interface PlantedFault {
  readonly name: string;
  /** What is wrong, in a sentence. */
  readonly what: string;
  readonly faults: Faults;
  /** Set where only clients that speak with each other can show it, or do so much sooner. */
  readonly peers?: true;
}

/** Nothing is wrong. */
export const SOUND: Faults = {};

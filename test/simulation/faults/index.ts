import { agentFaults } from './agent-faults.js';
import { clientFaults } from './client-faults.js';
import type { PlantedFault } from './fault.js';
import { metadataFaults } from './metadata-faults.js';
import { peerFaults } from './peer-faults.js';

/** Every fault that is planted to see that it is found; docs/simulation.md lists them. */
export const plantedFaults: readonly PlantedFault[] = [
  ...metadataFaults,
  ...agentFaults,
  ...clientFaults,
  ...peerFaults,
];

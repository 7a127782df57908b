import { Gauge, type Registry } from 'prom-client';
import { softwareVersion } from '../common/version.js';
import type { AssignedNamespaces } from './assigned-namespaces.js';
import type { FleetStanding } from './fleet-standing.js';
import type { KeptLastWord } from './last-word.js';
import type { MetadataLink } from './metadata-link.js';

/** The daemon round the block server, as scrapes see it. */
export interface AgentGaugeSources {
  readonly link: MetadataLink;
  readonly assigned: AssignedNamespaces;
  readonly standing: FleetStanding;
  readonly lastWord: KeptLastWord;
}

/** Registers what a scrape is told of the daemon round the block server. */
export function registerAgentGauges(
  registry: Registry,
  { link, assigned, standing, lastWord }: AgentGaugeSources,
): void {
  const registers = [registry];
  new Gauge({
    name: 'drystone_agent_heartbeat_age_seconds',
    help: 'Time since metadata was last sent a heartbeat over a working line; infinite where it never was.',
    registers,
    collect() {
      this.set((link.heartbeatAgeMs ?? Number.POSITIVE_INFINITY) / 1000);
    },
  });
  new Gauge({
    name: 'drystone_agent_metadata_heard_age_seconds',
    help: 'Time since metadata was last heard, also where that was before the last start; infinite where it never was.',
    registers,
    collect() {
      this.set((lastWord.ageMs ?? Number.POSITIVE_INFINITY) / 1000);
    },
  });
  new Gauge({
    name: 'drystone_agent_assigned_namespaces',
    help: 'Namespaces that are assigned to this agent.',
    registers,
    collect() {
      this.set(assigned.count);
    },
  });
  new Gauge({
    name: 'drystone_agent_revoked',
    help: '1 once metadata has said that this agent no longer belongs to the fleet: it answers nobody any more.',
    registers,
    collect() {
      this.set(standing.isRevoked ? 1 : 0);
    },
  });
  new Gauge({
    name: 'drystone_agent_build_info',
    help: 'Always 1; the labels say what runs.',
    labelNames: ['version', 'node_version'] as const,
    registers,
  }).set({ version: softwareVersion, node_version: process.version }, 1);
}

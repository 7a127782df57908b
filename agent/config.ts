import type { PremisesName } from '../common/ids.js';

/** How an agent runs. */
export interface AgentConfig {
  /** Made where it is not there; of one process at a time. */
  readonly dataDir: string;
  /** HOST:PORT of the metadata service. */
  readonly metadata: string;
  /** The one-time token with which it joins the fleet; needed once, until its identity is in `dataDir`. A secret. */
  readonly join: string | undefined;
  /** Where it stands: what its token or certificate says. Given too, it must be the same. */
  readonly premises: PremisesName | undefined;
  /** HOST:PORT of the block server; port 0 takes a free one. */
  readonly listen: string;
  /** HOST:PORT that clients are told; what `listen` really bound where undefined. */
  readonly advertise: string | undefined;
  /** HOST:PORT of /metrics, /healthz and /readyz; none where undefined. */
  readonly http: string | undefined;
  /** Free space below which blocks are refused. */
  readonly freeFloorBytes: number;
}

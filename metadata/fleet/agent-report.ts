/** What an agent says of itself in a heartbeat. */
export interface AgentReport {
  readonly state: 'online' | 'draining';
  /** Of the file system on which its blocks lie. */
  readonly freeBytes: number;
  readonly totalBytes: number;
  /** Free space below which it refuses blocks. */
  readonly freeFloorBytes: number;
  /** Each block counted once, however many namespaces refer to it. */
  readonly blockCount: number;
  readonly blockBytes: number;
}

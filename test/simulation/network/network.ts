import { DrystoneError } from '../../../common/errors.js';
import { rpcLimits } from '../../../common/limits.js';
import type { CallGate } from '../../../common/rpc/call-gate.js';
import type { Caller } from '../../../common/rpc/caller.js';
import type { RpcChannel } from '../../../common/rpc/client.js';
import type { MethodDefinition } from '../../../common/rpc/method-types.js';
import type { ServedService } from '../../../common/rpc/server.js';
import type { ServedMethod } from '../../../common/rpc/server-calls.js';
import type { SimulatedProcess } from '../process.js';
import type { SimulatedTime } from '../time.js';
import { SimulatedChannel } from './channel.js';
import { Connection } from './connection.js';
import { SimulatedLan } from './lan.js';
import { Link } from './link.js';
import { MadeCall } from './made-call.js';
import { ServedCall } from './served-call.js';

/** A program that serves. */
export interface Server {
  readonly process: SimulatedProcess;
  readonly site: string;
  readonly services: readonly ServedService[];
  readonly gate: CallGate;
}

/** A program that calls. */
export interface Client {
  readonly process: SimulatedProcess;
  readonly site: string;
  readonly caller: Caller;
}

/** How long a machine takes to find out that nobody answers. */
const CONNECT_TIMEOUT_MS = 10_000;
const SILENCE_MS = rpcLimits.serverSilenceMs;
const NEAR_MS = 0.2;
const FAR_MS = 8;

/** A connection with the calls that are open over it. */
interface LiveConnection {
  readonly server: Server;
  readonly connection: Connection;
  readonly made: Set<MadeCall>;
  readonly served: Set<ServedCall>;
}

/** Sites and what lies between them: delays, lost packets, cuts in one direction or both, connections that break. */
export class SimulatedNetwork {
  readonly #links = new Map<string, Link>();
  readonly #servers = new Map<string, Server>();
  readonly #connections = new Set<LiveConnection>();
  /** Calls that are being served, and by whom. */
  readonly #handling = new Map<ServedCall, SimulatedProcess>();
  /** By which programs of one site find each other. */
  readonly lan = new SimulatedLan(this);
  /** Errors that no handler should have raised. */
  readonly defects: string[] = [];

  constructor(private readonly time: SimulatedTime) {}

  /** Calls that are open, as their callers see it. */
  get openCalls(): number {
    let count = 0;
    for (const { made } of this.#connections) count += made.size;
    return count;
  }

  /** Calls whose handlers run. */
  get servedCalls(): number {
    let count = 0;
    for (const { isAlive } of this.#handling.values()) if (isAlive) count++;
    return count;
  }

  get connectionCount(): number {
    return this.#connections.size;
  }

  listen(address: string, server: Server): void {
    this.#servers.set(address, server);
  }

  link(from: string, to: string): Link {
    const name = `${from} → ${to}`;
    const known = this.#links.get(name) ?? new Link(name, from === to ? NEAR_MS : FAR_MS);
    this.#links.set(name, known);
    return known;
  }

  /** Cuts a link. Connections that hear nothing for too long are given up. */
  cut(link: Link): void {
    link.isCut = true;
    this.time.after(SILENCE_MS, () => {
      if (!link.isCut) return;
      for (const { connection } of [...this.#connections])
        if (connection.uses(link)) connection.break('nothing was heard');
    });
  }

  /** Breaks all connections that use a link. */
  breakOver(link: Link): void {
    for (const { connection } of [...this.#connections])
      if (connection.uses(link)) connection.break('the line is dead');
  }

  mend(link: Link): void {
    link.isCut = false;
    for (const { connection } of [...this.#connections]) connection.resume(link);
  }

  /** Everything is as it should be. */
  healAll(): void {
    for (const link of this.#links.values()) {
      link.congestion = 1;
      this.mend(link);
    }
  }

  /** Breaks all connections of a program. */
  breakAll(process: SimulatedProcess): void {
    for (const { connection } of [...this.#connections]) {
      if (connection.client.process === process || connection.server.process === process)
        connection.break('it was reset');
    }
  }

  /** A program is gone: whoever is connected to it is told, where the links hold. */
  crashed(process: SimulatedProcess): void {
    for (const live of [...this.#connections]) {
      const { client, server } = live.connection;
      if (client.process !== process && server.process !== process) continue;
      if (!client.process.isAlive && !server.process.isAlive) this.#connections.delete(live);
      else live.connection.closeBy(client.process === process ? 'client' : 'server', 'the other side is gone');
    }
  }

  /** A channel to whoever listens at `address`. */
  open(client: Client, address: string): RpcChannel {
    let connecting: Promise<LiveConnection> | undefined;
    let live: LiveConnection | undefined;
    const dial = async (method: MethodDefinition, accessToken: string | undefined): Promise<MadeCall> => {
      if (live?.connection.isOpen !== true) {
        connecting ??= this.#connect(client, address).finally(() => (connecting = undefined));
        live = await connecting;
      }
      return this.#call(live, client, method, accessToken);
    };
    return new SimulatedChannel(address, client.process.context.clock, dial, () => {
      live?.connection.closeBy('client', 'it was closed');
    });
  }

  async #connect(client: Client, address: string): Promise<LiveConnection> {
    const server = this.#servers.get(address);
    const { process, site } = client;
    const up = this.link(site, server?.site ?? site);
    const down = this.link(server?.site ?? site, site);
    const { clock, random } = process.context;
    if (up.isCut || down.isCut) await clock.sleep(CONNECT_TIMEOUT_MS);
    else await clock.sleep(up.delayMs(random) + down.delayMs(random));
    if (server?.process.isAlive !== true || up.isCut || down.isCut) {
      throw new DrystoneError('UNAVAILABLE', 'TRANSPORT', `nothing answers at ${address}`);
    }
    return this.#established(client, server, { up, down }, address);
  }

  #established(
    client: Client,
    server: Server,
    links: { readonly up: Link; readonly down: Link },
    address: string,
  ): LiveConnection {
    const made = new Set<MadeCall>();
    const served = new Set<ServedCall>();
    const lost = (why: string): void => {
      const error = new DrystoneError('UNAVAILABLE', 'TRANSPORT', `${address}: the connection was lost: ${why}`);
      for (const call of [...made]) call.end(error);
      this.#connections.delete(live);
    };
    const connection = new Connection(
      { process: client.process, onLoss: lost },
      {
        process: server.process,
        onLoss: () => {
          for (const call of [...served]) call.cancel();
          this.#connections.delete(live);
        },
      },
      links,
    );
    const live: LiveConnection = { server, connection, made, served };
    this.#connections.add(live);
    client.process.note(`connected to ${address}`);
    return live;
  }

  #call(live: LiveConnection, client: Client, method: MethodDefinition, accessToken: string | undefined): MadeCall {
    const { server, connection, made, served } = live;
    const target = methodOf(server, method.path);
    if (target === undefined) throw new DrystoneError('UNIMPLEMENTED', 'TRANSPORT', `nobody serves ${method.path}`);
    const down = {
      response: (message: Buffer) => connection.send('down', () => call.responses.put(message)),
      end: (error: DrystoneError | undefined) => connection.send('down', () => call.end(error)),
    };
    const handled = new ServedCall(target, { caller: client.caller, accessToken }, down, () => call.requestTaken());
    const call: MadeCall = new MadeCall(
      method,
      {
        request: (message) => {
          client.process.note(`→ ${method.path} ${message.length}`);
          connection.send('up', () => handled.request(message));
        },
        requestsEnded: () => connection.send('up', () => handled.requestsEnded()),
        responseTaken: () => handled.responseTaken(),
        cancel: () => connection.send('up', () => handled.cancel()),
      },
      () => made.delete(call),
    );
    made.add(call);
    connection.send('up', () => {
      served.add(handled);
      this.#handling.set(handled, server.process);
      void handled.run(server.gate).then((error) => {
        served.delete(handled);
        this.#handling.delete(handled);
        if (error?.code === 'INTERNAL') this.defects.push(`${method.path}: ${error.message} ${causeOf(error)}`);
      });
    });
    return call;
  }
}

function methodOf({ services }: Server, path: string): ServedMethod | undefined {
  for (const { methods } of services) {
    for (const served of Object.values(methods)) if (served.method.path === path) return served;
  }
  return undefined;
}

function causeOf({ cause }: Error): string {
  return cause instanceof Error ? (cause.stack ?? '') : '';
}

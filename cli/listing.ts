import type { CommandSpec } from './command.js';
import type { SettingTable } from './settings/setting.js';

/** A command as help lists it. What it takes and does is loaded when it is asked for: a run needs one of them. */
export interface ListedCommand {
  /** As it is typed, after its group. */
  readonly name: string;
  /** One sentence without a full stop. */
  readonly summary: string;
  load(): Promise<CommandSpec<SettingTable, SettingTable, SettingTable>>;
  /** Those that are typed after it. */
  readonly commands?: readonly ListedCommand[];
}

/** Commands that are typed after one word, which does nothing by itself. */
export interface ListedGroup {
  readonly name: string;
  readonly summary: string;
  readonly description: string;
  readonly commands: readonly ListedCommand[];
}

/** All commands, in the order in which help shows them: that of the first steps. */
export const listing: readonly (ListedCommand | ListedGroup)[] = [
  {
    name: 'demo',
    summary: 'show two sites, two clients and a folder that travels, as real processes on this machine',
    load: async () => (await import('./commands/demo.js')).demo,
  },
  {
    name: 'metadata',
    summary: 'run the central service',
    description: 'The central service, which knows what lies where.',
    commands: [
      {
        name: 'serve',
        summary: 'run the central metadata service',
        load: async () => (await import('./commands/metadata-serve.js')).metadataServe,
      },
    ],
  },
  {
    name: 'login',
    summary: 'make this machine a device of an account, with a one-time token',
    load: async () => (await import('./commands/login.js')).login,
  },
  {
    name: 'agent',
    summary: 'run, admit and list block servers on premises',
    description: 'The block servers on premises.',
    commands: [
      {
        name: 'token',
        summary: 'issue a one-time token with which one agent can join',
        load: async () => (await import('./commands/agent-token.js')).agentToken,
      },
      {
        name: 'serve',
        summary: 'run a block server at a site',
        load: async () => (await import('./commands/agent-serve.js')).agentServe,
      },
      {
        name: 'list',
        summary: 'list the agents, their state and their space',
        load: async () => (await import('./commands/agent-list.js')).agentList,
      },
      {
        name: 'revoke',
        summary: "take an agent's identity away, for good",
        load: async () => (await import('./commands/agent-revoke.js')).agentRevoke,
      },
    ],
  },
  {
    name: 'account',
    summary: 'create and list accounts',
    description: 'People and services, and who may run the fleet.',
    commands: [
      {
        name: 'create',
        summary: 'create an account, for a person or a service',
        load: async () => (await import('./commands/account-create.js')).accountCreate,
      },
      {
        name: 'list',
        summary: 'list the accounts and their roles',
        load: async () => (await import('./commands/account-list.js')).accountList,
      },
      {
        name: 'role',
        summary: 'say whether an account may run the fleet',
        load: async () => (await import('./commands/account-role.js')).accountRole,
      },
    ],
  },
  {
    name: 'device',
    summary: 'admit, list and revoke devices',
    description: 'The endpoints of accounts.',
    commands: [
      {
        name: 'token',
        summary: 'issue a one-time token with which one device can log in',
        load: async () => (await import('./commands/device-token.js')).deviceToken,
      },
      {
        name: 'list',
        summary: 'list devices, those that were revoked too',
        load: async () => (await import('./commands/device-list.js')).deviceList,
      },
      {
        name: 'revoke',
        summary: "take a device's identity away, for good",
        load: async () => (await import('./commands/device-revoke.js')).deviceRevoke,
      },
    ],
  },
  {
    name: 'namespace',
    summary: 'create, share and list shared folders',
    description: 'The roots of shared folders.',
    commands: [
      {
        name: 'create',
        summary: 'create a namespace and assign it to agents',
        load: async () => (await import('./commands/namespace-create.js')).namespaceCreate,
      },
      {
        name: 'share',
        summary: 'make an account a member of a namespace, or give it another role',
        load: async () => (await import('./commands/namespace-share.js')).namespaceShare,
      },
      {
        name: 'unshare',
        summary: "end an account's membership in a namespace",
        load: async () => (await import('./commands/namespace-unshare.js')).namespaceUnshare,
      },
      {
        name: 'list',
        summary: 'list the namespaces',
        load: async () => (await import('./commands/namespace-list.js')).namespaceList,
      },
      {
        name: 'show',
        summary: 'show one namespace, the agents that hold it, and its members',
        load: async () => (await import('./commands/namespace-show.js')).namespaceShow,
      },
      {
        name: 'assign',
        summary: 'say which agents hold a namespace from now on',
        load: async () => (await import('./commands/namespace-assign.js')).namespaceAssign,
      },
    ],
  },
  {
    name: 'sync',
    summary: 'keep a folder the same as a namespace',
    load: async () => (await import('./commands/sync.js')).sync,
  },
  {
    name: 'status',
    summary: 'say who you are, how the fleet is, and the folder you are in',
    load: async () => (await import('./commands/status.js')).status,
  },
  {
    name: 'conflicts',
    summary: 'list what several have changed at the same time, and nobody has decided yet',
    load: async () => (await import('./commands/conflicts.js')).conflicts,
    commands: [
      {
        name: 'resolve',
        summary: 'end a conflict in a synced folder',
        load: async () => (await import('./commands/conflicts-resolve.js')).conflictsResolve,
      },
    ],
  },
  {
    name: 'why',
    summary: 'say why a file is not here, or not at the others',
    load: async () => (await import('./commands/why.js')).why,
  },
  {
    name: 'ls',
    summary: 'list what a namespace holds, without syncing it',
    load: async () => (await import('./commands/ls.js')).ls,
  },
  {
    name: 'cat',
    summary: 'write a file of a namespace to standard output, without syncing it',
    load: async () => (await import('./commands/cat.js')).cat,
  },
  {
    name: 'audit',
    summary: 'show who did what to accounts, devices, agents, namespaces, tokens and the CA',
    load: async () => (await import('./commands/audit.js')).audit,
  },
];

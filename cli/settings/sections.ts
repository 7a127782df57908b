import { parsePremisesName } from '../../common/ids.js';
import { blockServerLimits } from '../../common/limits.js';
import { logLevels } from '../../common/logging.js';
import { optional, required, withDefault, type Setting, type SettingTable } from './setting.js';
import {
  address,
  addressOrOff,
  byteCount,
  byteRate,
  directory,
  file,
  fileOrInput,
  name,
  oneOf,
  oneTimeToken,
} from './values.js';

/**
 * Every setting that a file or the environment can hold, by section. A key is called the same as the flag of the command
 * that uses it; docs/configuration.md lists them.
 */

/** Where the metadata service listens unless somebody says otherwise. */
export const METADATA_ADDRESS = '127.0.0.1:7420';

/** Settings of every command: they stand above the sections of a file. */
export const commonSettings = {
  'log-level': optional(oneOf(logLevels), 'how much to log, to standard error', 'info when serving, else silent'),
} satisfies SettingTable;

/** Settings of `drystone metadata serve`. */
export const metadataSettings = {
  data: required(directory, 'where the service keeps its data; made on the first start'),
  engine: withDefault(
    oneOf(['lmdb', 'memory']),
    'what keeps the data; memory forgets it all when the service stops',
    'lmdb',
  ),
  listen: withDefault(address, 'where to serve gRPC; port 0 takes a free one', METADATA_ADDRESS),
  http: withDefault<string | undefined>(
    addressOrOff,
    'where to serve /metrics, /healthz and /readyz',
    '127.0.0.1:9420',
  ),
  'server-certificate': optional(
    file,
    'a certificate of your own for this server, PEM, with the chain to its CA; needs --server-key',
    "one of the fleet's CA",
  ),
  'server-key': optional(file, 'the private key of that certificate, PEM'),
} satisfies SettingTable;

/** Settings of `drystone agent serve`. */
export const agentSettings = {
  data: required(directory, 'where the agent keeps its blocks, key and certificate; made on the first start'),
  metadata: withDefault(address, 'where the metadata service listens', METADATA_ADDRESS),
  join: optional(
    oneTimeToken,
    'the one-time token with which it joins on its first start; others see it in process lists',
  ),
  'join-file': optional(fileOrInput, 'the file that has this token, or - for standard input'),
  premises: optional(
    name(parsePremisesName),
    'the site where this agent stands; refused where its token says another',
    'what the token says',
  ),
  listen: withDefault(address, 'where to serve gRPC; port 0 takes a free one', '127.0.0.1:7421'),
  advertise: optional(address, 'where clients reach this agent, where that differs', 'the address it listens on'),
  http: withDefault<string | undefined>(
    addressOrOff,
    'where to serve /metrics, /healthz and /readyz',
    '127.0.0.1:9421',
  ),
  'free-floor': withDefault(
    byteCount,
    'refuse blocks while less than this is free on the disk',
    blockServerLimits.freeFloorBytes,
    '1GiB',
  ),
} satisfies SettingTable;

/** Settings of the commands that ask about the fleet. */
export const fleetSettings = {
  metadata: optional(
    address,
    'where the metadata service listens',
    `where this device logged in, else ${METADATA_ADDRESS}`,
  ),
  home: {
    ...directory,
    about: "where this device's key and certificate lie",
    fallback: { shown: '$XDG_DATA_HOME/drystone, else ~/.local/share/drystone', value: ({ data }) => data },
  } satisfies Setting<string>,
} satisfies SettingTable;

/** Settings of the commands that sync and read. */
export const clientSettings = {
  ...fleetSettings,
  premises: optional(name(parsePremisesName), 'the site where this device stands; its agents are preferred', 'none'),
} satisfies SettingTable;

/** Settings of `drystone sync`. */
export const syncSettings = {
  ...clientSettings,
  'peer-listen': withDefault<string | undefined>(
    addressOrOff,
    'where to give blocks, and while servers are away news, to other endpoints of the namespace; off, and it does without them',
    '0.0.0.0:0',
    'a free port on all addresses',
  ),
  'max-upload-rate': optional(byteRate, 'send no more bytes of blocks a second than this', 'no limit'),
  'max-download-rate': optional(byteRate, 'fetch no more bytes of blocks a second than this', 'no limit'),
} satisfies SettingTable;

/** The sections of a settings file, by name; `common` settings stand above all of them. */
export const sections = {
  metadata: metadataSettings,
  agent: agentSettings,
  client: syncSettings,
} as const satisfies Readonly<Record<string, SettingTable>>;

/** The name of a section of settings. */
export type SectionName = keyof typeof sections;

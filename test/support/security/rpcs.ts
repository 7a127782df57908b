import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { createFileRegistry, fromBinary, type DescMessage, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { loadSync, type ServiceDefinition } from '@grpc/proto-loader';
import { service as healthService } from 'grpc-health-check';
import { descriptorSetBase64 } from '../../../proto/gen/descriptors.js';

/** An RPC as its contract has it. */
export interface Rpc {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** An RPC of our own contracts, which can be taken apart. */
export interface ContractRpc extends Rpc {
  readonly input: DescMessage;
}

/** All of our contracts. */
const contracts: FileRegistry = createFileRegistry(
  fromBinary(FileDescriptorSetSchema, Buffer.from(descriptorSetBase64, 'base64')),
);

/** Every RPC of our contracts. */
export const contractRpcs: readonly ContractRpc[] = [...contracts].flatMap((type) =>
  type.kind !== 'service'
    ? []
    : type.methods.map((method) => ({
        path: `/${type.typeName}/${method.name}`,
        requestStream: method.methodKind === 'client_streaming' || method.methodKind === 'bidi_streaming',
        responseStream: method.methodKind === 'server_streaming' || method.methodKind === 'bidi_streaming',
        input: method.input,
      })),
);

/** Every RPC of the libraries that our servers serve beside their own: health, and reflection in all its versions. */
export const libraryRpcs: readonly Rpc[] = [healthService, ...reflectionServices()].flatMap((service) =>
  Object.values(service).map(({ path, requestStream, responseStream }) => ({ path, requestStream, responseStream })),
);

function reflectionServices(): ServiceDefinition[] {
  const root = dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json'));
  const versions = join(root, 'build/proto/grpc/reflection');
  return readdirSync(versions).map((version) => {
    const loaded = loadSync(join(versions, version, 'reflection.proto'));
    return loaded[`grpc.reflection.${version}.ServerReflection`] as ServiceDefinition;
  });
}

/** The RPCs that a server serves, by path; `isOurs` says which services of the contracts are among them. */
export function servedPaths(isOurs: (path: string) => boolean): string[] {
  return [...contractRpcs, ...libraryRpcs]
    .map(({ path }) => path)
    .filter((path) => path.startsWith('/grpc.') || isOurs(path));
}

const asIs = (bytes: Buffer): Buffer => bytes;

/** An RPC whose messages are bytes, as they are. */
export function rawMethod({ path, requestStream, responseStream }: Rpc) {
  return {
    path,
    requestStream,
    responseStream,
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
}

import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import {
  credentials,
  loadPackageDefinition,
  type ChannelCredentials,
  type ClientDuplexStream,
  type ClientReadableStream,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';

/**
 * Clients of the standard services as any gRPC tool would make them: from the published contracts, not from our code.
 * Without credentials they speak to servers with those of test/support/trust/loopback-credentials.ts.
 */
const plaintext: ChannelCredentials = credentials.createInsecure();

const reflectionProto = join(
  dirname(createRequire(import.meta.url).resolve('@grpc/reflection/package.json')),
  'build/proto/grpc/reflection/v1/reflection.proto',
);

interface HealthClient {
  check(request: object, callback: (error: Error | null, answer?: { status: string }) => void): void;
  watch(request: object): ClientReadableStream<{ status: string }>;
  close(): void;
}

interface ReflectionClient {
  serverReflectionInfo(): ClientDuplexStream<ReflectionRequest, ReflectionAnswer>;
  close(): void;
}

export interface ReflectionRequest {
  readonly list_services?: string;
  readonly file_containing_symbol?: string;
}

export interface ReflectionAnswer {
  readonly list_services_response?: { readonly service: readonly { readonly name: string }[] };
  readonly file_descriptor_response?: { readonly file_descriptor_proto: readonly Buffer[] };
  readonly error_response?: { readonly error_code: number };
}

/** A client of the service called `name` in the contract at `proto`. */
function clientOf<Client>(
  proto: string,
  name: readonly string[],
  address: string,
  channelCredentials = credentials.createInsecure(),
): Client {
  const loaded = loadPackageDefinition(loadSync(proto, { keepCase: true, enums: String }));
  const Constructor = name.reduce<unknown>((scope, part) => (scope as Record<string, unknown>)[part], loaded);
  return new (Constructor as new (...args: unknown[]) => Client)(address, channelCredentials);
}

const healthClient = (address: string, channelCredentials?: ChannelCredentials): HealthClient =>
  clientOf(healthProto, ['grpc', 'health', 'v1', 'Health'], address, channelCredentials);

/** What a health check of the whole server answers. */
export async function checkHealth(address: string, channelCredentials?: ChannelCredentials): Promise<string> {
  const client = healthClient(address, channelCredentials);
  try {
    return await new Promise((resolve, reject) => {
      client.check({}, (error, answer) => (error === null ? resolve(answer?.status ?? '') : reject(error)));
    });
  } finally {
    client.close();
  }
}

/** The health of the whole server, as it changes, until the server ends the watch. */
export async function* watchHealth(address: string, channelCredentials = plaintext): AsyncGenerator<string, undefined> {
  const client = healthClient(address, channelCredentials);
  const watch = client.watch({});
  try {
    for await (const { status } of watch as AsyncIterable<{ status: string }>) yield status;
  } finally {
    client.close();
  }
}

/** The answer to one reflection request. */
export async function callReflection(
  address: string,
  request: ReflectionRequest,
  channelCredentials = plaintext,
): Promise<ReflectionAnswer> {
  const name = ['grpc', 'reflection', 'v1', 'ServerReflection'];
  const client = clientOf<ReflectionClient>(reflectionProto, name, address, channelCredentials);
  const call = client.serverReflectionInfo();
  try {
    return await new Promise((resolve, reject) => {
      call.once('data', resolve).once('error', reject);
      call.write(request);
    });
  } finally {
    call.end();
    client.close();
  }
}

import { status, type Server, type ServerDuplexStream } from '@grpc/grpc-js';

type Service = Parameters<Server['addService']>[0];
type Rpc = Service[string];
type BytesStream = ServerDuplexStream<Buffer, Buffer>;

/** What the library's implementation uses of a call. */
interface ReflectionStream {
  on(event: 'data' | 'end', listener: (message?: unknown) => void): void;
  write(answer: unknown): void;
  end(): void;
}

/** One RPC of the library's implementation. */
interface Reflection {
  readonly rpc: Rpc;
  readonly handle: (stream: ReflectionStream) => void;
}

const NAME = 'ServerReflectionInfo';
/** The protocol, and what it was called while it was new: most tools ask for both. */
const PATHS = ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/${NAME}`);

/** Messages are read and written by what the library brings, once it is there. */
const asIs = (message: Buffer): Buffer => message;

/**
 * Serves server reflection. The library describes all contracts when it is made, which costs a program a sixth of the time
 * in which it starts, and few are ever asked: it is made when somebody asks.
 */
export function addReflection(server: Pick<Server, 'addService'>): void {
  let made: Promise<ReadonlyMap<string, Reflection>> | undefined;
  for (const path of PATHS) {
    const rpc: Rpc = {
      path,
      requestStream: true,
      responseStream: true,
      requestSerialize: asIs,
      requestDeserialize: asIs,
      responseSerialize: asIs,
      responseDeserialize: asIs,
    };
    const handle = (call: BytesStream): void => {
      made ??= makeReflection();
      made.then((reflections) => answer(call, reflections.get(path))).catch((cause: unknown) => fail(call, cause));
    };
    server.addService({ [NAME]: rpc }, { [NAME]: handle });
  }
}

async function makeReflection(): Promise<ReadonlyMap<string, Reflection>> {
  const [{ ReflectionService }, { loadFileDescriptorSetFromBuffer }, { descriptorSetBase64 }] = await Promise.all([
    import('@grpc/reflection'),
    import('@grpc/proto-loader'),
    import('../../proto/gen/descriptors.js'),
  ]);
  const reflections = new Map<string, Reflection>();
  const contracts = loadFileDescriptorSetFromBuffer(Buffer.from(descriptorSetBase64, 'base64'));
  new ReflectionService(contracts).addToServer({
    addService(service, implementation) {
      const rpc = service[NAME];
      const handle = implementation[NAME] as Reflection['handle'] | undefined;
      if (rpc !== undefined && handle !== undefined) reflections.set(rpc.path, { rpc, handle });
    },
  });
  return reflections;
}

function answer(call: BytesStream, reflection: Reflection | undefined): void {
  if (reflection === undefined) throw new Error('the library does not serve this version of reflection');
  const { rpc, handle } = reflection;
  handle({
    on(event, listener) {
      call.on(event, (bytes?: Buffer) => {
        try {
          listener(bytes === undefined ? undefined : rpc.requestDeserialize(bytes));
        } catch (cause) {
          fail(call, cause);
        }
      });
    },
    write: (message) => call.write(rpc.responseSerialize(message)),
    end: () => call.end(),
  });
}

function fail(call: BytesStream, cause: unknown): void {
  const details = `reflection failed: ${cause instanceof Error ? cause.message : String(cause)}`;
  call.emit('error', { code: status.INTERNAL, details });
}

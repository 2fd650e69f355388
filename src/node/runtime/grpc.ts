/** gRPC over a unix socket with messages stated as text (`field=number type`): the little that CRI and containerd's events need. */
import { Client, credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js'
import protobuf from 'protobufjs/light.js'
import { RuntimeError } from './driver.ts'

export interface Descriptor {
  readonly package: string
  readonly messages: Readonly<Record<string, string>>
  readonly enums: Readonly<Record<string, readonly string[]>>
}

export type Message = Readonly<Record<string, unknown>>

/** Message types by name; `SecurityProfile.ProfileType`-like nesting is not needed where only numbers travel. */
export function messageTypes(descriptor: Descriptor): (name: string) => protobuf.Type {
  const nested: Record<string, protobuf.AnyNestedObject> = {}
  for (const [name, values] of Object.entries(descriptor.enums)) nested[name] = { values: Object.fromEntries(values.map((v, i) => [v, i])) }
  for (const [name, text] of Object.entries(descriptor.messages)) nested[name] = { fields: Object.fromEntries(text === '' ? [] : text.split(/, (?=\w+=)/).map(field)) }
  const root = protobuf.Root.fromJSON({ nested })
  root.resolveAll()
  return (name) => root.lookupType(name)
}

function field(text: string): [string, protobuf.IField] {
  const [, name = '', id = '', type = ''] = /^(\w+)=(\d+) (.+)$/.exec(text) ?? []
  const map = /^map<(\w+),(\w+)>$/.exec(type)
  if (map) return [name, { id: Number(id), keyType: map[1] as string, type: map[2] as string } as protobuf.IMapField]
  return [name, type.startsWith('repeated ') ? { id: Number(id), rule: 'repeated', type: type.slice('repeated '.length) } : { id: Number(id), type }]
}

const shape: protobuf.IConversionOptions = { longs: Number, defaults: true, arrays: true, objects: true }

/** Codecs of one message type. Numbers of 64 bits become JavaScript numbers: nanosecond times lose a few hundred nanoseconds. */
export const codec = (type: protobuf.Type) => ({
  encode: (value: Message): Buffer => Buffer.from(type.encode(type.fromObject(value as Record<string, unknown>)).finish()),
  decode: (bytes: Uint8Array): Message => type.toObject(type.decode(bytes), shape) as Message,
})

export interface GrpcClient {
  unary(path: string, request: string, response: string, body: Message, timeoutMs: number): Promise<Message>
  stream(path: string, request: string, response: string, body: Message, signal: AbortSignal): AsyncIterable<Message>
  close(): void
}

/** Rejects with `RuntimeError`; a lost connection is re-made on the next call. */
export function grpcClient(socket: string, descriptor: Descriptor, metadata: Readonly<Record<string, string>> = {}): GrpcClient {
  const client = new Client(`unix://${socket}`, credentials.createInsecure(), {
    'grpc.max_receive_message_length': 64 << 20,
    'grpc.initial_reconnect_backoff_ms': 50,
    'grpc.min_reconnect_backoff_ms': 50,
    'grpc.max_reconnect_backoff_ms': 1000,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.default_authority': 'localhost',
  })
  const types = messageTypes(descriptor)
  const codecs = new Map<string, ReturnType<typeof codec>>()
  const codecOf = (name: string) => {
    const known = codecs.get(name) ?? codec(types(name))
    codecs.set(name, known)
    return known
  }
  const headers = () => {
    const m = new Metadata()
    for (const [key, value] of Object.entries(metadata)) m.set(key, value)
    return m
  }
  return {
    unary(path, request, response, body, timeoutMs) {
      const [encode, decode] = [codecOf(request).encode, codecOf(response).decode]
      return new Promise((resolve, reject) => {
        client.makeUnaryRequest(path, encode, decode, body, headers(), { deadline: Date.now() + timeoutMs }, (error, value) => {
          if (error) reject(runtimeError(error))
          else resolve(value ?? {})
        })
      })
    },
    async *stream(path, request, response, body, signal) {
      const call = client.makeServerStreamRequest(path, codecOf(request).encode, codecOf(response).decode, body, headers())
      const cancel = () => call.cancel()
      signal.addEventListener('abort', cancel, { once: true })
      try {
        for await (const message of call) yield message as Message
      } catch (error) {
        if (!signal.aborted) throw runtimeError(error as ServiceError)
      } finally {
        signal.removeEventListener('abort', cancel)
        call.cancel()
      }
    },
    close: () => client.close(),
  }
}

function runtimeError(error: ServiceError): RuntimeError {
  const reason = error.code === status.NOT_FOUND ? 'notfound' : error.code === status.DEADLINE_EXCEEDED ? 'timeout' : error.code === status.UNAVAILABLE ? 'unavailable' : 'failed'
  return new RuntimeError(reason, error.details || error.message)
}

/** A key management service over gRPC, as Kubernetes speaks to it: `v2.KeyManagementService` on a unix socket. */
import { bytes, map, string, struct, zero, type StructType } from '../../../api/schema.ts'
import { decodeMessage, encodeMessage } from '../../../machinery/protobuf.ts'
import type { KmsOptions } from '../configuration.ts'
import type { EncryptionTally } from '../tally.ts'

export interface KmsStatus { readonly version: string; readonly healthz: string; readonly keyId: string }
export type Annotations = Readonly<Record<string, string>>
/** What the service made of a secret. Annotations are base64 text. */
export interface Wrapped { readonly ciphertext: Buffer; readonly keyId: string; readonly annotations: Annotations }

export interface KmsService {
  status(): Promise<KmsStatus>
  /** `uid` names the call in the logs of both sides. */
  encrypt(uid: string, plaintext: Uint8Array): Promise<Wrapped>
  decrypt(uid: string, wrapped: Wrapped): Promise<Buffer>
  close(): void
}

export const StatusRequest = struct('StatusRequest', {})
export const StatusResponse = struct('StatusResponse', { version: zero(1, string), healthz: zero(2, string), keyId: zero(3, string) })
export const DecryptRequest = struct('DecryptRequest', { ciphertext: zero(1, bytes), uid: zero(2, string), keyId: zero(3, string), annotations: zero(4, map(bytes)) })
export const DecryptResponse = struct('DecryptResponse', { plaintext: zero(1, bytes) })
export const EncryptRequest = struct('EncryptRequest', { plaintext: zero(1, bytes), uid: zero(2, string) })
export const EncryptResponse = struct('EncryptResponse', { ciphertext: zero(1, bytes), keyId: zero(2, string), annotations: zero(3, map(bytes)) })

const base64 = (value: Uint8Array): string => Buffer.from(value).toString('base64')

/** The path of a method. */
export const methodPath = (name: string): string => `/v2.KeyManagementService/${name}`

/** The service at an endpoint; connected at the first call. Calls reject when it is not there, does not answer in time, or says no. */
export function kmsService({ name: provider, endpoint, timeout }: KmsOptions, tally: Pick<EncryptionTally, 'called'>): KmsService {
  const connected = connect(endpoint)
  connected.catch(() => undefined) // said by every call
  const call = async <A>(name: string, request: StructType, body: object, answer: StructType<A>): Promise<A> => {
    const client = await connected
    const begun = performance.now()
    return new Promise((resolve, reject) => {
      client.makeUnaryRequest(
        methodPath(name), (message: object) => Buffer.from(encodeMessage(request, message)), (buffer: Buffer) => decodeMessage(answer, buffer), body,
        { deadline: Date.now() + timeout },
        (error, value) => {
          const failure = error ? Object.assign(new Error(`kms ${endpoint}: ${name}: ${error.details || error.message}`), { grpcCode: error.code }) : undefined
          tally.called(provider, methodPath(name), begun, failure)
          if (failure) reject(failure)
          else resolve(value as A)
        },
      )
    })
  }
  return {
    async status() {
      const { version = '', healthz = '', keyId = '' } = await call('Status', StatusRequest, {}, StatusResponse)
      return { version, healthz, keyId }
    },
    async encrypt(uid, plaintext) {
      const { ciphertext = '', keyId = '', annotations = {} } = await call('Encrypt', EncryptRequest, { plaintext: base64(plaintext), uid }, EncryptResponse)
      return { ciphertext: Buffer.from(ciphertext, 'base64'), keyId, annotations }
    },
    async decrypt(uid, { ciphertext, keyId, annotations }) {
      const { plaintext = '' } = await call('Decrypt', DecryptRequest, { ciphertext: base64(ciphertext), uid, keyId, annotations }, DecryptResponse)
      return Buffer.from(plaintext, 'base64')
    },
    close: () => void connected.then((client) => client.close(), () => undefined),
  }
}

/** gRPC is loaded only where a configuration names a service. */
async function connect(endpoint: string) {
  const { Client, credentials } = await import('@grpc/grpc-js')
  return new Client(endpoint, credentials.createInsecure(), {
    'grpc.initial_reconnect_backoff_ms': 100, 'grpc.max_reconnect_backoff_ms': 2000, 'grpc.use_local_subchannel_pool': 1, 'grpc.default_authority': 'localhost',
  })
}

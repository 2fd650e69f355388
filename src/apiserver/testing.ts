/** A server for tests: memory store, frozen objects, and edges that let everybody do everything unless a test says otherwise. */
import type { Client } from '../client/client.ts'
import { systemClock, type Clock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import { createMemoryStore } from '../store/memory.ts'
import type { Store } from '../store/store.ts'
import type { AdmissionChain } from './admission/admission.ts'
import type { HttpLimits } from './http/limits.ts'
import type { Identity } from './identity.ts'
import type { ApiServer, Edges, ServerEnvironment, TlsOptions } from './options.ts'
import { createApiServer } from './server.ts'

export const tester: Identity = { name: 'tester', groups: ['system:authenticated'] }

export const openAdmission: AdmissionChain = { mutate: async ({ object }) => object, validate: async () => undefined }

export interface TestServer {
  readonly server: ApiServer
  readonly client: Client
  readonly store: Store
}

export interface TestServerOptions {
  readonly clock?: Clock
  readonly store?: Store
  readonly tls?: TlsOptions
  readonly edges?: Partial<Edges>
  /** Sees what edges are made with. */
  readonly onEnvironment?: (env: ServerEnvironment) => void
  readonly serviceCidr?: string
  readonly nodePorts?: readonly [from: number, to: number]
  readonly limits?: Partial<HttpLimits>
  readonly shutdownDelay?: number
  readonly minRequestTimeout?: number
}

/** Starts a server that does not listen yet; closed by the caller. */
export async function startTestServer({ clock = systemClock, store = createMemoryStore({ clock }), tls, edges = {}, onEnvironment, ...ranges }: TestServerOptions = {}): Promise<TestServer> {
  const server = await createApiServer({
    store,
    clock,
    log: quiet,
    freeze: true,
    ...ranges,
    ...(tls ? { tls } : {}),
    edges: (env) => (onEnvironment?.(env), {
      authenticate: () => tester,
      authorize: () => ({ allowed: true, reason: '' }),
      admission: openAdmission,
      routes: { handle: () => undefined },
      ...edges,
    }),
  })
  return { server, client: server.clientFor(tester), store }
}

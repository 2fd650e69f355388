/** What an API server is made of: the options of `createApiServer`, and the edges that are plugged into its corridor. */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Resource, StructType } from '../api/index.ts'
import type { ApiObject, Client } from '../client/client.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Status } from '../machinery/errors.ts'
import type { Logger } from '../machinery/log.ts'
import type { Store } from '../store/store.ts'
import type { RemoteCalls } from './aggregation/calls.ts'
import type { Tunnels } from './reach/tunnel.ts'
import type { KubeletTls } from './streaming/kubelet.ts'
import type { AdmissionChain } from './admission/admission.ts'
import type { HttpLimits } from './http/limits.ts'
import type { ApiRequest, ApiResponse, Handler, RequestInfo, UpgradeHandler } from './http/request.ts'
import type { Identity } from './identity.ts'
import type { Commits } from './registry/commits.ts'
import type { Printer, RequestContext } from './strategy.ts'

/**
 * Who sends this request. A request without credentials is `anonymous`; invalid ones throw `unauthorized()` (401). Called once per request:
 * the authenticator caches what belongs to a connection (its client certificate).
 */
export type Authenticate = (raw: IncomingMessage | Http2ServerRequest, info: RequestInfo) => Promise<Identity> | Identity

/**
 * As whom the request is made: the sender, unless `Impersonate-*` headers name somebody else whom the sender may impersonate.
 * Throws `ApiError` 403 for any part that the sender may not impersonate, or not for what `info` asks; 400 for malformed headers.
 */
export type Impersonate = (user: Identity, headers: IncomingHttpHeaders, info: RequestInfo) => Promise<Identity> | Identity

export interface Decision {
  readonly allowed: boolean
  /** Appended to the sentence "User … cannot …"; may be empty. */
  readonly reason: string
}

/**
 * Whether `user` may do what `info` says. The corridor words the refusal, a 403.
 * Not called for the server's own client.
 */
export type Authorize = (user: Identity, info: RequestInfo) => Promise<Decision> | Decision

export interface VirtualCall extends RequestContext {
  readonly resource: Resource
  readonly signal: AbortSignal | undefined
}

/** A resource, or a subresource, that is computed instead of stored. */
export interface VirtualResource {
  /** The type of a create's body; by default the resource's. */
  readonly type?: StructType<ApiObject>
  /** The apiVersion of that type; by default the resource's. */
  readonly apiVersion?: string
  /** Answers a create (201): reviews, token requests. The body is decoded, defaulted and has its namespace set. */
  create?(body: ApiObject, call: VirtualCall): Promise<ApiObject> | ApiObject
  /** All objects, for get and list (component statuses). */
  list?(call: VirtualCall): Promise<readonly ApiObject[]> | readonly ApiObject[]
  /** What `kubectl get` shows of them. */
  readonly printer?: Printer<ApiObject>
}

/** What is served beside the stored resources. */
export interface EdgeRoutes {
  /** The handler of a non-resource path: /version, /api, /apis…, /openapi…, /healthz, /metrics. Runs after authorization. */
  handle(path: string): Handler | undefined
  /** The handler of a subresource that connects to a node or a pod (`pods/log`, `nodes/proxy`), by `groupResource` and name. */
  subresource?(groupResource: string, subresource: string): Handler | undefined
  /** The same for connections that ask for an upgrade: exec, attach, portforward, proxied WebSockets. */
  upgrade?(groupResource: string, subresource: string): UpgradeHandler | undefined
  /** The handler of whatever an extension API server serves. Called for every request. */
  remote?(info: RequestInfo): Handler | undefined
  /** The same for upgrades. */
  remoteUpgrade?(info: RequestInfo): UpgradeHandler | undefined
  /** What components in this process do with objects of extension API servers. */
  readonly remoteCalls?: RemoteCalls
  /** Computed resources: `tokenreviews.authentication.k8s.io`, `serviceaccounts/token`. */
  readonly virtual?: ReadonlyMap<string, VirtualResource>
}

/** One finished request, for counters: the labels of apiserver_request_total and apiserver_request_duration_seconds. */
export interface RequestRecord {
  readonly info: RequestInfo
  /** Upper case; WATCH, LIST, APPLY where Kubernetes tells them apart. */
  readonly verb: string
  readonly code: number
  readonly seconds: number
  /** Of these, the time in webhooks and in flow control's queues. */
  readonly spared?: number
  readonly dryRun?: boolean
  /** Bytes of the response body, 0 where it is a stream. */
  readonly bytes: number
}

export interface RequestObserver {
  started(info: RequestInfo): void
  finished(record: RequestRecord): void
}

/** A request as audit sees it once its sender is known. */
export interface AuditedRequest {
  readonly auditId: string
  readonly info: RequestInfo
  /** The path with its query, as it was sent. */
  readonly uri: string
  readonly user: Identity
  readonly headers: IncomingHttpHeaders
  /** The peer's address; empty for a component in this process. */
  readonly peer: string
}

/** Collects one request's audit events, as much as the policy wants. Nothing here throws. */
export interface AuditTrail {
  /** Whether bodies are recorded; otherwise nobody need prepare them. */
  readonly wantsRequest: boolean
  readonly wantsResponse: boolean
  /** The request continues as `user`. `constraint`: the verb that allowed it, where that is limited to certain requests. */
  impersonated(user: Identity, constraint: string | undefined): void
  /** The first value of a key wins. `from`: only where the policy records request bodies, too. */
  annotate(key: string, value: string, from?: 'Request'): void
  /** What was sent: an object, or a patch as parsed JSON. */
  requestObject(object: unknown): void
  responseObject(object: unknown): void
  /** Why it failed. */
  failed(status: Status): void
  /** A long-running answer has begun: a watch, a stream. */
  started(code: number): void
  /** The handler threw something other than an `ApiError`. */
  panicked(error: unknown): void
  /** It is over. */
  finished(code: number): void
}

export interface AuditEdge {
  /**
   * The trail of a request whose sender is known; undefined when the policy does not audit it. Throws `ApiError` 500 when it must be
   * recorded before it may go on, and cannot be.
   */
  begin(request: AuditedRequest): Promise<AuditTrail> | AuditTrail | undefined
  /** A request with invalid credentials; `user` is nobody. */
  unauthenticated(request: AuditedRequest, status: Status, annotations?: Readonly<Record<string, string>>): void
}

export interface FlowEdge {
  /**
   * Waits until it is the request's turn. Returns a function that releases its seat and may be called more than once; undefined: no seat was taken.
   * Throws `ApiError` 429 when the queues are full, and the signal's reason when `request.signal` aborts while it waits.
   */
  enter(request: ApiRequest, response: ApiResponse | undefined): Promise<(() => void) | undefined> | (() => void) | undefined
}

/** What is plugged into the corridor. Optional edges cost nothing when left out. */
export interface Edges {
  readonly authenticate: Authenticate
  readonly audit?: AuditEdge | undefined
  readonly impersonate?: Impersonate | undefined
  readonly flow?: FlowEdge | undefined
  readonly authorize: Authorize
  readonly admission: AdmissionChain
  readonly routes: EdgeRoutes
  readonly observer?: RequestObserver
}

/** Synchronous reads of the watch cache: never waits, never copies. Objects are in the storage version. */
export interface Lister<T = ApiObject> {
  get(namespace: string, name: string): T | undefined
  /** Ordered by namespace and name; of all namespaces when left out. */
  list(namespace?: string): readonly T[]
  /** Increases with every change of any object of the resource: a cheap cache key for what is derived from the list. */
  revision(): number
  /** What changed after that revision, oldest first; undefined when the cache no longer knows. */
  since(revision: number): readonly { readonly object: T; readonly gone: boolean }[] | undefined
}

/** What edges are given. `client` acts as the server itself: no authorization, but admission and validation. */
export interface ServerEnvironment {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly store: Store
  /** Writes that wait for the disk. */
  readonly commits: Commits
  readonly serviceCidr: string
  /** Every resource that is served, in order of declaration. */
  resources(): readonly Resource[]
  lister<O, I>(resource: Resource<O, I>): Lister<O>
  /** The object with its defaults, in the stored version: any change from outside must go through this. */
  complete(resource: Resource, object: ApiObject): ApiObject
  /** How many objects and watchers a resource has; undefined for resources that are not stored. */
  load(resource: Pick<Resource, 'group' | 'version' | 'plural'>): { readonly objects: number; readonly watchers: number } | undefined
  /** Aborts when the server begins to shut down. */
  readonly stopping: AbortSignal
  /** How pods are reached from a host without a route to them. Left out: directly. */
  readonly tunnels?: Tunnels | undefined
  /** The revision that the watch cache has reached. */
  revision(): number
}

export interface TlsOptions {
  readonly key: string | Buffer
  readonly cert: string | Buffer
  /** Client certificates are requested, and verified against these authorities: PEM, one or several. */
  readonly clientCa?: string | Buffer
}

export interface ApiServerOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** Left out: plain HTTP, for tests. */
  readonly tls?: TlsOptions
  /** Where `listen` binds; default 127.0.0.1. */
  readonly address?: string
  /** 0, the default: any free port. */
  readonly port?: number
  /** Made once the cache is filled, before the first request: `(env) => ({ authenticate: createAuthenticator(...), ... })`. */
  readonly edges: (env: ServerEnvironment) => Promise<Edges> | Edges
  readonly serviceCidr?: string
  /** The client certificates for nodes, when pods are reached through them because this host has no route to the pods. */
  readonly tunnelTls?: (() => KubeletTls) | undefined
  readonly nodePorts?: readonly [from: number, to: number]
  /** Freeze every object that caches hand out. For tests: it costs time. */
  readonly freeze?: boolean
  /** Limits of connections, where they differ from `defaultLimits`. */
  readonly limits?: Partial<HttpLimits> | undefined
  /** How long requests other than watches and streams may take, in milliseconds. Default 60,000. */
  readonly requestTimeout?: number | undefined
  /** How long watches without `timeoutSeconds` last, in seconds: at least this, at most twice this. Default 1800. */
  readonly minRequestTimeout?: number | undefined
  /** How long the server keeps serving after it is told to close, in milliseconds, while `/readyz` fails so that load balancers turn to others. Default 0. */
  readonly shutdownDelay?: number | undefined
}

/** What is served, by name. */
export interface ResourceLookup {
  readonly resources: readonly Resource[]
  find(group: string, version: string, plural: string): Resource | undefined
}

export interface ApiServer {
  /** A client in this process: no socket and no JSON text, but the same authorization, admission and validation. */
  clientFor(identity: Identity): Client
  /** The server's own client: not authorized, otherwise like any other. */
  readonly client: Client
  readonly registry: ResourceLookup
  listen(): Promise<void>
  /** `https://address:port`, once it listens. */
  readonly url: string
  /** The port it listens on; 0 before that. */
  readonly port: number
  /** Replaces the certificate and the clients' authorities for new connections. Only for servers created with `tls`. */
  renewTls(tls: TlsOptions): void
  /** Takes no more requests, ends watches, lets the rest finish (within 10 s). Leaves the store open. */
  close(): Promise<void>
}

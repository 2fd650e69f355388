/** Assembles the edges of the API server: authentication, authorization, admission, audit, flow control, and everything served beside stored objects. */
import type { AdmissionChain } from './admission/admission.ts'
import { createAdmissionChain } from './admission/chain.ts'
import { admitConnections } from './admission/connect.ts'
import { createAdmissionMetrics } from './admission/metrics.ts'
import { admissionPlugins, type AdmissionSettings } from './admission/plugins.ts'
import { issuerHandlers } from './authn/issuer.ts'
import { setUpAuthentication, type AuthenticationOptions, type AuthenticationSetup } from './authn/setup.ts'
import { createAudienceCheck } from './authn/node-audiences.ts'
import { createTokenCheck } from './authn/token-authentication.ts'
import { tokenRequest } from './authn/token-requests.ts'
import { selfSubjectReview, tokenReview } from './authn/token-reviews.ts'
import { createTokenUses } from './authn/token-uses.ts'
import { createTokens, type ServiceAccountKeys, type Tokens } from './authn/tokens.ts'
import { impersonate } from './authn/impersonation.ts'
import { authentication, core } from '../api/index.ts'
import type { Authorizer, Decision } from './authz/authorizer.ts'
import { createRefusals } from './authz/refusals.ts'
import { accessReviews } from './authz/reviews.ts'
import { setUpAuthorizer, type AuthorizationOptions } from './authz/setup.ts'
import { createAggregator, type Aggregator } from './aggregation/aggregator.ts'
import type { FrontProxyTls } from './aggregation/front-proxy.ts'
import { createDiscovery } from './discovery/discovery.ts'
import { setUpFlowControl, type FlowOptions } from './flowcontrol/setup.ts'
import { componentStatuses } from './health/component-statuses.ts'
import { createHealth, type HealthCheck } from './health/health.ts'
import { versionInfo } from './health/version.ts'
import type { Handler, RequestInfo } from './http/request.ts'
import type { Identity } from './identity.ts'
import { createOpenApi } from './openapi/openapi.ts'
import { createAccessMetrics } from './metrics/access.ts'
import type { RegisterMetrics } from './metrics/configurations.ts'
import { createMetrics, type ServerMetrics } from './metrics/metrics.ts'
import { registerStored } from './metrics/stored.ts'
import type { Audit } from './audit/audit.ts'
import type { Edges, EdgeRoutes, ServerEnvironment, VirtualResource } from './options.ts'
import { sendJson } from './reply.ts'
import type { KubeletTls } from './streaming/kubelet.ts'
import { createStreaming } from './streaming/streaming.ts'

export interface EdgeOptions {
  /** `host:port` at which clients reach the server; called when a client asks. */
  readonly serverAddress: () => string
  /** The client certificates for nodes; called on the first connection. Left out: nodes cannot be reached through this server. */
  readonly kubeletTls?: () => KubeletTls
  /** The client certificate for extension API servers. Left out: this server is anonymous to them. */
  readonly frontProxyTls?: () => FrontProxyTls
  /** Called once with the aggregator, which whoever runs the server must start. */
  readonly onAggregator?: (aggregator: Aggregator) => void
  /** The keys of service account tokens. Left out: there are none, and bearer tokens are refused. */
  readonly serviceAccounts?: ServiceAccountKeys
  /** Authentication besides certificates and service account tokens, and whether anonymous requests are let in. */
  readonly authentication?: AuthenticationOptions | undefined
  /** The authorizers; by default Node and RBAC. */
  readonly authorization?: AuthorizationOptions | undefined
  /** Mount service account tokens into pods that do not opt out. Default: if there are keys to sign them. */
  readonly mountTokens?: boolean
  /** Which admission plugins run, and their configuration; by default Kubernetes's choice. */
  readonly admission?: AdmissionSettings | undefined
  /** Made by `createAudit`, and stopped by whoever made it. Left out: nothing is audited, at no cost. */
  readonly audit?: Audit | undefined
  /** Metrics of other parts, for `/metrics`. */
  readonly counted?: readonly RegisterMetrics[]
  /** How many requests are served at a time, and whether others wait in fair queues, which is the default. */
  readonly flow?: FlowOptions | undefined
  /** Health checks besides the store's. */
  readonly checks?: readonly HealthCheck[]
  /** The parts of the control plane besides the store, for `kubectl get componentstatuses`; asked each time. */
  readonly components?: () => readonly HealthCheck[]
}

/** What `createApiServer({ edges: createEdges({ ... }) })` takes. */
export function createEdges(options: EdgeOptions): (env: ServerEnvironment) => Edges {
  return (env) => {
    const metrics = createMetrics(env.resources)
    const access = createAccessMetrics(metrics.registry)
    registerStored(metrics.registry, env)
    const authorizer = setUpAuthorizer(env, options.authorization, access.decided, metrics.registry)
    const tokens = options.serviceAccounts ? createTokens(options.serviceAccounts, env.clock) : undefined
    const checkToken = tokens && createTokenCheck(env, tokens, createTokenUses(metrics.registry))
    const who = setUpAuthentication(env, tokens && checkToken ? { check: checkToken, audiences: tokens.audiences } : undefined, options.authentication, metrics.registry)
    const flow = setUpFlowControl(env, options.flow, metrics.registry)
    const admissionMetrics = createAdmissionMetrics(metrics.registry)
    const admission = createAdmissionChain(admissionPlugins(env, authorizer, { ...options.admission, mountTokens: options.mountTokens ?? tokens !== undefined, tokens }, admissionMetrics), admissionMetrics)
    const refusals = createRefusals(env)
    const decide = access.authorization(authorizer.decide)
    const verdict = (user: Identity, info: RequestInfo, decision: Decision) => {
      if (decision.opinion === 'allow') return new Verdict(true, decision)
      refusals.refused(user, info, decision.reason)
      return new Verdict(false, decision)
    }
    for (const registerMetrics of options.counted ?? []) registerMetrics(metrics.registry)
    for (const metric of [refusals.metric, ...(options.audit?.metrics ?? [])]) metrics.registry.registerMetric(metric)
    return {
      authenticate: access.authentication(who.authenticate),
      audit: options.audit,
      impersonate: (user, headers, info) => impersonate(user, headers, authorizer, info, access.impersonation),
      flow: flow.edge,
      authorize: (user, info) => {
        const decision = decide(user, info)
        return decision instanceof Promise ? decision.then((late) => verdict(user, info, late)) : verdict(user, info, decision)
      },
      admission,
      routes: flow.serve({ ...routesOf(env, options, { metrics, tokens, authorizer, admission }), virtual: virtualOf(env, options, { authorizer, admission, tokens, who }) }),
      observer: metrics.observer,
    }
  }
}

/** An authorization decision for the corridor. Its reason is worded only when somebody reads it. */
class Verdict {
  readonly allowed: boolean
  readonly #decision: Decision
  constructor(allowed: boolean, decision: Decision) {
    this.allowed = allowed
    this.#decision = decision
  }
  get reason(): string { return this.#decision.reason }
}

/** The edges that computed resources ask. */
interface AskedEdges {
  readonly authorizer: Authorizer
  readonly admission: AdmissionChain
  readonly tokens: Tokens | undefined
  readonly who: AuthenticationSetup
}

function virtualOf(env: ServerEnvironment, { components }: EdgeOptions, { authorizer, admission, tokens, who }: AskedEdges): ReadonlyMap<string, VirtualResource> {
  return new Map<string, VirtualResource>([
    ...accessReviews(authorizer),
    [authentication.selfsubjectreviews.groupResource, selfSubjectReview],
    [core.componentstatuses.groupResource, componentStatuses(() => [...(components?.() ?? []), storeCheck(env)])],
    [authentication.tokenreviews.groupResource, tokenReview(who.check, who.audiences)],
    ...(tokens ? [['serviceaccounts/token', tokenRequest(env, { tokens, checkAudiences: createAudienceCheck(env, authorizer), admission })]] as const : []),
  ])
}

/** The edges that routes lead to. */
interface RoutedEdges {
  readonly metrics: ServerMetrics
  readonly tokens: Tokens | undefined
  readonly authorizer: Authorizer
  readonly admission: AdmissionChain
}

function routesOf(env: ServerEnvironment, options: EdgeOptions, { metrics, tokens, authorizer, admission }: RoutedEdges): EdgeRoutes {
  const aggregator = createAggregator(env, options.frontProxyTls, metrics.registry)
  options.onAggregator?.(aggregator)
  const discovery = createDiscovery({ resources: env.resources, serverAddress: options.serverAddress, remote: aggregator.versions })
  const checks = (): readonly HealthCheck[] => [
    { name: 'ping', check: () => undefined },
    { ...storeCheck(env), name: 'etcd' },
    { name: 'shutdown', of: ['readyz'], check: () => { if (env.stopping.aborted) throw new Error('the server is shutting down') } },
    ...(options.checks ?? []),
  ]
  const issuer: Readonly<Record<string, Handler>> = tokens ? issuerHandlers(tokens, options.serverAddress) : {}
  /** By the first part of the path. */
  const handlers: Readonly<Record<string, Handler>> = {
    api: discovery,
    apis: discovery,
    openapi: createOpenApi(env.resources, aggregator.specs),
    version: async (_, response) => sendJson(response, 200, versionInfo),
    healthz: createHealth('healthz', checks),
    livez: createHealth('livez', checks),
    readyz: createHealth('readyz', checks),
    metrics: metrics.handler,
    '': async (_, response) => sendJson(response, 200, { paths: rootPaths(env, Object.keys(issuer)) }),
  }
  return {
    handle: (path) => {
      if (Object.hasOwn(issuer, path)) return issuer[path]
      const first = path.split('/')[1] ?? ''
      return Object.hasOwn(handlers, first) ? handlers[first] : undefined
    },
    remote: aggregator.handler,
    remoteUpgrade: aggregator.upgrade,
    remoteCalls: aggregator.calls,
    ...(options.kubeletTls ? admitConnections(createStreaming(env, options.kubeletTls, authorizer), admission, env.clock) : {}),
  }
}

/** Whether the store answers. Named after etcd, whose part it plays. */
const storeCheck = (env: ServerEnvironment): HealthCheck => ({ name: 'etcd-0', check: async () => void (await env.store.revision()) })

function rootPaths(env: ServerEnvironment, issuer: readonly string[]): readonly string[] {
  const versions = new Set(env.resources().map((r) => (r.group ? `/apis/${r.apiVersion}` : `/api/${r.apiVersion}`)))
  const groups = new Set(env.resources().filter((r) => r.group).map((r) => `/apis/${r.group}`))
  return [
    ...issuer, '/api', '/apis', ...versions, ...groups,
    '/healthz', '/livez', '/metrics', '/openapi/v2', '/openapi/v3', '/readyz', '/version',
  ].toSorted()
}

/** The edges of the API server, put together: who asks, whether they may, what the cluster has to say, and everything served beside stored objects. */
import type { AdmissionChain } from './admission/admission.ts'
import { createAdmissionChain } from './admission/chain.ts'
import { admitConnections } from './admission/connect.ts'
import { createAdmissionMetrics } from './admission/metrics.ts'
import { admissionPlugins, type AdmissionSettings } from './admission/plugins.ts'
import { issuerHandlers } from './authn/issuer.ts'
import { setUpAuthentication, type AuthenticationOptions, type AuthenticationSetup } from './authn/setup.ts'
import { createAudienceCheck } from './authn/node-audiences.ts'
import { createTokenCheck } from './authn/token-authentication.ts'
import { selfSubjectReview, tokenRequest, tokenReview } from './authn/token-reviews.ts'
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
  /** `host:port` under which clients reach the server; asked when a client wants to know. */
  readonly serverAddress: () => string
  /** The certificates of connections to nodes; asked for on the first one. Left out: nodes cannot be reached through this server. */
  readonly kubeletTls?: () => KubeletTls
  /** What is shown to extension API servers. Left out: they take this server for anonymous. */
  readonly frontProxyTls?: () => FrontProxyTls
  /** Told once, when the edges are made: what looks after API services, to be started by whoever runs the server. */
  readonly onAggregator?: (aggregator: Aggregator) => void
  /** The keys of service account tokens. Left out: there are none, and bearer tokens are refused. */
  readonly serviceAccounts?: ServiceAccountKeys
  /** Who may come in beside those with certificates and service account tokens, and whether anybody may without. */
  readonly authentication?: AuthenticationOptions | undefined
  /** Who decides what they may do; the Node authorizer and RBAC when left out. */
  readonly authorization?: AuthorizationOptions | undefined
  /** Mount service account tokens into pods that do not say no to it. Default: where there are keys to make them. */
  readonly mountTokens?: boolean
  /** Which admission plugins run and what they are told; those of Kubernetes's defaults when left out. */
  readonly admission?: AdmissionSettings | undefined
  /** What is written down of requests; made by `createAudit`, ended by whoever made it. Left out: nothing, at no cost. */
  readonly audit?: Audit | undefined
  /** What other parts count, for `/metrics`. */
  readonly counted?: readonly RegisterMetrics[]
  /** How many requests are worked on at a time, and whether those that wait do so in fair queues: by default they do. */
  readonly flow?: FlowOptions | undefined
  /** Health checks beside the store's: what else must be up before the server is ready. */
  readonly checks?: readonly HealthCheck[]
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
    const who = setUpAuthentication(env, tokens && checkToken ? { check: checkToken, audiences: tokens.audiences } : undefined, options.authentication)
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
      routes: flow.serve({ ...routesOf(env, options, metrics, tokens, authorizer, admission), virtual: virtualOf(env, authorizer, tokens, who) }),
      observer: metrics.observer,
    }
  }
}


/** What the corridor is told; the reason is worded only where somebody reads it. */
class Verdict {
  readonly allowed: boolean
  readonly #decision: Decision
  constructor(allowed: boolean, decision: Decision) {
    this.allowed = allowed
    this.#decision = decision
  }
  get reason(): string { return this.#decision.reason }
}

function virtualOf(env: ServerEnvironment, authorizer: Authorizer, tokens: Tokens | undefined, who: AuthenticationSetup): ReadonlyMap<string, VirtualResource> {
  return new Map<string, VirtualResource>([
    ...accessReviews(authorizer),
    [authentication.selfsubjectreviews.groupResource, selfSubjectReview],
    [core.componentstatuses.groupResource, componentStatuses(() => [storeCheck(env)])],
    [authentication.tokenreviews.groupResource, tokenReview(who.check, who.audiences)],
    ...(tokens ? [['serviceaccounts/token', tokenRequest(env, tokens, createAudienceCheck(env, authorizer))]] as const : []),
  ])
}

function routesOf(env: ServerEnvironment, options: EdgeOptions, metrics: ServerMetrics, tokens: Tokens | undefined, authorizer: Authorizer, admission: AdmissionChain): EdgeRoutes {
  const aggregator = createAggregator(env, options.frontProxyTls, metrics.registry)
  options.onAggregator?.(aggregator)
  const discovery = createDiscovery({ resources: env.resources, serverAddress: options.serverAddress, remote: aggregator.versions })
  const checks = (): readonly HealthCheck[] => [
    { name: 'ping', check: () => undefined },
    { ...storeCheck(env), name: 'etcd' },
    { name: 'shutdown', of: ['readyz'], check: () => { if (env.stopping.aborted) throw new Error('the server is shutting down') } },
    ...(options.checks ?? []),
  ]
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
    '': async (_, response) => sendJson(response, 200, { paths: rootPaths(env) }),
  }
  const issuer: Readonly<Record<string, Handler>> = tokens ? issuerHandlers(tokens, options.serverAddress) : {}
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

/** Whether the store answers. It is called what it stands for. */
const storeCheck = (env: ServerEnvironment): HealthCheck => ({ name: 'etcd-0', check: async () => void (await env.store.revision()) })

function rootPaths(env: ServerEnvironment): readonly string[] {
  const versions = new Set(env.resources().map((r) => (r.group ? `/apis/${r.apiVersion}` : `/api/${r.apiVersion}`)))
  const groups = new Set(env.resources().filter((r) => r.group).map((r) => `/apis/${r.group}`))
  return [
    '/.well-known/openid-configuration', '/api', '/apis', ...versions, ...groups,
    '/healthz', '/livez', '/metrics', '/openapi/v2', '/openapi/v3', '/openid/v1/jwks', '/readyz', '/version',
  ].toSorted()
}

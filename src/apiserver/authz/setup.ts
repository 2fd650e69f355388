/** Sets up the authorizers in the configured order; by default Node and RBAC. */
import { core, dra, rbac, storage } from '../../api/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import type { ServerEnvironment } from '../options.ts'
import type { Registry } from 'prom-client'
import { createAuthorizer, mastersMode, type AuthorizationMode, type Authorizer, type Decided } from './authorizer.ts'
import { createNodeMode } from './node.ts'
import { healthMode, publicUntil } from './public.ts'
import { createRbacMode } from './rbac-source.ts'
import { createWebhookMetrics, type WebhookMetrics } from './webhook-metrics.ts'

/** One authorizer of the list: a built-in one, or a function that creates one (`webhook.ts`). */
export type ChosenMode = 'Node' | 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny' | ((context: ModeContext) => AuthorizationMode)

export interface ModeContext {
  readonly clock: Clock
  readonly log: Logger
  /** For webhooks. */
  readonly metrics?: WebhookMetrics | undefined
}

export interface AuthorizationOptions {
  /** The current authorizers in order: the same array as long as nothing changes. */
  readonly modes: () => readonly ChosenMode[]
}

const alwaysAllow: AuthorizationMode = {
  name: 'AlwaysAllow',
  authorize: () => ({ opinion: 'allow', reason: '' }),
  rulesFor: () => [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] }],
}
const alwaysDeny: AuthorizationMode = { name: 'AlwaysDeny', authorize: () => ({ opinion: 'none', reason: 'Everything is forbidden.' }), rulesFor: () => [] }

/** Default bindings by which everybody discovers what there is. */
const discoverers = ['system:discovery', 'system:public-info-viewer']

/** Members of `system:masters` and health checks are allowed before any configured authorizer. `registry`: for the metrics of webhooks. */
export function setUpAuthorizer(env: Pick<ServerEnvironment, 'lister' | 'clock' | 'log'>, options?: AuthorizationOptions, decided?: Decided, registry?: Registry): Authorizer {
  const node = createNodeMode({
    pods: env.lister(core.pods),
    volumes: env.lister(core.persistentvolumes),
    attachments: env.lister(storage.volumeattachments),
    slices: env.lister(dra.resourceslices),
  })
  const clusterRoles = env.lister(rbac.clusterroles)
  const clusterRoleBindings = env.lister(rbac.clusterrolebindings)
  const byRoles = createRbacMode({
    roles: env.lister(rbac.roles),
    clusterRoles,
    roleBindings: env.lister(rbac.rolebindings),
    clusterRoleBindings,
  })
  // At the first boot roles and bindings are written side by side: they say who may discover what once these are there.
  let said = false
  const everybody = publicUntil(() => (said ||= clusterRoles.get('', 'cluster-admin') !== undefined && discoverers.every((name) => clusterRoleBindings.get('', name))))
  const builtIn = { Node: [node], RBAC: [everybody, byRoles], AlwaysAllow: [alwaysAllow], AlwaysDeny: [alwaysDeny] } as const
  if (!options) return createAuthorizer([mastersMode, everybody, node, byRoles], decided)

  const context: ModeContext = { clock: env.clock, log: env.log, metrics: registry && createWebhookMetrics(registry) }
  let chosen: readonly ChosenMode[] | undefined
  let modes: readonly AuthorizationMode[] = []
  return createAuthorizer(() => {
    const now = options.modes()
    if (now !== chosen) {
      if (chosen) env.log.info({}, 'the authorization configuration was read again')
      chosen = now
      modes = [mastersMode, healthMode, ...now.flatMap((mode) => (typeof mode === 'function' ? [mode(context)] : builtIn[mode]))]
    }
    return modes
  }, decided)
}

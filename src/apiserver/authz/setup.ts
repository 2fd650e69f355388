/** Every authorizer, put together in the order the server was told; Node and RBAC when it was told nothing. */
import { core, rbac } from '../../api/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import type { ServerEnvironment } from '../options.ts'
import type { Registry } from 'prom-client'
import { createAuthorizer, mastersMode, type AuthorizationMode, type Authorizer, type Decided } from './authorizer.ts'
import { createNodeMode } from './node.ts'
import { healthMode, publicMode } from './public.ts'
import { createRbacMode } from './rbac-source.ts'
import { createWebhookMetrics, type WebhookMetrics } from './webhook-metrics.ts'

/** One authorizer of the list: one of those that are built in, or what makes one (`webhook.ts`). */
export type ChosenMode = 'Node' | 'RBAC' | 'AlwaysAllow' | 'AlwaysDeny' | ((context: ModeContext) => AuthorizationMode)

export interface ModeContext {
  readonly clock: Clock
  readonly log: Logger
  /** Where it counts. */
  readonly metrics?: WebhookMetrics | undefined
}

export interface AuthorizationOptions {
  /** The authorizers in their order, as they stand: the same list as long as nothing changed. */
  readonly modes: () => readonly ChosenMode[]
}

const alwaysAllow: AuthorizationMode = {
  name: 'AlwaysAllow',
  authorize: () => ({ opinion: 'allow', reason: '' }),
  rulesFor: () => [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { verbs: ['*'], nonResourceURLs: ['*'] }],
}
const alwaysDeny: AuthorizationMode = { name: 'AlwaysDeny', authorize: () => ({ opinion: 'none', reason: 'Everything is forbidden.' }), rulesFor: () => [] }

/** Members of `system:masters` and visitors of the health checks come before every list. `registry`: where it is counted what webhooks say. */
export function setUpAuthorizer(env: Pick<ServerEnvironment, 'lister' | 'clock' | 'log'>, options?: AuthorizationOptions, decided?: Decided, registry?: Registry): Authorizer {
  const node = createNodeMode({ pods: env.lister(core.pods), claims: env.lister(core.persistentvolumeclaims) })
  const byRoles = createRbacMode({
    roles: env.lister(rbac.roles),
    clusterRoles: env.lister(rbac.clusterroles),
    roleBindings: env.lister(rbac.rolebindings),
    clusterRoleBindings: env.lister(rbac.clusterrolebindings),
  })
  const builtIn = { Node: [node], RBAC: [publicMode, byRoles], AlwaysAllow: [alwaysAllow], AlwaysDeny: [alwaysDeny] } as const
  if (!options) return createAuthorizer([mastersMode, publicMode, node, byRoles], decided)

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

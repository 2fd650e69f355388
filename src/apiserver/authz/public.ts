/** What needs no credential, or any credential: health, version, discovery. All but health applies only before roles are stored. */
import type { Action, AuthorizationMode, HeldRule } from './authorizer.ts'
import { urlMatches } from './rbac.ts'

/** Kubernetes's `system:public-info-viewer`. */
export const publicUrls = ['/healthz', '/livez', '/readyz', '/version', '/version/'] as const
/** Kubernetes's `system:discovery`. */
export const discoveryUrls = ['/api', '/api/*', '/apis', '/apis/*', '/healthz', '/livez', '/openapi', '/openapi/*', '/readyz', '/version', '/version/'] as const

const allow = { opinion: 'allow', reason: '' } as const
const none = { opinion: 'none', reason: '' } as const

/** Allows health checks to everybody, whatever else is configured. */
export const healthMode: AuthorizationMode = {
  name: 'AlwaysAllowPaths',
  authorize: (_user, action: Action) => (!action.isResourceRequest && ['/healthz', '/livez', '/readyz'].includes(action.path) ? allow : none),
  rulesFor: (): readonly HeldRule[] => [],
}

/** The rights of everybody until there are roles, which say it then: an administrator may have taken them back. Health checks stay. */
export const publicUntil = (hasRoles: () => boolean): AuthorizationMode => ({
  name: 'Public',
  authorize: (user, action: Action) => (hasRoles() ? healthMode : publicMode).authorize(user, action),
  rulesFor: (): readonly HeldRule[] => [],
})

/** Allows health checks to everybody, and discovery to authenticated users. */
export const publicMode: AuthorizationMode = {
  name: 'Public',
  authorize(user, action: Action) {
    if (action.isResourceRequest || action.verb !== 'get') return none
    const urls: readonly string[] = user.groups.includes('system:authenticated') ? discoveryUrls : publicUrls
    return urls.some((url) => urlMatches(url, action.path)) ? allow : none
  },
  rulesFor: (): readonly HeldRule[] => [],
}

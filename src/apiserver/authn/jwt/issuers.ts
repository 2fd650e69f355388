/** The issuers of an authentication configuration, as the file stands. Loaded only where there is one: it brings CEL with it. */
import type { AnonymousOptions } from '../anonymous.ts'
import { forThisServer } from '../bearer.ts'
import { remembering } from '../remembered.ts'
import type { AuthenticationOptions } from '../setup.ts'
import type { CheckToken } from '../token-authentication.ts'
import type { AuthenticationConfiguration } from './configuration.ts'
import { createJwtCheck } from './issuer.ts'
import { createJwtMetrics } from './metrics.ts'

/** How long a token of an issuer is not checked again. */
const lifetime = 10_000

/**
 * The checks of the configuration's issuers, made anew when the configuration is another object; those of unchanged issuers keep their
 * keys. `algorithms`: those that are accepted; every one by pairs of keys when left out.
 */
export const configuredIssuers = (configuration: () => AuthenticationConfiguration, algorithms?: readonly string[]): NonNullable<AuthenticationOptions['issuers']> =>
  ({ clock, log, audiences, registry, server = '' }) => {
    const metrics = registry && createJwtMetrics(registry, server, clock)
    let known: AuthenticationConfiguration | undefined
    let checks: ReadonlyMap<string, CheckToken> = new Map()
    let list: readonly CheckToken[] = []
    return () => {
      const current = configuration()
      if (current === known) return list
      const next = new Map<string, CheckToken>()
      for (const issuer of current.jwt ?? []) {
        const key = JSON.stringify(issuer)
        next.set(key, checks.get(key) ?? remembering(clock, (found) => (found ? lifetime : 0), forThisServer(audiences, createJwtCheck(issuer, clock, algorithms, metrics))))
      }
      if (known) log.info({ issuers: (current.jwt ?? []).map((j) => j.issuer?.url) }, 'the authentication configuration was read again')
      const urls = new Set(current.jwt?.map(({ issuer }) => issuer?.url))
      for (const { issuer } of known?.jwt ?? []) if (!urls.has(issuer?.url)) metrics?.forget(issuer?.url ?? '')
      known = current
      checks = next
      list = [...next.values()]
      return list
    }
  }

/** What the configuration says of requests without credentials; undefined when it says nothing. */
export function configuredAnonymous({ anonymous }: AuthenticationConfiguration): AnonymousOptions | undefined {
  return anonymous && { enabled: anonymous.enabled ?? false, paths: anonymous.conditions?.map((c) => c.path ?? '') }
}

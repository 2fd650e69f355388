/** Resource quotas: nothing is let in that would use more than a namespace has. Runs last, when all else is decided. */
import { core, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { ServerEnvironment } from '../../options.ts'
import { ApiError } from '../../../machinery/errors.ts'
import { amountsOf, textOf, zero, type Amounts } from '../../quota/amounts.ts'
import { createLedger, growthOf, type Ledger } from '../../quota/ledger.ts'
import { uncovered, type LimitedResource } from '../../quota/limited.ts'
import { inScope } from '../../quota/scopes.ts'
import { unsaid } from '../../quota/usage.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { createsPod, podOf, refused } from '../pods.ts'

/** `limited`: what may be used only where a quota covers it. */
export function resourceQuota(env: Pick<ServerEnvironment, 'lister' | 'clock' | 'resources'>, limited: readonly LimitedResource[] = []): AdmissionPlugin {
  const quotas = env.lister(core.resourcequotas)
  const listers = new WeakMap<Resource, ReturnType<typeof env.lister>>()
  const source = (resource: Resource) => {
    let lister = listers.get(resource)
    if (!lister) listers.set(resource, (lister = env.lister(resource)))
    return lister as { get(namespace: string, name: string): ApiObject | undefined; list(namespace?: string): readonly ApiObject[] }
  }
  const ledger = createLedger(source, env.resources, env.clock)

  return {
    name: 'ResourceQuota',
    handles: (a) => isCounted(a) && a.namespace !== '' && (limited.length > 0 || quotas.list(a.namespace).length > 0),
    validate(a) {
      const all = quotas.list(a.namespace)
      const grows = all.filter((quota) => check(a, quota, ledger))
      if (limited.length > 0) checkCovered(a, limited, all)
      if (grows.length > 0 && !a.context.dryRun) ledger.note(a.resource, a.object as ApiObject, a.old)
    },
  }
}

/** What can make something be used: whatever is created, and what can grow afterwards. Events are never counted. */
function isCounted({ operation, subresource, resource: { groupResource } }: AdmissionAttributes): boolean {
  if (groupResource === 'pods') return (operation === 'CREATE' && subresource === '') || (operation === 'UPDATE' && subresource === 'resize')
  return subresource === '' && (operation === 'CREATE' || operation === 'UPDATE') && groupResource !== 'events'
}

/** Throws 403 when the object does not fit; whether the quota has to count something more. */
function check(a: AdmissionAttributes, quota: core.ResourceQuota, ledger: Ledger): boolean {
  if (!inScope(quota, a.resource.groupResource, a.object)) return false
  if (createsPod(a)) {
    const missing = unsaid(podOf(a), Object.keys(quota.spec.hard ?? {}))
    if (missing) throw refused(a, `failed quota: ${quota.metadata.name}: must specify ${missing}`)
  }
  const added = growthOf(quota, a.resource, a.object, a.old)
  if (added.size === 0) return false
  const hard = amountsOf(quota.spec.hard)
  const used = ledger.used(quota)
  const over = [...added].filter(([name, value]) => value.compare(zero) > 0 && (used.get(name) ?? zero).add(value).compare(hard.get(name) ?? zero) > 0).map(([name]) => name)
  if (over.length === 0) return true
  const only = (amounts: Amounts): Amounts => new Map(over.map((name) => [name, amounts.get(name) ?? zero]))
  throw refused(a, `exceeded quota: ${quota.metadata.name}, requested: ${textOf(only(added))}, used: ${textOf(only(used))}, limited: ${textOf(only(hard))}`)
}

/** Throws when the object uses something that may be used only where a quota covers it, and none does. */
function checkCovered(a: AdmissionAttributes, limited: readonly LimitedResource[], quotas: readonly core.ResourceQuota[]): void {
  const { names, scopes } = uncovered(limited, quotas, a.resource, a.object, a.old)
  if (names.length > 0) throw refused(a, `insufficient quota to consume: ${names.join(',')}`)
  // Kubernetes has no reason for this one, nor does it say which object it is about.
  if (scopes !== '') throw new ApiError(500, '', `insufficient quota to match these scopes: ${scopes}`)
}

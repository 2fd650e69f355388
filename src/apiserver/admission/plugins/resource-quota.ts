/** Resource quotas: nothing is let in that would use more than a namespace has. Runs last, when all else is decided. */
import { core, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { ServerEnvironment } from '../../options.ts'
import { ApiError } from '../../../machinery/errors.ts'
import { amountsOf, textOf, zero, type Amounts } from '../../quota/amounts.ts'
import { createLedger, type Ledger } from '../../quota/ledger.ts'
import { uncovered, type LimitedResource } from '../../quota/limited.ts'
import { inScope } from '../../quota/scopes.ts'
import { asWished, isTerminating, unsaid } from '../../quota/pods.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { podOf, refused } from '../pods.ts'

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
    validate(asked) {
      const a = isResize(asked) ? { ...asked, object: asWished(podOf(asked)) as unknown as ApiObject } : asked
      const all = quotas.list(a.namespace)
      for (const quota of all) checkSaid(a, quota)
      if (limited.length > 0) checkCovered(a, limited, all, ledger)
      const grows = all.filter((quota) => check(a, quota, ledger))
      if (grows.length > 0 && !a.context.dryRun) ledger.note(a.resource, a.object as ApiObject, a.old)
    },
  }
}

/** What is not stored, and what was never counted. */
const uncounted = new Set(['events', 'events.events.k8s.io', 'localsubjectaccessreviews.authorization.k8s.io'])

const isResize = ({ resource, subresource }: AdmissionAttributes): boolean => resource.groupResource === 'pods' && subresource === 'resize'

/** What can make something be used: whatever is created, and what can grow afterwards, or come into the scope of another quota. */
function isCounted(a: AdmissionAttributes): boolean {
  const { operation, subresource, resource: { groupResource } } = a
  if (groupResource === 'pods' && operation === 'UPDATE') return isResize(a) || (subresource === '' && isTerminating(podOf(a)) !== isTerminating(a.old as unknown as core.Pod))
  return subresource === '' && (operation === 'CREATE' || operation === 'UPDATE') && !uncounted.has(groupResource)
}

/** Throws 403 when a pod does not say of its containers what the quota counts. */
function checkSaid(a: AdmissionAttributes, quota: core.ResourceQuota): void {
  if (a.resource.groupResource !== 'pods' || !inScope(quota, 'pods', a.object)) return
  const missing = unsaid(podOf(a), Object.keys(quota.spec.hard ?? {}))
  if (missing) throw refused(a, `failed quota: ${quota.metadata.name}: must specify ${missing}`)
}

/** Throws 403 when the object does not fit; whether the quota has to count something more. */
function check(a: AdmissionAttributes, quota: core.ResourceQuota, ledger: Ledger): boolean {
  const added = ledger.growth(quota, a.resource, a.object, a.old)
  if (added.size === 0) return false
  const hard = amountsOf(quota.spec.hard)
  const used = ledger.used(quota)
  const over = [...added].filter(([name, value]) => value.compare(zero) > 0 && (used.get(name) ?? zero).add(value).compare(hard.get(name) ?? zero) > 0).map(([name]) => name)
  if (over.length === 0) return true
  const only = (amounts: Amounts): Amounts => new Map(over.map((name) => [name, amounts.get(name) ?? zero]))
  throw refused(a, `exceeded quota: ${quota.metadata.name}, requested: ${textOf(only(added))}, used: ${textOf(only(used))}, limited: ${textOf(only(hard))}`)
}

/** Throws when the object uses something that may be used only where a quota covers it, and none does. */
function checkCovered(a: AdmissionAttributes, limited: readonly LimitedResource[], quotas: readonly core.ResourceQuota[], ledger: Ledger): void {
  const { names, scopes } = uncovered(limited, quotas, a.resource, a.object, [ledger.usage(a.resource, a.object), a.old && ledger.usage(a.resource, a.old)])
  if (names.length > 0) throw refused(a, `insufficient quota to consume: ${names.join(',')}`)
  // Kubernetes has no reason for this one, nor does it say which object it is about.
  if (scopes !== '') throw new ApiError(500, '', `insufficient quota to match these scopes: ${scopes}`)
}

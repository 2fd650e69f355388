/** Resource quotas: nothing is let in that would use more than a namespace has. Runs last, when all else is decided. */
import { core, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { ServerEnvironment } from '../../options.ts'
import { amountsOf, minus, textOf, zero, type Amounts } from '../../quota/amounts.ts'
import { createLedger, shareOf, type Ledger } from '../../quota/ledger.ts'
import { inScope } from '../../quota/scopes.ts'
import { unsaid } from '../../quota/usage.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { createsPod, podOf, refused } from '../pods.ts'

export function resourceQuota(env: Pick<ServerEnvironment, 'lister' | 'clock' | 'resources'>): AdmissionPlugin {
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
    handles: (a) => (a.operation === 'CREATE' || a.operation === 'UPDATE') && (a.subresource === '' || a.subresource === 'resize') && a.namespace !== '' && quotas.list(a.namespace).length > 0,
    validate(a) {
      let counts = false
      for (const quota of quotas.list(a.namespace)) counts = check(a, quota, ledger) || counts
      if (counts && a.operation === 'CREATE' && !a.context.dryRun) ledger.note(a.resource, a.object as ApiObject)
    },
  }
}

/** Throws 403 when the object does not fit; whether the quota counts it. */
function check(a: AdmissionAttributes, quota: core.ResourceQuota, ledger: Ledger): boolean {
  if (!inScope(quota, a.resource.groupResource, a.object)) return false
  if (createsPod(a)) {
    const missing = unsaid(podOf(a), Object.keys(quota.spec.hard ?? {}))
    if (missing) throw refused(a, `failed quota: ${quota.metadata.name}: must specify ${missing}`)
  }
  const share = shareOf(quota, a.resource, a.object)
  if (share.size === 0) return false
  const added = a.old ? minus(share, shareOf(quota, a.resource, a.old)) : share
  const hard = amountsOf(quota.spec.hard)
  const used = ledger.used(quota)
  const over = [...added].filter(([name, value]) => value.compare(zero) > 0 && (used.get(name) ?? zero).add(value).compare(hard.get(name) ?? zero) > 0).map(([name]) => name)
  if (over.length === 0) return true
  const only = (amounts: Amounts): Amounts => new Map(over.map((name) => [name, amounts.get(name) ?? zero]))
  throw refused(a, `exceeded quota: ${quota.metadata.name}, requested: ${textOf(only(added))}, used: ${textOf(only(used))}, limited: ${textOf(only(hard))}`)
}

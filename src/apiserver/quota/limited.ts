/** What may be used only where a quota covers it: `ResourceQuotaConfiguration`, the configuration of the plugin `ResourceQuota`. */
import { core, type Resource } from '../../api/index.ts'
import { list, root, string, struct, zero, type Of } from '../../api/schema.ts'
import { parseConfiguration } from '../../machinery/configuration.ts'
import { path } from '../../machinery/field.ts'
import { zero as none, type Amounts } from './amounts.ts'
import { matchesScope, requirementsOf } from './scopes.ts'

const Limited = struct('LimitedResource', { apiGroup: zero(0, string), resource: zero(0, string), matchContains: zero(0, list(string)), matchScopes: zero(0, list(core.ScopedResourceSelectorRequirement)) })
const Configuration = root('ResourceQuotaConfiguration', { limitedResources: zero(0, list(Limited)) })

export interface LimitedResource extends Of<typeof Limited> {}

/** Throws an `Error` of one line that names what is wrong. */
export function parseResourceQuota(text: string): readonly LimitedResource[] {
  // Before it was one of the server's own kinds it had a group to itself, and a shorter name.
  const older = /"?apiVersion"?\s*:\s*"?resourcequota\.admission\.k8s\.io\//.test(text)
  const expected = older
    ? { apiVersion: ['resourcequota.admission.k8s.io/v1beta1', 'resourcequota.admission.k8s.io/v1alpha1'], kind: 'Configuration' }
    : { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'ResourceQuotaConfiguration' }
  const { value, refuse } = parseConfiguration(text, Configuration, expected)
  const limited = value.limitedResources ?? []
  refuse(limited.flatMap(({ resource }, i) => (resource ? [] : [path('limitedResources').index(i).at('resource').required('')])))
  return limited
}

/** What the object uses that no quota covers, in Kubernetes's words: names of amounts, scopes. Both empty when everything is covered. */
export interface Uncovered { readonly names: readonly string[]; readonly scopes: string }

/** `quotas`: all of the namespace. `usage`: what the object uses, and what it used when it was there already; what uses nothing more is covered. */
export function uncovered(limited: readonly LimitedResource[], quotas: readonly core.ResourceQuota[], resource: Pick<Resource, 'group' | 'plural' | 'groupResource'>, object: unknown, [usage, had]: readonly [Amounts, Amounts?]): Uncovered {
  const { groupResource } = resource
  const matches = (requirement: core.ScopedResourceSelectorRequirement) => matchesScope(requirement, groupResource, object)
  if (had && ![...usage].some(([name, amount]) => amount.compare(had.get(name) ?? none) > 0)) return { names: [], scopes: '' }
  const used = [...usage].filter(([, amount]) => amount.compare(none) > 0).map(([name]) => name)
  const wanted = limited.filter((one) => (one.apiGroup ?? '') === resource.group && one.resource === resource.plural)
    .flatMap(({ matchContains = [] }) => used.filter((name) => matchContains.some((part) => name.includes(part))))
  const covering = new Set(quotas.filter((quota) => requirementsOf(quota).every(matches)).flatMap(({ spec }) => Object.keys(spec.hard ?? {})))
  const scopes = limited.flatMap(({ matchScopes = [] }) => matchScopes.filter(matches))
  const covered = new Set(quotas.flatMap(requirementsOf).filter(matches).map(({ scopeName }) => scopeName))
  const open = scopes.filter(({ scopeName }) => !covered.has(scopeName))
  return {
    names: [...new Set(wanted)].filter((name) => !covering.has(name)).toSorted(),
    scopes: open.length === 0 ? '' : `[${open.map(({ scopeName, operator, values = [] }) => `{${scopeName} ${operator} [${values.join(' ')}]}`).join(' ')}]`,
  }
}

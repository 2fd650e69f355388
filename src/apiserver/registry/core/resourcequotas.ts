/** Resource quotas. */
import type { core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import { readQuantity } from '../amounts.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { amount, isQuotaResource, resourceName, type Amounts } from './validation/resources.ts'

const isLimit = (name: string): boolean => name.startsWith('limits.')

/** `cpu: 1/2, pods: 3/10`: used of what may be used. */
function usage({ status }: core.ResourceQuota, wanted: (name: string) => boolean): string {
  return Object.entries(status.hard ?? {}).filter(([name]) => wanted(name)).toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status.used?.[name] ?? '0'}/${hard}`).join(', ')
}

type Scope = string

const computed = ['cpu', 'memory', 'limits.cpu', 'limits.memory', 'requests.cpu', 'requests.memory']
const ofPods = new Set(['pods', ...computed])
/** The scopes of a quota, and what can be counted of what they select. */
const scopes: Readonly<Record<Scope, ReadonlySet<string>>> = {
  Terminating: ofPods, NotTerminating: ofPods, NotBestEffort: ofPods, PriorityClass: ofPods, CrossNamespacePodAffinity: ofPods,
  BestEffort: new Set(['pods']),
  VolumeAttributesClass: new Set(['persistentvolumeclaims', 'requests.storage']),
}
const opposites = [['BestEffort', 'NotBestEffort'], ['Terminating', 'NotTerminating']] as const
/** Scopes that a pod is in or not: there are no values to choose from. */
const plainScopes = ['BestEffort', 'NotBestEffort', 'Terminating', 'NotTerminating', 'CrossNamespacePodAffinity']

function amounts(at: Place, value: Amounts | undefined): void {
  for (const [name, quantity] of Object.entries(value ?? {})) {
    resourceName(at.key(name), name)
    if (!name.includes('/') && !isQuotaResource(name)) at.key(name).invalid(name, 'must be a standard resource for quota')
    amount(at.key(name), name, quantity)
  }
}

/** A scope that is known, and selects what has the resources that are limited. `shown`: what the error shows. */
function scope(at: Place, unknownAt: Place, name: Scope, hard: Amounts | undefined, shown: unknown, unknownShown: unknown): void {
  const counts = scopes[name]
  if (!counts) unknownAt.invalid(unknownShown, 'unsupported scope')
  for (const resource of Object.keys(hard ?? {})) {
    if (counts && isQuotaResource(resource) && !counts.has(resource)) at.invalid(shown, 'unsupported scope applied to resource')
  }
}

function conflicting(at: Place, names: readonly Scope[], shown: unknown): void {
  for (const [a, b] of opposites) if (names.includes(a) && names.includes(b)) at.invalid(shown, 'conflicting scopes')
}

/** A selector of scopes in an error: with the names that its fields have inside of Kubernetes. */
const asKubernetesShows = (list: readonly core.ScopedResourceSelectorRequirement[]) =>
  ({ MatchExpressions: list.map(({ scopeName, operator, values }) => ({ ScopeName: scopeName, Operator: operator, Values: values ?? null })) })

function spec(at: Place, value: core.ResourceQuotaSpec): void {
  amounts(at.at('hard'), value.hard)
  const place = at.at('scopes')
  for (const name of value.scopes ?? []) scope(place, place, name, value.hard, value.scopes, value.scopes)
  conflicting(place, value.scopes ?? [], value.scopes)
  const list = value.scopeSelector?.matchExpressions ?? []
  const expressions = at.at('scopeSelector').at('matchExpressions')
  // What is wrong with one of the expressions stands at all of them.
  for (const { scopeName, operator, values = [] } of list) {
    scope(expressions, expressions.at('scopeName'), scopeName, value.hard, asKubernetesShows(list), scopeName)
    if (plainScopes.includes(scopeName) && operator !== 'Exists') {
      expressions.at('operator').invalid(operator, "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity")
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) expressions.at('values').required("must be at least one value when `operator` is 'In' or 'NotIn' for scope selector")
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) expressions.at('values').invalid(values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector")
    } else expressions.at('operator').invalid(operator, 'not a valid selector operator')
  }
  conflicting(expressions, list.map(({ scopeName }) => scopeName), value.scopes ?? null)
}

/** The scopes of a quota stay, in whatever order. */
const sameScopes = ({ spec: next }: core.ResourceQuota, { spec: current }: core.ResourceQuota): boolean =>
  deepEqual([...new Set(next.scopes)].toSorted(), [...new Set(current.scopes)].toSorted())

/** A new quota that lets more be requested than it lets pods be limited to can hardly be meant. */
function oddBounds(hard: Amounts): readonly string[] {
  return ['cpu', 'memory', 'storage', 'ephemeral-storage'].flatMap((resource) => {
    const bare = (resource === 'cpu' || resource === 'memory') && hard[`requests.${resource}`] === undefined
    const [low, high] = [bare ? resource : `requests.${resource}`, `limits.${resource}`]
    const [request, limit] = [readQuantity(hard[low]), readQuantity(hard[high])]
    return request && limit && request.compare(limit) > 0 ? [`ResourceQuota ${low} (${request}) should be less than ${high} (${limit})`] : []
  })
}

export const resourcequotas: Strategy<core.ResourceQuota> = {
  counted: false,
  validate: (quota, root) => spec(root.at('spec'), quota.spec),
  validateUpdate: (next, current, root) => {
    spec(root.at('spec'), next.spec)
    if (!sameScopes(next, current)) root.at('spec').at('scopes').invalid(next.spec.scopes ?? [], 'field is immutable')
  },
  validateStatusUpdate: ({ status }, _current, root) => {
    amounts(root.at('status').at('hard'), status.hard)
    amounts(root.at('status').at('used'), status.used)
  },
  warnings: ({ spec: { hard } }, current) => (current || !hard ? [] : oddBounds(hard)),
  printer: printer<core.ResourceQuota>(
    nameColumn,
    text('Request', 'What is requested, of what may be.', (o) => usage(o, (name) => !isLimit(name))),
    text('Limit', 'What is limited, of what may be.', (o) => usage(o, isLimit)),
    ageColumn,
  ),
}

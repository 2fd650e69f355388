/** Resource quotas. */
import type { core } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Strategy } from '../../strategy.ts'
import type { Check } from '../checks.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { amount, isQuotaResource, resourceName, type Amounts } from './validation/resources.ts'

const isLimit = (name: string): boolean => name.startsWith('limits')

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

function* amounts(at: Path, value: Amounts | undefined): Check {
  for (const [name, quantity] of Object.entries(value ?? {})) {
    yield* resourceName(at.key(name), name)
    if (!name.includes('/') && !isQuotaResource(name)) yield at.key(name).invalid(name, 'must be a standard resource for quota')
    yield* amount(at.key(name), name, quantity)
  }
}

/** A scope that is known, and selects what has the resources that are limited. `shown`: what the error shows. */
function* scope(at: Path, unknownAt: Path, name: Scope, hard: Amounts | undefined, shown: unknown, unknownShown: unknown): Check {
  const counts = scopes[name]
  if (!counts) yield unknownAt.invalid(unknownShown, 'unsupported scope')
  for (const resource of Object.keys(hard ?? {})) {
    if (counts && isQuotaResource(resource) && !counts.has(resource)) yield at.invalid(shown, 'unsupported scope applied to resource')
  }
}

function* conflicting(at: Path, names: readonly Scope[], shown: unknown): Check {
  for (const [a, b] of opposites) if (names.includes(a) && names.includes(b)) yield at.invalid(shown, 'conflicting scopes')
}

function* spec(at: Path, value: core.ResourceQuotaSpec): Check {
  yield* amounts(at.at('hard'), value.hard)
  const place = at.at('scopes')
  for (const name of value.scopes ?? []) yield* scope(place, place, name, value.hard, value.scopes, value.scopes)
  yield* conflicting(place, value.scopes ?? [], value.scopes)
  const list = value.scopeSelector?.matchExpressions ?? []
  const expressions = at.at('scopeSelector').at('matchExpressions')
  // What is wrong with one of the expressions stands at all of them.
  for (const { scopeName, operator, values = [] } of list) {
    yield* scope(expressions, expressions.at('scopeName'), scopeName, value.hard, value.scopeSelector, scopeName)
    if (plainScopes.includes(scopeName) && operator !== 'Exists') {
      yield expressions.at('operator').invalid(operator, "must be 'Exists' when scope is any of ResourceQuotaScopeTerminating, ResourceQuotaScopeNotTerminating, ResourceQuotaScopeBestEffort, ResourceQuotaScopeNotBestEffort or ResourceQuotaScopeCrossNamespacePodAffinity")
    }
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) yield expressions.at('values').required("must be at least one value when `operator` is 'In' or 'NotIn' for scope selector")
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) yield expressions.at('values').invalid(values, "must be no value when `operator` is 'Exist' or 'DoesNotExist' for scope selector")
    } else yield expressions.at('operator').invalid(operator, 'not a valid selector operator')
  }
  yield* conflicting(expressions, list.map(({ scopeName }) => scopeName), value.scopes ?? null)
}

/** The scopes of a quota stay, in whatever order. */
const sameScopes = ({ spec: next }: core.ResourceQuota, { spec: current }: core.ResourceQuota): boolean =>
  deepEqual([...new Set(next.scopes)].toSorted(), [...new Set(current.scopes)].toSorted())

export const resourcequotas: Strategy<core.ResourceQuota> = {
  counted: false,
  validate: (quota) => [...spec(path('spec'), quota.spec)],
  validateUpdate: (next, current) => [...spec(path('spec'), next.spec), ...(sameScopes(next, current) ? [] : [path('spec').at('scopes').invalid(next.spec.scopes ?? [], 'field is immutable')])],
  validateStatusUpdate: ({ status }) => [...amounts(path('status').at('hard'), status.hard), ...amounts(path('status').at('used'), status.used)],
  printer: printer<core.ResourceQuota>(
    nameColumn,
    text('Request', 'What is requested, of what may be.', (o) => usage(o, (name) => !isLimit(name))),
    text('Limit', 'What is limited, of what may be.', (o) => usage(o, isLimit)),
    ageColumn,
  ),
}

/** Resource quotas. */
import type { core } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import type { Strategy } from '../../strategy.ts'
import { follows, forEach, ifThere, unchanged, type Check } from '../checks.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { amount, type Amounts } from './validation/resources.ts'

const isLimit = (name: string): boolean => name.startsWith('limits')

/** `cpu: 1/2, pods: 3/10`: used of what may be used. */
function usage({ status }: core.ResourceQuota, wanted: (name: string) => boolean): string {
  return Object.entries(status.hard ?? {}).filter(([name]) => wanted(name)).toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, hard]) => `${name}: ${status.used?.[name] ?? '0'}/${hard}`).join(', ')
}

const scopes = ['BestEffort', 'CrossNamespacePodAffinity', 'NotBestEffort', 'NotTerminating', 'PriorityClass', 'Terminating', 'VolumeAttributesClass']
const opposites = [['BestEffort', 'NotBestEffort'], ['Terminating', 'NotTerminating']] as const

function* amounts(at: Path, value: Amounts | undefined): Check {
  for (const [name, quantity] of Object.entries(value ?? {})) {
    yield* follows(at.key(name), name, qualifiedName)
    yield* amount(at.key(name), name, quantity)
  }
}

function* spec(at: Path, value: core.ResourceQuotaSpec): Check {
  yield* amounts(at.at('hard'), value.hard)
  yield* forEach(at.at('scopes'), value.scopes, (scope, place) => ifThere(place, scope, scopes))
  for (const [a, b] of opposites) {
    if (value.scopes?.includes(a) && value.scopes.includes(b)) yield at.at('scopes').invalid(value.scopes, 'conflicting scopes')
  }
  yield* forEach(at.at('scopeSelector').at('matchExpressions'), value.scopeSelector?.matchExpressions, function* ({ scopeName, operator, values = [] }, place) {
    yield* ifThere(place.at('scopeName'), scopeName, scopes)
    if (operator === 'In' || operator === 'NotIn') {
      if (values.length === 0) yield place.at('values').required('must be at least one value when `operator` is \'In\' or \'NotIn\' for scope selector')
    } else if (operator === 'Exists' || operator === 'DoesNotExist') {
      if (values.length > 0) yield place.at('values').invalid(values, 'must be no value when `operator` is \'Exist\' or \'DoesNotExist\' for scope selector')
    } else yield place.at('operator').invalid(operator, 'not a valid selector operator')
  })
}

export const resourcequotas: Strategy<core.ResourceQuota> = {
  counted: false,
  validate: (quota) => [...spec(path('spec'), quota.spec)],
  validateUpdate: (next, current) => [...spec(path('spec'), next.spec), ...unchanged(path('spec').at('scopes'), next.spec.scopes ?? [], current.spec.scopes ?? [])],
  validateStatusUpdate: ({ status }) => [...amounts(path('status').at('hard'), status.hard), ...amounts(path('status').at('used'), status.used)],
  printer: printer<core.ResourceQuota>(
    nameColumn,
    text('Request', 'What is requested, of what may be.', (o) => usage(o, (name) => !isLimit(name))),
    text('Limit', 'What is limited, of what may be.', (o) => usage(o, isLimit)),
    ageColumn,
  ),
}
